//! The entries: every function of the product.

use queue::Queue::{self, Campaign, Inbound, Media, Send, Webhook};
use store::Kind::{
    Accounts, Active, Agency, ApiKey, ApiKeys, Attempt, Audit, Blocks, Campaigns, Catalog, Channel, Contacts,
    Conversation, Counter, Credits, Delivery, Due, Event, Export, File, Flow, Frequency, Hook, HookState,
    Idempotency, Identity, Import, Intake, Label, Ledger, LedgerHead, List, MediaId, Message, Moved,
    OneTimeCode, Order, Outbox, PhoneId, Plans, Product, Rate, Report, Run, Runner, Slot, Suppression,
    Templates, Tenant, Token, Usage, Verify, Waba, Waiting, Wamid,
};

use crate::Client::{Bucket, Files, Graph, Outbound, Schedules, Secret};
use crate::{AtOnce, Function, Jobs, Objects};

/// Every function: those of the API, then those that something else starts.
pub const ALL: &[&Function] = &[
    &ACCOUNTS,
    &ASSISTANT,
    &CAMPAIGNS,
    &CATALOG,
    &CONTACTS,
    &INBOUND,
    &MESSAGES,
    &SENDERS,
    &WEBHOOKS,
    &CAMPAIGN_WORKER,
    &INBOUND_WORKER,
    &MEDIA_WORKER,
    &SCHEDULE_TICK,
    &SEND_WORKER,
    &WEBHOOK_WORKER,
];

/// Who answers what no route of the gateway matches.
pub const DEFAULT: &Function = &ACCOUNTS;

/// Objects below a prefix that are only read.
const fn read(prefix: &'static str) -> Objects {
    Objects { prefix, actions: &["GetObject"] }
}

/// Objects below a prefix that are only written.
const fn write(prefix: &'static str) -> Objects {
    Objects { prefix, actions: &["PutObject"] }
}

const fn jobs(queue: Queue, batch: u32, at_once: AtOnce) -> Jobs {
    Jobs { queue, batch, window_s: 0, at_once }
}

/// `functions/accounts`
pub const ACCOUNTS: Function = Function {
    name: "accounts",
    about: "Tenants, accounts, tokens and keys; agencies and credits",
    reads: &[Blocks, Campaigns, LedgerHead, Message, Usage],
    writes: &[Accounts, Agency, ApiKey, ApiKeys, Audit, Counter, Credits, Due, Plans, Rate, Tenant, Token],
    feeds: &[Campaign],
    zipped_max: 5_000_000,
    ..Function::API
};

/// `functions/assistant`
pub const ASSISTANT: Function = Function {
    name: "assistant",
    about: "Bot flows, and who leads a conversation",
    reads: &[Accounts, ApiKey, Hook, Runner, Slot, Suppression, Tenant, Token],
    writes: &[Blocks, Contacts, Conversation, Counter, Due, Flow, Idempotency, Identity, Outbox, Rate, Run],
    clients: &[Secret],
    feeds: &[Inbound, Webhook],
    zipped_max: 5_000_000,
    ..Function::API
};

/// `functions/campaigns`. It feeds the queue `send` when a campaign goes on.
pub const CAMPAIGNS: Function = Function {
    name: "campaigns",
    about: "Media, drafts, launch, control and reports; files of contacts",
    reads: &[
        Accounts,
        ApiKey,
        Blocks,
        Channel,
        Contacts,
        Conversation,
        Frequency,
        Identity,
        Ledger,
        List,
        Runner,
        Suppression,
        Tenant,
        Token,
    ],
    writes: &[
        Active,
        Audit,
        Campaigns,
        Counter,
        Credits,
        Due,
        Export,
        File,
        Idempotency,
        Import,
        LedgerHead,
        Rate,
        Report,
        Templates,
        Usage,
    ],
    clients: &[Secret, Graph, Outbound, Files, Schedules],
    feeds: &[Campaign, Send],
    objects: &[
        Objects { prefix: "files", actions: &["GetObject", "PutObject"] },
        // Whoever is led to a report reads it in this function's name.
        read("reports"),
        write("uploads"),
        write("imports"),
    ],
    memory_mb: 1_024,
    // It looks at files of contacts, in any encoding.
    zipped_max: 8_000_000,
    ..Function::API
};

