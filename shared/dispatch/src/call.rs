//! One call of an endpoint.

use std::time::Duration;

use bytes::Bytes;
use domain::TenantId;
use domain::webhook::{CallOutcome, Endpoint, ID_HEADER, SIGNATURE_HEADER, SigningKeys, TIMESTAMP_HEADER};
use outbound::{HeaderMap, HeaderName, HeaderValue, Limits};
use store::webhooks::{Attempt, Delivery};
use tokio::time::Instant;

use crate::WebhookDispatcher;

/// The header with the event's number at this endpoint: it only grows, and may have
/// gaps.
pub const SEQUENCE_HEADER: &str = "webhook-sequence";
/// The header with the event's type.
const TYPE_HEADER: &str = "webhook-event";
/// Meta's signature of a body that is forwarded as it came.
const META_SIGNATURE: &str = "x-hub-signature-256";

/// Calls of one endpoint at once.
pub(crate) const AT_ONCE: usize = 32;

/// How long calls may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallPace {
    /// Of one call.
    pub limits: Limits,
    /// After so long an endpoint is slow: what comes in waits until it answered.
    pub slow_after: Duration,
}

impl Default for CallPace {
    fn default() -> Self {
        Self { limits: Limits::WEBHOOK, slow_after: Duration::from_secs(1) }
    }
}

/// An endpoint with what its events are signed with.
#[derive(Debug, Clone)]
pub(crate) struct SigningEndpoint {
    pub(crate) tenant: TenantId,
    pub(crate) endpoint: Endpoint,
    pub(crate) keys: SigningKeys,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    pub(crate) outcome: CallOutcome,
    pub(crate) attempt: Attempt,
    /// How long the endpoint asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

impl WebhookDispatcher {
    /// Sends a delivery to its endpoint, signed at this moment.
    pub(crate) async fn call(
        &self,
        SigningEndpoint { endpoint, keys, .. }: &SigningEndpoint,
        delivery: &Delivery,
        body: Bytes,
    ) -> Called {
        let clock = self.store.clock();
        let (now, began) = (clock.now(), Instant::now());
        let headers = headers(keys, delivery, now, &body);
        let answered = match self.client.target(&endpoint.url) {
            Ok(target) => self.client.post(&target, headers, body, self.pace.limits).await,
            Err(refused) => Err(refused.into()),
        };
        let mut attempt = Attempt {
            at_ms: now.as_millisecond(),
            status: None,
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            error: None,
            answer: None,
        };
        let mut retry_after = None;
        match answered {
            Ok(answer) => {
                attempt.status = Some(answer.status);
                if !answer.is_success() {
                    retry_after = answer.retry_after(clock.now());
                    attempt.answer = Some(String::from_utf8_lossy(&answer.body).into_owned());
                }
            }
            Err(failure) => attempt.error = Some(failure.to_string()),
        }
        Called { outcome: CallOutcome::of(attempt.status), attempt, retry_after }
    }
}

fn headers(keys: &SigningKeys, delivery: &Delivery, now: jiff::Timestamp, body: &[u8]) -> HeaderMap {
    let id = delivery.event.as_str();
    let values = [
        ("content-type", "application/json".to_owned()),
        (ID_HEADER, id.to_owned()),
        (TIMESTAMP_HEADER, now.as_second().to_string()),
        (SIGNATURE_HEADER, keys.header(id, now, body)),
        (SEQUENCE_HEADER, delivery.sequence.to_string()),
        (TYPE_HEADER, delivery.kind.as_str().to_owned()),
    ];
    let forwarded = delivery.signature.iter().map(|signature| (META_SIGNATURE, signature.clone()));
    let all = values.into_iter().chain(forwarded);
    all.filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)))
        .collect()
}
