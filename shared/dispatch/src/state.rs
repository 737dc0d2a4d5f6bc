//! How an endpoint fares, and when it is looked at next. Interrupted between the two, an
//! endpoint is found by the due index.

use std::time::Duration;

use domain::TenantId;
use domain::webhook::catalog::WebhookDisabled;
use domain::webhook::{EndpointId, Event, EventData, HealthChange};
use jiff::Timestamp;
use queue::WebhookJob;
use store::outbox::Note;
use store::webhooks::EndpointState;

use crate::WebhookDispatcher;
use crate::call::SigningEndpoint;
use crate::verdict::{Verdict, earliest};
use ops::events::{EventPublisher, Transaction};
use ops::{Error, Result};

/// Longest delay that is left to the queue; a longer one is found in the due index.
const QUEUE_DELAY_MS: i64 = 900_000;
/// Tries against concurrent writers.
const TRIES: u32 = 10;

fn drain_job(tenant: &TenantId, id: EndpointId) -> WebhookJob {
    WebhookJob::Drain { tenant: tenant.to_string(), endpoint: id.0 }
}

impl WebhookDispatcher {
    /// Writes down how an endpoint fares after calls, and when it is looked at next.
    pub(crate) async fn settle(&self, target: &SigningEndpoint, verdict: &Verdict) -> Result<()> {
        let change = |before: &EndpointState, now: Timestamp| {
            if verdict.says_nothing_new(before, now) {
                return None;
            }
            let (health, change) = verdict.health(before.health, now);
            let mut after = EndpointState { health, ..*before };
            after.due_ms = earliest(before.due_ms, verdict.next_ms);
            if before.health.is_down() && !health.is_down() && before.due_ms.is_some() {
                // It recovered: everything that waits goes out at once.
                after.flush = true;
                after.due_ms = Some(now.as_millisecond());
            }
            Some((after, change))
        };
        let Some(after) = self.change(target, change).await? else { return Ok(()) };
        if let Some(due_ms) = after.due_ms.filter(|_| verdict.next_ms.is_some() || after.flush) {
            self.come_back(&target.tenant, target.endpoint.id, due_ms).await?;
        }
        Ok(())
    }

    /// Changes how an endpoint fares, against concurrent writers. Whoever disables
    /// it tells the tenant's other endpoints.
    async fn change(
        &self,
        target: &SigningEndpoint,
        change: impl Fn(&EndpointState, Timestamp) -> Option<(EndpointState, HealthChange)>,
    ) -> Result<Option<EndpointState>> {
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        for round in 0..TRIES {
            let before = self.store.endpoint_state(tenant, id).await?;
            let now = self.store.clock().now();
            let Some((after, changed)) = change(&before, now) else { return Ok(None) };
            match self.write(target, &before, after, changed, now).await {
                Err(Error { code: ops::Code::Conflict, .. }) => {
                    self.store.back_off(round).await;
                }
                done => return done.map(Some),
            }
        }
        Err(store::Error::Contended.into())
    }

    /// Puts `after` in the place of `before`; whoever disables an endpoint tells the others.
    pub(crate) async fn write(
        &self,
        target: &SigningEndpoint,
        before: &EndpointState,
        mut after: EndpointState,
        changed: HealthChange,
        now: Timestamp,
    ) -> Result<EndpointState> {
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        let (HealthChange::Disabled(reason), None) = (changed, before.disabled) else {
            let _nothing_told = self.store.write_state(tenant, id, before, &after, Note::none()).await?;
            return Ok(after);
        };
        after.disabled = Some(reason);
        after.due_ms = None;
        after.flush = false;
        let (name, at_ms) = (target.endpoint.name.clone(), now.as_millisecond());
        let data = WebhookDisabled { endpoint: id.0, name, reason: reason.as_str() };
        let data = EventData::WebhookDisabled(data);
        let event = Event::new(tenant, &[&id.to_string(), &at_ms.to_string()], at_ms, data);
        let publisher = EventPublisher { store: self.store.clone(), queues: self.queues.clone() };
        let events = publisher.caused_by(Transaction, tenant).await?;
        let written = self.store.write_state(tenant, id, before, &after, events.note(&event)).await?;
        tracing::warn!(%tenant, endpoint = %id, "an endpoint was disabled");
        events.publish(written).await;
        Ok(after)
    }

    /// Has an endpoint looked at by `due_ms` at the latest, unless it is disabled. What
    /// the look is to find must be written before.
    pub(crate) async fn look_at(&self, tenant: &TenantId, id: EndpointId, due_ms: i64) -> Result<()> {
        let now = self.store.clock().now_ms();
        let changed = self.store.change_state(tenant, id, |state| {
            let looks_later = state.due_ms.is_some_and(|due| due <= due_ms) && state.drained_until_ms <= now;
            if state.disabled.is_some() || looks_later {
                return None;
            }
            // Also when nothing changes: a look under way then begins anew.
            Some(EndpointState { due_ms: earliest(state.due_ms, Some(due_ms)), ..*state })
        });
        match changed.await? {
            Some((before, after)) if before.due_ms != after.due_ms => {
                self.come_back(tenant, id, due_ms).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Queues the look, when it is soon enough for the queue.
    pub(crate) async fn come_back(&self, tenant: &TenantId, id: EndpointId, due_ms: i64) -> Result<()> {
        let wait = (due_ms - self.store.clock().now_ms()).max(0);
        if wait > QUEUE_DELAY_MS {
            return Ok(());
        }
        // Whole seconds, and never too early.
        let delay = Duration::from_secs(u64::try_from((wait + 999) / 1_000).unwrap_or(0));
        Ok(self.queues.later(drain_job(tenant, id), 0, delay).await?)
    }
}
