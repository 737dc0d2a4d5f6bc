//! Facts that are written down with their cause, and told on. Whoever breaks off between the
//! two leaves them to the sweep.

use domain::TenantId;
use domain::webhook::{Event, EventType};
use queue::{CampaignJob, Queues, Text};
use serde_json::Value;
use store::Store;
use store::outbox::{ContactChange, Entry, Facts};

use super::{OutgoingEvent, Subscribers, about, contact_changed};
use crate::contacts::ERASED_AT_ONCE;
use crate::{Code, Error, Result};

/// Entries that one sweep tells on, of each shard.
const LIMIT: usize = 100;
/// After so long nobody else tells an entry on any more, in milliseconds.
const LEFT_ALONE_MS: i64 = 10_000;

/// What writes facts down, and tells them on.
#[derive(Debug, Clone)]
pub struct EventPublisher {
    /// The table.
    pub store: Store,
    /// The queue of the endpoints.
    pub queues: Queues,
}

impl EventPublisher {
    /// The entry of an event, when anybody wants it: to be written down with what it
    /// tells.
    pub async fn entry(&self, tenant: &TenantId, event: &Event) -> Result<Option<Entry>> {
        let wanted = Subscribers::of(&self.store, tenant).await?.wants(event.kind, event.account);
        Ok(wanted.then(|| self.store.entry(tenant, facts_of(event))))
    }

    /// Writes an event down that somebody wants, before what it tells comes about: it
    /// is told then, by the sweep at the latest. Only for what is certain.
    pub async fn note(&self, tenant: &TenantId, event: &Event) -> Result<Option<Entry>> {
        let entry = self.entry(tenant, event).await?;
        if let Some(entry) = &entry {
            self.store.note(entry).await?;
        }
        Ok(entry)
    }

    /// Tells entries on now. What goes wrong is only logged: what they are about
    /// happened, and the sweep tells it.
    pub async fn publish_now(&self, entries: impl IntoIterator<Item = &Entry>) {
        for entry in entries {
            if let Err(error) = tell(&self.store, &self.queues, entry).await {
                tracing::warn!(tenant = %entry.tenant, code = error.code.as_str(), "the sweep tells an event on");
            }
        }
    }
}

/// An event as an entry of the outbox holds it.
pub fn facts_of(event: &Event) -> Facts {
    let event = OutgoingEvent::from(event);
    let body = match event.body {
        Text::Inline(text) => text,
        Text::Stored { .. } => String::new(),
    };
    Facts::Event(body)
}

/// Reads back what [`facts_of`] wrote: an event's body names everything.
fn event_of(body: &str) -> Option<OutgoingEvent> {
    let value: Value = serde_json::from_str(body).ok()?;
    let kind: EventType = value.get("type")?.as_str()?.parse().ok()?;
    Some(OutgoingEvent {
        id: value.get("id")?.as_str()?.parse().ok()?,
        kind,
        account: value.get("account_id").and_then(Value::as_u64).map(domain::AccountId),
        body: Text::Inline(body.to_owned()),
        signature: None,
        except: about(kind, value.get("data")),
    })
}

/// Tells an entry on, and forgets it.
async fn tell(store: &Store, queues: &Queues, entry: &Entry) -> Result<()> {
    let subscribers = Subscribers::of(store, &entry.tenant).await?;
    let events = match &entry.facts {
        Facts::Event(body) => match event_of(body) {
            Some(event) => vec![event],
            // It stays, and is seen in the log, until a build that knows it comes.
            None => return Err(Error::new(Code::Internal, "an entry of the outbox cannot be read")),
        },
        Facts::Contacts(changes) => contacts(store, &entry.tenant, entry.at_ms, changes).await?,
        Facts::Deleted(ids) => {
            for contacts in ids.chunks(ERASED_AT_ONCE) {
                let (tenant, contacts) = (entry.tenant.to_string(), contacts.to_vec());
                let job = CampaignJob::Erase { tenant, contacts, before: None, last: false };
                queues.campaign(job, 0).await?;
            }
            Vec::new()
        }
    };
    subscribers.publish(queues, &events).await?;
    Ok(store.told(entry).await?)
}

/// The changes that came about: what is stored is at least as new.
async fn contacts(
    store: &Store,
    tenant: &TenantId,
    at_ms: i64,
    changes: &[ContactChange],
) -> Result<Vec<OutgoingEvent>> {
    let ids = changes.iter().map(ContactChange::contact).collect();
    let stored = store.contacts_of(tenant, &ids).await?;
    let mut events = Vec::new();
    for change in changes {
        let found = stored.iter().find(|c| c.id == change.contact() && c.version >= change.version);
        if let Some(contact) = found {
            let event = contact_changed(tenant, contact, change.version, change.created, at_ms);
            events.push(OutgoingEvent::from(&event));
        }
    }
    Ok(events)
}

/// Tells on what requests left behind that broke off. Answers how many entries.
///
/// # Errors
/// [`crate::Code::Unavailable`]: the next sweep finds them again.
pub async fn sweep(store: &Store, queues: &Queues) -> Result<usize> {
    let entries = store.untold(store.clock().now_ms() - LEFT_ALONE_MS, LIMIT).await?;
    for entry in &entries {
        if let Err(error) = tell(store, queues, entry).await {
            tracing::error!(tenant = %entry.tenant, id = entry.id, code = error.code.as_str(), "an event could not be told on");
        }
    }
    Ok(entries.len())
}
