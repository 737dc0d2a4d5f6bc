//! Telling a tenant's endpoints what happened: [`EventPublisher::caused_by`] is the one way.
//!
//! What a job of a queue causes is queued for each endpoint that wants it before the job is
//! acknowledged, under an id made of the fact: a job that comes again tells the same. What a
//! request causes is noted in the outbox in the transaction with its cause, and told on at once
//! or, if the request breaks off, by the [`sweep`]. The cause is in the type of [`Events`]: what
//! nobody would repeat cannot be queued without a note,
//!
//! ```compile_fail,E0308
//! # async fn wrong(publisher: ops::events::EventPublisher, tenant: domain::TenantId, event: domain::webhook::Event) {
//! use ops::events::{OutgoingEvent, Transaction};
//! let events = publisher.caused_by(Transaction, &tenant).await.unwrap();
//! events.publish([OutgoingEvent::from(&event)]).await; // a request that breaks off here tells nobody
//! # }
//! ```
//!
//! and what is noted cannot be told before it is written:
//!
//! ```compile_fail,E0308
//! # async fn wrong(publisher: ops::events::EventPublisher, tenant: domain::TenantId, event: domain::webhook::Event) {
//! # use ops::events::Transaction;
//! let events = publisher.caused_by(Transaction, &tenant).await.unwrap();
//! events.publish(events.note(&event)).await; // only a transaction makes a note `Written`
//! # }
//! ```
//!
//! ```
//! # async fn right(publisher: ops::events::EventPublisher, tenant: domain::TenantId, event: domain::webhook::Event) {
//! # use ops::events::Transaction;
//! let events = publisher.caused_by(Transaction, &tenant).await.unwrap();
//! let written = publisher.store.write_note(events.note(&event)).await.unwrap();
//! events.publish(written).await;
//! # }
//! ```

mod delivery;
mod facts;
mod outbox;

pub use delivery::DeliveryJob;
pub use facts::{
    ConsentFact, DeviceChange, DeviceFact, SmsFact, StatusFact, campaign_ended, consent_changed,
    contact_changed, contact_merged, credits_low, device_changed, message_received, message_status,
    order_moved, order_received, sms_received,
};
pub use outbox::sweep;

use domain::webhook::{Endpoint, EndpointId, Event, EventData, EventId, EventType};
use domain::{AccountId, TenantId};
use queue::{Queues, Text, Unacknowledged};
use store::Store;
use store::outbox::{Facts, Note, Written};

use crate::Result;

/// What notes events and queues them.
#[derive(Debug, Clone)]
pub struct EventPublisher {
    /// The table.
    pub store: Store,
    /// The queue of the endpoints.
    pub queues: Queues,
}

/// What events come from: [`Unacknowledged`] records of a queue, or a [`Transaction`].
pub trait Cause: Copy + sealed::Sealed {}

/// A change that nobody repeats: of a request, or one that is seen only once.
#[derive(Debug, Clone, Copy)]
pub struct Transaction;

impl Cause for Transaction {}
impl Cause for Unacknowledged<'_> {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Transaction {}
    impl Sealed for super::Unacknowledged<'_> {}
}

/// Events of one tenant, from one cause, for the endpoints that there are.
#[derive(Debug)]
pub struct Events<'a, C> {
    publisher: &'a EventPublisher,
    tenant: &'a TenantId,
    endpoints: Vec<Endpoint>,
    #[expect(dead_code, reason = "it is held for as long as events of it are told")]
    cause: C,
}

impl EventPublisher {
    /// Events that `cause` brings about. Who listens is read strongly consistent: whoever
    /// registered is told from then on.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the database does not answer.
    pub async fn caused_by<'a, C: Cause>(&'a self, cause: C, tenant: &'a TenantId) -> Result<Events<'a, C>> {
        Ok(Events { publisher: self, tenant, endpoints: self.store.endpoints(tenant).await?, cause })
    }
}

impl<C> Events<'_, C> {
    /// Who tells them.
    pub(crate) fn publisher(&self) -> &EventPublisher {
        self.publisher
    }

    /// Whether anybody wants events of this kind on this account.
    pub fn wants(&self, kind: EventType, account: Option<AccountId>) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.wants(kind, account))
    }

    /// Queues events for everybody who wants them.
    #[expect(clippy::disallowed_methods, reason = "its callers hold the cause")]
    async fn queue(&self, events: impl IntoIterator<Item = OutgoingEvent>) -> Result<()> {
        let mut jobs = Vec::new();
        for event in events {
            let told = |e: &&Endpoint| event.except != Some(e.id) && e.wants(event.kind, event.account);
            let wanting = self.endpoints.iter().filter(told);
            jobs.extend(wanting.map(|endpoint| event.delivery(self.tenant, endpoint.id).into()));
        }
        if !jobs.is_empty() {
            self.publisher.queues.deliver(jobs).await?;
        }
        Ok(())
    }
}

impl Events<'_, Unacknowledged<'_>> {
    /// Queues what happened for everybody who wants it.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the queue did not take all of it: the records must
    /// come again.
    pub async fn publish(&self, events: impl IntoIterator<Item = OutgoingEvent>) -> Result<()> {
        self.queue(events).await
    }
}

impl Events<'_, Transaction> {
    /// What a transaction writes with its change, for `event` to be told; nothing when nobody
    /// wants it.
    pub fn note(&self, event: &Event) -> Note {
        self.note_all(std::slice::from_ref(event))
    }

    /// Like [`Events::note`], of several events.
    pub(crate) fn note_all(&self, events: &[Event]) -> Note {
        let wanted = events.iter().filter(|event| self.wants(event.kind(), event.account));
        self.note_facts(wanted.map(|event| Facts::Event(event.body().to_string())))
    }

    /// Like [`Events::note`], of facts that the outbox has words for.
    pub(crate) fn note_facts(&self, facts: impl IntoIterator<Item = Facts>) -> Note {
        self.publisher.store.note(self.tenant, facts)
    }

    /// Tells on what was written. What goes wrong is only logged: it happened, and the sweep
    /// tells it.
    pub async fn publish(&self, written: Written) {
        for entry in written.entries() {
            if let Err(error) = self.tell(entry).await {
                tracing::warn!(tenant = %entry.tenant, code = error.code.as_str(), "the sweep tells an event on");
            }
        }
    }
}

/// The endpoint that an event is about.
fn about(event: &Event) -> Option<EndpointId> {
    let EventData::WebhookDisabled(data) = &event.data else { return None };
    Some(EndpointId(data.endpoint))
}

/// Something that endpoints may want to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingEvent {
    /// Made of the fact.
    pub id: EventId,
    /// What happened.
    pub kind: EventType,
    /// The account it happened on.
    pub account: Option<AccountId>,
    /// What is sent.
    pub body: Text,
    /// The signature that came with a forwarded body.
    pub signature: Option<String>,
    /// The endpoint that is not told, for it is what the event is about.
    pub except: Option<EndpointId>,
}

impl From<&Event> for OutgoingEvent {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.clone(),
            kind: event.kind(),
            account: event.account,
            body: Text::Inline(event.body().to_string()),
            signature: None,
            except: about(event),
        }
    }
}