/// `functions/catalog`. It sends when a customer is told of an order.
pub const CATALOG: Function = Function {
    name: "catalog",
    about: "Catalogs, their products, and orders",
    reads: &[Accounts, ApiKey, Conversation, Hook, Moved, Product, Runner, Tenant],
    writes: &[
        Blocks,
        Catalog,
        Contacts,
        Counter,
        Credits,
        Due,
        Idempotency,
        Identity,
        Message,
        Order,
        Outbox,
        Rate,
        Slot,
        Suppression,
        Usage,
        Wamid,
    ],
    clients: &[Secret, Graph, Outbound, Files],
    feeds: &[Campaign, Webhook],
    zipped_max: 8_600_000,
    ..Function::API
};

/// `functions/contacts`
pub const CONTACTS: Function = Function {
    name: "contacts",
    about: "Contacts and subscribers",
    reads: &[Accounts, ApiKey, Channel, Flow, Hook, Tenant, Token],
    writes: &[Blocks, Contacts, Counter, Idempotency, Identity, Label, List, Outbox, Rate, Suppression],
    feeds: &[Campaign, Inbound, Webhook],
    memory_mb: 1_024,
    // It reads contacts of four dialects, and asks which flows wait for tags.
    zipped_max: 5_500_000,
    ..Function::API
};

/// `functions/inbound`
pub const INBOUND: Function = Function {
    name: "inbound",
    about: "What the outside posts to us",
    reads: &[Accounts, ApiKey, Campaigns, Channel, Flow, Hook, PhoneId, Run, Tenant, Token, Verify, Waba],
    writes: &[
        Audit,
        Blocks,
        Contacts,
        Conversation,
        Counter,
        Credits,
        Identity,
        Intake,
        Label,
        Ledger,
        LedgerHead,
        Message,
        Outbox,
        Rate,
        Suppression,
        Wamid,
    ],
    clients: &[Secret, Bucket],
    feeds: &[Inbound, Webhook],
    objects: &[write("events")],
    zipped_max: 7_700_000,
    ..Function::API
};

/// `functions/messages`
pub const MESSAGES: Function = Function {
    name: "messages",
    about: "Single messages, templates, codes and history",
    reads: &[Accounts, ApiKey, Campaigns, Channel, Conversation, Hook, Ledger, Moved, Runner, Tenant, Token],
    writes: &[
        Blocks,
        Catalog,
        Contacts,
        Counter,
        Credits,
        Due,
        File,
        Frequency,
        Idempotency,
        Identity,
        MediaId,
        Message,
        OneTimeCode,
        Outbox,
        Rate,
        Slot,
        Suppression,
        Templates,
        Usage,
        Wamid,
    ],
    lists_conversations: true,
    clients: &[Secret, Graph, Outbound, Files],
    feeds: &[Webhook],
    objects: &[read("files")],
    zipped_max: 8_600_000,
    ..Function::API
};

/// `functions/senders`
pub const SENDERS: Function = Function {
    name: "senders",
    about: "Numbers and custom channels",
    reads: &[ApiKey, Tenant, Token],
    writes: &[Accounts, Audit, Channel, PhoneId, Rate, Runner, Verify, Waba],
    clients: &[Secret, Graph, Outbound],
    zipped_max: 8_000_000,
    ..Function::API
};

/// `functions/webhooks`
pub const WEBHOOKS: Function = Function {
    name: "webhooks",
    about: "Where users want events sent, and what they were sent",
    reads: &[Accounts, ApiKey, Tenant, Token],
    writes: &[Attempt, Audit, Counter, Delivery, Due, Hook, HookState, Idempotency, Rate, Waiting],
    clients: &[Secret, Bucket, Outbound],
    feeds: &[Webhook],
    objects: &[read("events")],
    ..Function::API
};

/// `functions/campaign-worker`
pub const CAMPAIGN_WORKER: Function = Function {
    name: "campaign-worker",
    about: "The planner, from contacts to ledger; reports; files of contacts; catalogs",
    reads: &[Accounts, Channel, Conversation, Frequency, Hook, List, Tenant],
    writes: &[
        Active,
        Audit,
        Blocks,
        Campaigns,
        Catalog,
        Contacts,
        Counter,
        Credits,
        Due,
        Export,
        File,
        Identity,
        Import,
        Label,
        Ledger,
        LedgerHead,
        Outbox,
        Product,
        Report,
        Run,
        Runner,
        Suppression,
        Templates,
    ],
    clients: &[Secret, Graph, Outbound, Files],
    feeds: &[Campaign, Send, Webhook],
    // Each action of an upload in parts but giving it up goes by PutObject. What is too
    // little for a part is read by the next run.
    objects: &[
        Objects {
            prefix: "reports",
            actions: &["PutObject", "GetObject", "DeleteObject", "AbortMultipartUpload"],
        },
        Objects { prefix: "imports", actions: &["PutObject", "GetObject", "DeleteObject"] },
    ],
    memory_mb: 1_024,
    // It reads workbooks, and texts in any encoding.
    zipped_max: 8_000_000,
    ..Function::worker(jobs(Campaign, 1, AtOnce::UpTo(20)))
};

