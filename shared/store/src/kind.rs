//! The kinds of items in the table: the first part of every partition key, and what
//! a function's policy names.

use std::fmt::{Display, Formatter, Result};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// A kind of items: what stands before the first `#` of their partition keys.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// What its keys begin with.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The accounts of a tenant.
    Accounts = "ACCOUNTS",
    /// Campaigns that a sender has under way.
    Active = "ACTIVE",
    /// The sub-accounts of an agency, and what it granted under which key.
    Agency = "AGENCY",
    /// One try to deliver an event.
    Attempt = "ATTEMPT",
    /// Who changed what.
    Audit = "AUDIT",
    /// Head of a block of contacts: count and version.
    Blocks = "BLOCKS",
    /// A campaign.
    Campaigns = "CAMPAIGNS",
    /// A catalog that is connected, and how far it is read.
    Catalog = "CATALOG",
    /// A custom channel.
    Channel = "CHANNEL",
    /// The contacts of a block.
    Contacts = "CONTACTS",
    /// A conversation: its window, and who its contact was.
    Conversation = "CONV",
    /// What numbers something, and what a plan limits.
    Counter = "COUNTER",
    /// What a sub-account has of credits, its grants, and the campaigns that wait for some.
    Credits = "CREDITS",
    /// An event that goes to an endpoint, and how that went.
    Delivery = "DELIVERY",
    /// When somebody has to look at something again.
    Due = "DUE",
    /// That an endpoint has got an event: nobody sends it twice.
    Event = "EVENT",
    /// A file of contacts that is made.
    Export = "EXPORT",
    /// An uploaded file.
    File = "FILE",
    /// A bot flow, and what starts which.
    Flow = "FLOW",
    /// How many marketing messages a contact got in a month.
    Frequency = "FREQ",
    /// An endpoint that gets events.
    Hook = "HOOK",
    /// How an endpoint is doing.
    HookState = "HOOKSTATE",
    /// What a request with an idempotency key was answered.
    Idempotency = "IDEM",
    /// Pointer from an address to its contact.
    Identity = "IDENT",
    /// A file of contacts that is imported.
    Import = "IMPORT",
    /// What an integration posted.
    Intake = "INTAKE",
    /// An API key, by its hash.
    ApiKey = "KEY",
    /// The API keys of a tenant.
    ApiKeys = "KEYS",
    /// A label: a tag with a number.
    Label = "LABEL",
    /// A recipient of a campaign.
    Ledger = "LEDGER",
    /// Head of a block of a ledger: who works at it, and how far it is.
    LedgerHead = "LHEAD",
    /// A list of contacts.
    List = "LIST",
    /// Meta's id of a file that a number uploaded.
    MediaId = "MEDIAID",
    /// A single message.
    Message = "MSG",
    /// What an identity became, where a provider said so.
    Moved = "MOVED",
    /// What a customer ordered.
    Order = "ORDER",
    /// A one-time code of a number, and how many were sent.
    OneTimeCode = "OTP",
    /// An event of a request that has not gone to the queue yet.
    Outbox = "OUTBOX",
    /// Pointer from Meta's id of a number to its tenant.
    PhoneId = "PHONEID",
    /// The plans that the installation defines.
    Plans = "PLANS",
    /// A product of a catalog.
    Product = "PRODUCT",
    /// Requests of a key in a minute.
    Rate = "RATE",
    /// A report's file, and the counts of a campaign.
    Report = "REPORT",
    /// A contact on its way through a flow, and the runs of a flow.
    Run = "RUN",
    /// The lease of a sender.
    Runner = "RUNNER",
    /// When a sender may send next.
    Slot = "SLOT",
    /// An address that is not to be written to.
    Suppression = "SUPPRESS",
    /// Message templates of a WhatsApp business account.
    Templates = "TEMPLATES",
    /// A tenant.
    Tenant = "TENANT",
    /// Pointer from an account's token to the account.
    Token = "TOKEN",
    /// What a tenant used in a day.
    Usage = "USAGE",
    /// Pointer from a verify token to the number that it verifies.
    Verify = "VERIFY",
    /// Pointer from a WhatsApp business account to its numbers.
    Waba = "WABA",
    /// A delivery that waits for its endpoint.
    Waiting = "WAITING",
    /// Pointer from a provider's id to its message.
    Wamid = "WAMID",
}

impl Kind {
    /// The kind of a partition key.
    pub fn of(pk: &str) -> Option<Self> {
        let (name, _) = pk.split_once('#')?;
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The partition key of items of this kind.
    pub(crate) fn pk(self, rest: impl Display) -> String {
        format!("{self}#{rest}")
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.as_str())
    }
}
