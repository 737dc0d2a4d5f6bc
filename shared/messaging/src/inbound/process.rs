//! Working off Meta's webhooks, of several jobs together. What happened is told before a job is
//! acknowledged; a job that comes again tells the same.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use domain::channel::Channel;
use domain::text::mend_surrogates;
use domain::webhook::catalog::TemplateChange;
use domain::webhook::{Event, EventData, EventId, EventType};
use domain::{AccountId, TenantId};
use futures::stream::{self, StreamExt};
use queue::{InboundJob, Queue, Text, Unacknowledged};
use serde_json::Value;

use super::change::Change;
use super::message::message;
use super::people::update_user_ids;
use super::wire::{StatusReport, changes_of, entries, list, number_of};
use super::{preferences, statuses};
use crate::Services;
use ops::events::{EventPublisher, OutgoingEvent};
use ops::{Code, Error, Result};

/// Changes that are worked on at once.
const AT_ONCE: usize = 16;

/// What Meta posted, as far as it belongs to one account.
#[derive(Debug, Clone)]
pub struct Inbound {
    tenant: TenantId,
    account: AccountId,
    text: Text,
    signature: Option<String>,
}

impl TryFrom<InboundJob> for Inbound {
    type Error = Error;

    fn try_from(job: InboundJob) -> Result<Self> {
        match job {
            InboundJob::Meta { tenant, account, body, signature } => {
                Ok(Self { tenant: tenant.parse()?, account: AccountId(account), text: body, signature })
            }
            InboundJob::Answer { .. }
            | InboundJob::Run { .. }
            | InboundJob::Listen { .. }
            | InboundJob::Tagged { .. } => Err(Error::new(Code::Internal, "the job is nobody's report")),
        }
    }
}

/// Works off webhooks of several jobs together: statuses of the same campaign go to
/// the ledger in one batch, and what happened is told before anything is done with.
/// Answers which of them must come again, by index.
pub async fn process(services: &Services, cause: Unacknowledged<'_>, inbound: &[Inbound]) -> Vec<usize> {
    let mut failed = BTreeSet::new();
    let mut bodies: Vec<Value> = Vec::with_capacity(inbound.len());
    let mut digests: Vec<String> = Vec::with_capacity(inbound.len());
    for (i, one) in inbound.iter().enumerate() {
        let read = services.files.bodies().text(&one.text).await.and_then(|bytes| parse(&bytes));
        let (body, digest) = read.unwrap_or_else(|error| {
            note(&mut failed, i, &one.tenant, &error);
            (Value::Null, String::new())
        });
        bodies.push(body);
        digests.push(digest);
    }
    let changes: Vec<Change<'_>> = inbound
        .iter()
        .zip(&bodies)
        .enumerate()
        .flat_map(|(i, (one, body))| {
            let read = move |entry, change| Change::read(i, (&one.tenant, one.account), entry, change);
            entries(body)
                .iter()
                .flat_map(move |entry| changes_of(entry).iter().map(move |change| read(entry, change)))
        })
        .collect();
    let mut of_tenant: BTreeMap<&TenantId, Vec<usize>> = BTreeMap::new();
    for (i, one) in inbound.iter().enumerate().filter(|(i, _)| !failed.contains(i)) {
        of_tenant.entry(&one.tenant).or_default().push(i);
    }
    for (tenant, mine) in of_tenant {
        let forwards = mine.iter().map(|i| (&inbound[*i], digests[*i].as_str())).collect();
        let changes = changes.iter().filter(|change| change.tenant == tenant).copied().collect();
        if let Err(error) = of_one(services, cause, tenant, forwards, changes, &mut failed).await {
            mine.into_iter().for_each(|i| note(&mut failed, i, tenant, &error));
        }
    }
    failed.into_iter().collect()
}

fn note(failed: &mut BTreeSet<usize>, i: usize, tenant: &TenantId, error: &Error) {
    tracing::error!(%tenant, code = error.code.as_str(), "a webhook of a provider could not be worked off");
    failed.insert(i);
}

fn parse(bytes: &Bytes) -> Result<(Value, String)> {
    let malformed = |_| Error::new(Code::MalformedBody, "the webhook is no JSON");
    Ok((serde_json::from_slice(&mend_surrogates(bytes)).map_err(malformed)?, store::sha256_hex(bytes)))
}

