//! An event for one endpoint, as a job of the queue `webhook`.

use domain::TenantId;
use domain::webhook::{EndpointId, EventId, EventType};
use queue::{EventMessage, Text, WebhookJob};

use super::OutgoingEvent;
use crate::Result;

/// An event for an endpoint.
#[derive(Debug, Clone)]
pub struct DeliveryJob {
    /// Whose endpoint.
    pub tenant: TenantId,
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// The event.
    pub event: EventId,
    /// Its type.
    pub kind: EventType,
    /// What is sent.
    pub body: Text,
    /// The signature that came with a forwarded body.
    pub signature: Option<String>,
}

impl DeliveryJob {
    /// Reads a job.
    ///
    /// # Errors
    /// Says what makes no sense.
    pub fn read(tenant: &str, endpoint: u64, event: EventMessage) -> Result<Self> {
        Ok(Self {
            tenant: tenant.parse()?,
            endpoint: EndpointId(endpoint),
            event: event.id.parse()?,
            kind: event.kind.parse()?,
            body: event.body,
            signature: event.signature,
        })
    }
}

impl From<DeliveryJob> for WebhookJob {
    fn from(job: DeliveryJob) -> Self {
        Self::Deliver {
            tenant: job.tenant.to_string(),
            endpoint: job.endpoint.0,
            event: EventMessage {
                id: job.event.to_string(),
                kind: job.kind.as_str().to_owned(),
                body: job.body,
                signature: job.signature,
            },
        }
    }
}

impl OutgoingEvent {
    pub(super) fn delivery(&self, tenant: &TenantId, endpoint: EndpointId) -> DeliveryJob {
        DeliveryJob {
            tenant: tenant.clone(),
            endpoint,
            event: self.id.clone(),
            kind: self.kind,
            body: self.body.clone(),
            signature: self.signature.clone(),
        }
    }
}
