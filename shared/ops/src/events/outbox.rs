//! Facts that were written with their cause, and are told on. Whoever breaks off between the
//! two leaves them to the sweep.

use domain::contact::Contact;
use domain::webhook::{EndpointId, EventType};
use queue::{CampaignJob, InboundJob, Text};
use serde_json::Value;
use store::outbox::{ContactChange, Entry, Facts};

use super::{
    EventPublisher, Events, OutgoingEvent, Transaction, contact_changed, contact_merged, credits_low,
};
use crate::contacts::ERASED_AT_ONCE;
use crate::{Code, Error, Result};

/// Entries that one sweep tells on, of each shard.
const LIMIT: usize = 100;
/// After so long nobody else tells an entry on any more, in milliseconds.
const LEFT_ALONE_MS: i64 = 10_000;

/// Reads back an event from its body, which names everything.
fn event_of(body: &str) -> Option<OutgoingEvent> {
    let value: Value = serde_json::from_str(body).ok()?;
    let kind: EventType = value.get("type")?.as_str()?.parse().ok()?;
    let number = |from: Option<&Value>| from.and_then(Value::as_u64);
    let about = value.get("data").filter(|_| kind == EventType::WebhookDisabled);
    Some(OutgoingEvent {
        id: value.get("id")?.as_str()?.parse().ok()?,
        kind,
        account: number(value.get("account_id")).map(domain::AccountId),
        body: Text::Inline(body.to_owned()),
        signature: None,
        except: number(about.and_then(|data| data.get("webhook_id"))).map(EndpointId),
    })
}

impl Events<'_, Transaction> {
    /// Tells an entry on, and forgets it.
    pub(super) async fn tell(&self, entry: &Entry) -> Result<()> {
        let EventPublisher { store, queues } = self.publisher;
        if entry.tenant != *self.tenant {
            return Err(Error::new(Code::Internal, "an entry of another tenant is left to the sweep"));
        }
        match &entry.facts {
            Facts::Event(body) => match event_of(body) {
                Some(event) => self.queue([event]).await?,
                // It stays, and is seen in the log, until a build that knows it comes.
                None => return Err(Error::new(Code::Internal, "an entry of the outbox cannot be read")),
            },
            Facts::LowCredits(low) => {
                self.queue([OutgoingEvent::from(&credits_low(self.tenant, low))]).await?;
            }
            Facts::Contacts(changes) => self.queue(self.contacts(entry.at_ms, changes).await?).await?,
            Facts::Deleted(ids) => {
                for contacts in ids.chunks(ERASED_AT_ONCE) {
                    let (tenant, contacts) = (entry.tenant.to_string(), contacts.to_vec());
                    let job = CampaignJob::Erase { tenant, contacts, before: None, last: false };
                    queues.campaign(job, 0).await?;
                }
            }
            Facts::Tagged { contact, tags } => {
                let (tenant, fact) = (entry.tenant.to_string(), entry.id.clone());
                let job = InboundJob::Tagged { tenant, contact: *contact, tags: tags.clone(), fact };
                queues.inbound(job).await?;
            }
        }
        Ok(store.told(entry).await?)
    }

    /// The changes that came about: what is stored is at least as new.
    async fn contacts(&self, at_ms: i64, changes: &[ContactChange]) -> Result<Vec<OutgoingEvent>> {
        let ids = changes.iter().map(ContactChange::contact).collect();
        let stored = self.publisher.store.contacts_of(self.tenant, &ids).await?;
        let mut events = Vec::new();
        for change in changes {
            let is_it = |c: &&Contact| c.id == change.contact() && c.version >= change.version;
            let Some(found) = stored.iter().find(is_it) else { continue };
            let changed = contact_changed(self.tenant, found, change.version, change.created, at_ms);
            events.push(OutgoingEvent::from(&changed));
            if !change.merged.is_empty() {
                let merged = contact_merged(self.tenant, found, change.version, &change.merged, at_ms);
                events.push(OutgoingEvent::from(&merged));
            }
        }
        Ok(events)
    }
}

/// Tells on what requests left behind that broke off. Answers how many entries.
///
/// # Errors
/// [`crate::Code::Unavailable`]: the next sweep finds them again.
pub async fn sweep(publisher: &EventPublisher) -> Result<usize> {
    let store = &publisher.store;
    let entries = store.untold(store.clock().now_ms() - LEFT_ALONE_MS, LIMIT).await?;
    for entry in &entries {
        let told = match publisher.caused_by(Transaction, &entry.tenant).await {
            Ok(events) => events.tell(entry).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::error!(tenant = %entry.tenant, id = entry.id, code = error.code.as_str(), "an event could not be told on");
        }
    }
    Ok(entries.len())
}
