//! What came of calls of an endpoint: of each delivery, and of all together.

use domain::webhook::{CallOutcome, EndpointHealth, HealthChange, NextAttempt, next_attempt};
use jiff::Timestamp;
use store::webhooks::{Attempt, Delivery, DeliveryProgress, EndpointState, Waiting};

use crate::WebhookDispatcher;
use crate::call::Called;

/// What calls of an endpoint came to, together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) delivered: u32,
    pub(crate) failed: u32,
    /// Those of `failed` that never failed before.
    pub(crate) first_failed: u32,
    /// It answered 410.
    pub(crate) gone: bool,
    /// When the first of what failed is to be sent again.
    pub(crate) next_ms: Option<i64>,
}

impl Verdict {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            delivered: self.delivered + other.delivered,
            failed: self.failed + other.failed,
            first_failed: self.first_failed + other.first_failed,
            gone: self.gone || other.gone,
            next_ms: earliest(self.next_ms, other.next_ms),
        }
    }

    /// Whether these are failures of an endpoint that is known to be down, and is
    /// looked at in time: many calls that hung end at once, and only some need to say so.
    pub(crate) fn says_nothing_new(&self, before: &EndpointState, now: Timestamp) -> bool {
        let looked_at = before.due_ms.is_some_and(|due| self.next_ms.is_none_or(|next| due <= next));
        let looking = before.drained_until_ms > now.as_millisecond();
        let only_failures = self.delivered == 0 && !self.gone;
        only_failures && before.health.is_down() && (before.disabled.is_some() || looked_at && !looking)
    }

    /// How the endpoint is after these calls. One that took anything is well.
    pub(crate) fn health(
        &self,
        mut health: EndpointHealth,
        now: Timestamp,
    ) -> (EndpointHealth, HealthChange) {
        if self.gone {
            return health.after(CallOutcome::Gone, now);
        }
        if self.delivered > 0 {
            return health.after(CallOutcome::Delivered, now);
        }
        let mut change = HealthChange::None;
        for _ in 0..self.failed {
            (health, change) = health.after(CallOutcome::Failed, now);
        }
        (health, change)
    }
}

/// What to write down of calls, beside the deliveries themselves.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) verdict: Verdict,
    pub(crate) attempts: Vec<(u64, u32, Attempt)>,
    pub(crate) waiting: Vec<Waiting>,
    /// No longer waiting.
    pub(crate) settled: Vec<u64>,
}

/// The earlier of two times, as far as there are any.
pub(crate) fn earliest(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

impl WebhookDispatcher {
    /// What came of calls: the deliveries as they are now, and what else to write.
    /// Each comes with how often it failed before.
    pub(crate) fn judge(
        &self,
        results: impl Iterator<Item = (Delivery, u32, Called)>,
    ) -> (Vec<Delivery>, Noted) {
        let (now, entropy) = (self.store.clock().now(), self.store.entropy());
        let mut noted = Noted::default();
        let mut rows = Vec::new();
        for (mut delivery, failures, called) in results {
            delivery.attempts += 1;
            delivery.last = Some(called.attempt.clone());
            if called.outcome == CallOutcome::Delivered {
                delivery.progress = DeliveryProgress::Delivered;
                noted.verdict.delivered += 1;
                noted.settled.push(delivery.sequence);
            } else {
                noted.verdict.failed += 1;
                noted.verdict.first_failed += u32::from(failures == 0);
                noted.verdict.gone |= called.outcome == CallOutcome::Gone;
                noted.attempts.push((delivery.sequence, delivery.attempts, called.attempt));
                let at = Timestamp::from_millisecond(delivery.at_ms).unwrap_or(now);
                match next_attempt(failures + 1, now, at, called.retry_after, entropy.fraction()) {
                    NextAttempt::At(next) => {
                        let next_ms = next.as_millisecond();
                        delivery.progress = DeliveryProgress::Waiting;
                        noted.verdict.next_ms = earliest(noted.verdict.next_ms, Some(next_ms));
                        let sequence = delivery.sequence;
                        noted.waiting.push(Waiting { sequence, failures: failures + 1, next_ms });
                    }
                    NextAttempt::Expired => {
                        delivery.progress = DeliveryProgress::Failed;
                        noted.settled.push(delivery.sequence);
                    }
                }
            }
            rows.push(delivery);
        }
        (rows, noted)
    }
}