/// `functions/inbound-worker`. An answer that the provider does not take now is queued
/// again.
pub const INBOUND_WORKER: Function = Function {
    name: "inbound-worker",
    about: "Statuses, replies and opt-outs",
    reads: &[Accounts, Channel, Flow, Hook, PhoneId, Runner, Tenant],
    writes: &[
        Blocks,
        Campaigns,
        Catalog,
        Contacts,
        Conversation,
        Counter,
        Credits,
        Due,
        File,
        Frequency,
        Identity,
        Label,
        Ledger,
        LedgerHead,
        List,
        MediaId,
        Message,
        Moved,
        Order,
        Outbox,
        Run,
        Slot,
        Suppression,
        Templates,
        Usage,
        Wamid,
    ],
    lists_conversations: true,
    clients: &[Secret, Graph, Outbound, Files],
    feeds: &[Inbound, Webhook],
    objects: &[read("events"), read("files")],
    timeout_s: 60,
    zipped_max: 7_500_000,
    ..Function::worker(Jobs { queue: Inbound, batch: 100, window_s: 1, at_once: AtOnce::UpTo(50) })
};

/// `functions/media-worker`
pub const MEDIA_WORKER: Function = Function {
    name: "media-worker",
    about: "Verifies uploads",
    writes: &[File, Import],
    clients: &[Files],
    feeds: &[Campaign],
    objects: &[
        // Without it S3 answers 403, not 404, for an object that an earlier run moved already.
        Objects { prefix: "", actions: &["ListBucket"] },
        Objects { prefix: "uploads", actions: &["GetObject", "DeleteObject"] },
        write("files"),
        write("imports"),
        write("quarantine"),
    ],
    memory_mb: 1_024,
    timeout_s: 120,
    zipped_max: 7_000_000,
    ..Function::worker(jobs(Media, 1, AtOnce::UpTo(10)))
};

/// `functions/schedule-tick`
pub const SCHEDULE_TICK: Function = Function {
    name: "schedule-tick",
    about: "Starts what a schedule missed, wakes what is stuck",
    trigger: crate::Trigger::EveryMinute,
    reads: &[Contacts, Hook, HookState, Runner],
    writes: &[Active, Campaigns, Due, Message, Outbox],
    clients: &[],
    feeds: &[Campaign, Inbound, Send, Webhook],
    timeout_s: 55,
    zipped_max: 5_000_000,
    ..Function::API
};

/// `functions/send-worker`. A run lasts a minute at most and then wakes its successor.
pub const SEND_WORKER: Function = Function {
    name: "send-worker",
    about: "One runner per sender",
    reads: &[Accounts, Channel, Conversation, File, Hook, Moved, PhoneId, Tenant],
    writes: &[
        Active,
        Blocks,
        Campaigns,
        Contacts,
        Counter,
        Credits,
        Frequency,
        Identity,
        Ledger,
        LedgerHead,
        MediaId,
        Outbox,
        Runner,
        Suppression,
        Usage,
        Wamid,
    ],
    clients: &[Secret, Graph, Outbound, Files],
    feeds: &[Send, Webhook],
    objects: &[read("files")],
    memory_mb: 1_024,
    zipped_max: 8_000_000,
    ..Function::worker(jobs(Send, 1, AtOnce::Parameter("SendConcurrency", 200)))
};

/// `functions/webhook-worker`. Sending what waits for an endpoint goes on in the next
/// call, however much there is.
pub const WEBHOOK_WORKER: Function = Function {
    name: "webhook-worker",
    about: "Events on their way to the users' endpoints",
    reads: &[Hook],
    writes: &[Attempt, Delivery, Due, Event, HookState, Outbox, Waiting],
    clients: &[Secret, Bucket, Outbound],
    feeds: &[Webhook],
    objects: &[Objects { prefix: "events", actions: &["GetObject", "PutObject"] }],
    ..Function::worker(jobs(Webhook, 10, AtOnce::Unbounded))
};