/// Everything of one tenant, and the telling of it.
async fn of_one(
    services: &Services,
    cause: Unacknowledged<'_>,
    tenant: &TenantId,
    inbound: Vec<(&Inbound, &str)>,
    changes: Vec<Change<'_>>,
    failed: &mut BTreeSet<usize>,
) -> Result<()> {
    let publisher = &EventPublisher::from(services);
    let told = publisher.caused_by(cause, tenant).await?;
    let mut queues: BTreeMap<String, Vec<&Change<'_>>> = BTreeMap::new();
    for (i, change) in changes.iter().enumerate() {
        queues.entry(change.queue(i)).or_default().push(change);
    }
    let queues = queues.into_values().map(|queue| async move {
        let mut done = Vec::with_capacity(queue.len());
        for change in queue {
            done.push((change.inbound, Box::pin(other(services, cause, change)).await));
        }
        done
    });
    let mut queues = stream::iter(queues.collect::<Vec<_>>()).buffered(AT_ONCE);
    let mut events: Vec<Event> = Vec::new();
    let mut unreadable: Vec<(usize, Unreadable)> = Vec::new();
    while let Some(done) = queues.next().await {
        for (i, done) in done {
            events.extend(done.events);
            unreadable.extend(done.unreadable.into_iter().map(|one| (i, one)));
            if let Some(error) = done.failed {
                note(failed, i, tenant, &error);
            }
        }
    }
    let mut reports: BTreeMap<AccountId, (Vec<usize>, Vec<StatusReport<'_>>)> = BTreeMap::new();
    for change in &changes {
        let (from, list_of) = reports.entry(change.account).or_default();
        from.push(change.inbound);
        let sender = number_of(change.value);
        let read = list(change.value, "statuses").iter().filter_map(StatusReport::read);
        list_of.extend(read.map(|report| StatusReport { sender: sender.clone(), ..report }));
    }
    for (account, (from, reports)) in reports {
        let wanted = told.wants(EventType::MessageStatus, Some(account));
        match statuses::apply(publisher, tenant, account, &reports, wanted).await {
            Ok(happened) => events.extend(happened),
            Err(error) => from.into_iter().for_each(|i| note(failed, i, tenant, &error)),
        }
    }
    // With the last try of the rest: of what comes again it would be parked again.
    for (i, one) in unreadable.iter().filter(|(i, _)| !failed.contains(i)).collect::<Vec<_>>() {
        if let Err(error) = services.queues.park(Queue::Inbound, &one.job, &one.reason).await {
            note(failed, *i, tenant, &error.into());
        }
    }
    let forwards = inbound.into_iter().map(|(one, digest)| one.forward(digest));
    told.publish(events.iter().map(OutgoingEvent::from).chain(forwards)).await
}

/// `template.status_changed`: once for each account, template, status and time.
fn template_changed(change: &Change<'_>, now_ms: i64) -> Option<Event> {
    if change.field != "message_template_status_update" {
        return None;
    }
    let text = |name: &str| match change.value.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let data = TemplateChange {
        id: text("message_template_id")?,
        name: text("message_template_name")?,
        language: text("message_template_language")?,
        status: text("event")?,
        reason: text("reason").filter(|reason| reason != "NONE"),
    };
    let (account, at_ms) = (change.account.to_string(), change.at_ms.unwrap_or_default().to_string());
    let fact = [account.as_str(), &data.id, &data.status, &at_ms].map(str::to_owned);
    let fact = fact.each_ref().map(String::as_str);
    let data = EventData::TemplateStatusChanged(data);
    Some(Event {
        account: Some(change.account),
        channel: Some(Channel::Whatsapp.to_string()),
        ..Event::new(change.tenant, &fact, change.at_ms.unwrap_or(now_ms), data)
    })
}

/// A message that can never be taken in.
struct Unreadable {
    /// It alone, as a job of its own.
    job: String,
    reason: String,
}

/// What came of a change, of which each message stands for itself.
#[derive(Default)]
struct Worked {
    events: Vec<Event>,
    unreadable: Vec<Unreadable>,
    /// It must come again.
    failed: Option<Error>,
}

impl From<Result<Vec<Event>>> for Worked {
    fn from(done: Result<Vec<Event>>) -> Self {
        match done {
            Ok(events) => Self { events, ..Self::default() },
            Err(error) => Self { failed: Some(error), ..Self::default() },
        }
    }
}

/// Everything of a change that is no status.
async fn other(services: &Services, cause: Unacknowledged<'_>, change: &Change<'_>) -> Worked {
    let (store, tenant) = (&services.store, change.tenant);
    match change.field {
        "user_preferences" => preferences::apply(services, change).await.map(|()| Vec::new()).into(),
        "user_id_update" => update_user_ids(services, change).await.map(|()| Vec::new()).into(),
        "message_template_status_update" | "message_template_quality_update" | "template_category_update" => {
            match forget_templates(services, change).await {
                Ok(()) => Ok(template_changed(change, store.clock().now_ms()).into_iter().collect()).into(),
                Err(error) => Err(error).into(),
            }
        }
        _ => {
            let mut worked = Worked::default();
            for nth in 0..list(change.value, "messages").len() {
                match message(services, cause, change, nth).await {
                    Ok(happened) => worked.events.extend(happened),
                    Err(error) if !error.code.is_temporary() => {
                        tracing::warn!(%tenant, reason = error.message, "a message cannot be taken in");
                        worked.unreadable.push(Unreadable { job: change.only(nth), reason: error.message });
                    }
                    Err(error) => worked.failed = Some(error),
                }
            }
            worked
        }
    }
}

async fn forget_templates(services: &Services, change: &Change<'_>) -> Result<()> {
    let account = services.store.account(change.tenant, change.account).await?;
    for number in account.iter().flat_map(|account| &account.numbers) {
        services.store.forget_templates(change.tenant, &number.waba_id).await?;
    }
    Ok(())
}

impl Inbound {
    /// What Meta posted, as it goes on to the account's endpoint. The same bytes are
    /// the same event, however often Meta posts them.
    fn forward(&self, digest: &str) -> OutgoingEvent {
        let parts = [self.tenant.as_str(), &self.account.to_string(), digest];
        OutgoingEvent {
            id: EventId::of(EventType::MetaChange, &parts),
            kind: EventType::MetaChange,
            account: Some(self.account),
            body: self.text.clone(),
            signature: self.signature.clone(),
            except: None,
        }
    }
}
