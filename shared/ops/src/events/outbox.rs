use domain::TenantId;
use domain::webhook::{Event, EventType};
use queue::{Queues, Text};
use serde_json::Value;
use store::Store;
use store::outbox::{ContactChange, Entry, Facts};

use super::{Audience, Happening, contact_changed};
use crate::Result;

/// Entries that one sweep tells on, of each shard.
const LIMIT: usize = 100;
/// After so long nobody else tells an entry on any more, in milliseconds.
const LEFT_ALONE_MS: i64 = 10_000;

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was told on, as far as it came about.
    Yes,
    /// It can never be: it is no fact that this build knows.
    Unreadable,
}

/// An event as an entry of the outbox holds it.
pub(crate) fn facts_of(event: &Event) -> Facts {
    let happening = Happening::from(event);
    let body = match happening.body {
        Text::Inline(text) => text,
        Text::Stored { .. } => String::new(),
    };
    Facts::Event(body)
}

/// Reads back what [`facts_of`] wrote: an event's body names everything.
fn happening_of(body: &str) -> Option<Happening> {
    let value: Value = serde_json::from_str(body).ok()?;
    let kind: EventType = value.get("type")?.as_str()?.parse().ok()?;
    Some(Happening {
        id: value.get("id")?.as_str()?.parse().ok()?,
        kind,
        account: value.get("account_id").and_then(Value::as_u64).map(domain::AccountId),
        body: Text::Inline(body.to_owned()),
        signature: None,
    })
}

/// Tells an entry on, and forgets it.
///
/// # Errors
/// [`crate::Code::Unavailable`]: the sweep tries again.
pub async fn tell(store: &Store, queues: &Queues, entry: &Entry) -> Result<Told> {
    let audience = Audience::of(store, &entry.tenant).await?;
    let (told, happenings) = match &entry.facts {
        Facts::Event(body) => match happening_of(body) {
            Some(happening) => (Told::Yes, vec![happening]),
            None => (Told::Unreadable, Vec::new()),
        },
        Facts::Contacts(changes) => (Told::Yes, contacts(store, &entry.tenant, entry.at_ms, changes).await?),
    };
    audience.tell(queues, &happenings).await?;
    store.told(entry).await?;
    Ok(told)
}

/// The changes that came about: what is stored is at least as new.
async fn contacts(
    store: &Store,
    tenant: &TenantId,
    at_ms: i64,
    changes: &[ContactChange],
) -> Result<Vec<Happening>> {
    let ids: Vec<_> = changes.iter().map(ContactChange::contact).collect();
    let stored = store.contacts_by_id(tenant, &ids).await?;
    let mut happenings = Vec::new();
    for change in changes {
        let found = stored.iter().find(|c| c.id == change.contact() && c.version >= change.version);
        if let Some(contact) = found {
            let event = contact_changed(tenant, contact, change.version, change.created, at_ms);
            happenings.push(Happening::from(&event));
        }
    }
    Ok(happenings)
}

/// Tells on what requests left behind that broke off. Answers how many entries.
///
/// # Errors
/// [`crate::Code::Unavailable`]: the next sweep finds them again.
pub async fn sweep(store: &Store, queues: &Queues) -> Result<usize> {
    let entries = store.untold(store.clock().now_ms() - LEFT_ALONE_MS, LIMIT).await?;
    for entry in &entries {
        match tell(store, queues, entry).await {
            Ok(Told::Yes) => {}
            Ok(Told::Unreadable) => {
                tracing::error!(tenant = %entry.tenant, id = entry.id, "an entry of the outbox cannot be read");
            }
            Err(error) => {
                tracing::error!(tenant = %entry.tenant, code = error.code.as_str(), "an event could not be told on");
            }
        }
    }
    Ok(entries.len())
}
