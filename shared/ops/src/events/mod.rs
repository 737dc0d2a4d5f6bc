//! Telling a tenant's endpoints what happened.
//!
//! An event that a job of a queue causes is queued for each endpoint that wants it
//! before the job is acknowledged, under an id made of the fact: a job that comes
//! again tells the same. What a request causes is written to the outbox in the
//! transaction with its cause, and told on at once or, if the request breaks off,
//! by the [`sweep`].

mod facts;
mod outbox;

pub use facts::{
    ConsentFact, DeviceChange, DeviceFact, SmsFact, StatusFact, campaign_ended, consent_changed,
    contact_changed, device_changed, message_received, message_status, sms_received, webhook_disabled,
};
pub use outbox::facts_of;
pub use outbox::{EventPublisher, sweep};

use domain::webhook::{Endpoint, EndpointId, Event, EventId, EventType};
use domain::{AccountId, TenantId};
use queue::{EventMessage, Queues, Text, WebhookJob};
use serde_json::Value;
use store::Store;

use crate::Result;

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

/// The endpoint that an event of this type and with this `data` is about.
fn about(kind: EventType, data: Option<&Value>) -> Option<EndpointId> {
    let id = data.filter(|_| kind == EventType::WebhookDisabled)?.get("webhook_id")?.as_u64()?;
    Some(EndpointId(id))
}

impl From<&Event> for OutgoingEvent {
    fn from(event: &Event) -> Self {
        let body = event.body();
        Self {
            id: event.id.clone(),
            kind: event.kind,
            account: event.account,
            except: about(event.kind, body.get("data")),
            body: Text::Inline(body.to_string()),
            signature: None,
        }
    }
}

/// The endpoints of a tenant, as they were a moment ago.
#[derive(Debug, Clone)]
pub struct Subscribers {
    tenant: TenantId,
    endpoints: Vec<Endpoint>,
}

impl Subscribers {
    /// Who listens, strongly consistent: whoever registered is told from then on.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the database does not answer.
    pub async fn of(store: &Store, tenant: &TenantId) -> Result<Self> {
        Ok(Self { tenant: tenant.clone(), endpoints: store.endpoints(tenant).await? })
    }

    /// Whether anybody wants events of this kind on this account.
    pub fn wants(&self, kind: EventType, account: Option<AccountId>) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.wants(kind, account))
    }

    /// Queues what happened for everybody who wants it.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the queue did not take all of it.
    pub async fn publish(&self, queues: &Queues, events: &[OutgoingEvent]) -> Result<()> {
        let mut jobs = Vec::new();
        for event in events {
            let told = |e: &&Endpoint| event.except != Some(e.id) && e.wants(event.kind, event.account);
            let wanting = self.endpoints.iter().filter(told);
            jobs.extend(wanting.map(|endpoint| job(&self.tenant, endpoint, event)));
        }
        if !jobs.is_empty() {
            queues.deliver(jobs).await?;
        }
        Ok(())
    }
}

fn job(tenant: &TenantId, endpoint: &Endpoint, event: &OutgoingEvent) -> WebhookJob {
    WebhookJob::Deliver {
        tenant: tenant.to_string(),
        endpoint: endpoint.id.0,
        event: EventMessage {
            id: event.id.to_string(),
            kind: event.kind.as_str().to_owned(),
            body: event.body.clone(),
            signature: event.signature.clone(),
        },
    }
}
