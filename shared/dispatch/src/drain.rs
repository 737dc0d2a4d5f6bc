//! Sending what waits for an endpoint. Interrupted, the lease of who drains runs out, and the
//! due index has it looked at again.

use domain::TenantId;
use domain::webhook::{DOWN_AFTER, EndpointId, HealthChange, KEPT_FOR};
use futures::stream::{self, StreamExt};
use store::webhooks::{DeliveryProgress, EndpointState, Waiting};

use crate::WebhookDispatcher;
use crate::call::{AT_ONCE, SigningEndpoint};
use crate::verdict::{Verdict, earliest};
use ops::{Error, Result};

/// How long whoever sends what waits has it to itself, in milliseconds; longer than
/// a run and one more call.
const LEASE_MS: i64 = 120_000;
/// Deliveries that are looked at together: called all at once, so that a page takes no
/// longer than a call, and a run ends in time.
const PAGE: usize = AT_ONCE;
/// Looks that begin anew because something came in.
const PASSES: usize = 5;

/// What a look at an endpoint came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// It was not time, or somebody else is at it.
    Nothing,
    /// What was due was sent.
    Done,
    /// Time was over: look again at once.
    More,
}

impl WebhookDispatcher {
    /// Sends what waits for an endpoint, if it is time, until `out_of_time`.
    ///
    /// # Errors
    /// [`ops::Code::Unavailable`]: look again.
    pub async fn drain(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        out_of_time: impl Fn() -> bool,
    ) -> Result<Drained> {
        let now = self.store.clock().now_ms();
        let leased = self.store.change_state(tenant, id, |state| {
            let due = state.due_ms.is_some_and(|due| due <= now) && state.disabled.is_none();
            let free = state.drained_until_ms <= now;
            (due && free).then_some(EndpointState { drained_until_ms: now + LEASE_MS, ..*state })
        });
        if leased.await?.is_none() {
            return Ok(Drained::Nothing);
        }
        let Some((endpoint, keys)) = self.store.endpoint_with_keys(tenant, id).await? else {
            self.store.forget_state(tenant, id).await?;
            return Ok(Drained::Nothing);
        };
        let target = SigningEndpoint { tenant: tenant.clone(), endpoint, keys };
        for _ in 0..PASSES {
            let before = self.store.endpoint_state(tenant, id).await?;
            let look = match target.endpoint.on {
                true => self.look(&target, &before, &out_of_time).await?,
                // Its owner switched it off: what waits goes out when it is on again.
                false => Look::default(),
            };
            let now = self.store.clock().now();
            let (health, changed) = match look.counts(&before) {
                true => look.verdict.health(before.health, now),
                false => (before.health, HealthChange::None),
            };
            let due_ms = if look.unfinished { Some(now.as_millisecond()) } else { look.next_ms };
            let flush = look.flush && look.unfinished;
            let after = EndpointState { health, due_ms, flush, drained_until_ms: 0, ..before };
            match self.write(&target, &before, after, changed, now).await {
                Ok(_) if look.unfinished => return Ok(Drained::More),
                Ok(after) => {
                    if let Some(due_ms) = after.due_ms {
                        self.come_back(tenant, id, due_ms).await?;
                    }
                    return Ok(Drained::Done);
                }
                // Something came in meanwhile.
                Err(Error { code: ops::Code::Conflict, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // Whoever changes it so often lets it be looked at again.
        self.store
            .change_state(tenant, id, |state| {
                Some(EndpointState { drained_until_ms: 0, due_ms: Some(now), ..*state })
            })
            .await?;
        Ok(Drained::More)
    }

    /// One pass over what waits.
    async fn look(
        &self,
        target: &SigningEndpoint,
        state: &EndpointState,
        out_of_time: &impl Fn() -> bool,
    ) -> Result<Look> {
        let mut look = Look { flush: state.flush, ..Look::default() };
        if state.health.is_down() && !look.flush {
            look.probe(self, target).await?;
            if look.verdict.delivered == 0 {
                return Ok(look);
            }
            look.flush = true;
            look.next_ms = None;
        }
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        let mut after = 0;
        loop {
            if out_of_time() {
                look.unfinished = true;
                return Ok(look);
            }
            let page = self.store.waiting(tenant, id, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(look) };
            after = last.sequence;
            let now = self.store.clock().now_ms();
            let (ready, later): (Vec<_>, Vec<_>) = page.into_iter().partition(|w| look.is_ready(w, now));
            look.next_ms = earliest(look.next_ms, later.iter().map(|w| w.next_ms).min());
            let verdict = self.resend(target, &ready).await?;
            look.next_ms = earliest(look.next_ms, verdict.next_ms);
            look.verdict = look.verdict.and(verdict);
            let counted = if look.flush { verdict.failed } else { verdict.first_failed };
            if verdict.delivered == 0 && counted >= DOWN_AFTER {
                // It is down again: the rest waits for the next probe.
                look.verdict = verdict;
                look.down = true;
                look.next_ms = verdict.next_ms;
                return Ok(look);
            }
        }
    }

    /// Calls the endpoint with deliveries that waited.
    async fn resend(&self, target: &SigningEndpoint, waiting: &[Waiting]) -> Result<Verdict> {
        if waiting.is_empty() {
            return Ok(Verdict::default());
        }
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        let rows = self.store.deliveries_of(tenant, id, waiting.iter().map(|w| w.sequence)).await?;
        let (kept_ms, now) = (kept_ms(), self.store.clock().now_ms());
        let mut over: Vec<u64> = Vec::new();
        let mut sending = Vec::new();
        for entry in waiting {
            match rows.iter().find(|row| row.sequence == entry.sequence) {
                Some(row) if row.progress == DeliveryProgress::Waiting && now - row.at_ms <= kept_ms => {
                    sending.push((row.clone(), entry.failures));
                }
                // Delivered, or forgotten; or whoever lets it wait is not done yet.
                Some(_) => over.push(entry.sequence),
                None => {}
            }
        }
        let calls = stream::iter(sending).map(|(row, failures)| async move {
            let called = match self.bodies.body(&row.body).await {
                Ok(body) => self.call(target, &row, body).await,
                Err(error) => return Err(error),
            };
            Ok((row, failures, called))
        });
        let called: Vec<Result<_>> = calls.buffered(AT_ONCE).collect().await;
        let mut failure = None;
        let results: Vec<_> =
            called.into_iter().filter_map(|c| c.map_err(|error| failure = Some(error)).ok()).collect();
        let (rows, mut noted) = self.judge(results.into_iter());
        noted.settled.extend(over);
        self.store.write_attempts(tenant, id, &noted.attempts).await?;
        for row in &rows {
            self.store.update_delivery(tenant, id, row).await?;
        }
        self.store.set_waiting(tenant, id, &noted.waiting).await?;
        self.store.drop_waiting(tenant, id, &noted.settled).await?;
        failure.map_or(Ok(noted.verdict), Err)
    }
}

fn kept_ms() -> i64 {
    i64::try_from(KEPT_FOR.as_millis()).unwrap_or(i64::MAX)
}

/// One pass over what waits.
#[derive(Debug, Default)]
struct Look {
    verdict: Verdict,
    /// When the next of what waits is to be sent.
    next_ms: Option<i64>,
    /// Everything is sent, whenever it was to be.
    flush: bool,
    /// Time was over before the end.
    unfinished: bool,
    /// It takes nothing any more.
    down: bool,
}

impl Look {
    /// A delivery whose time has come.
    fn is_ready(&self, waiting: &Waiting, now_ms: i64) -> bool {
        self.flush || waiting.next_ms <= now_ms
    }

    /// Whether what failed says something about the endpoint: an event that failed
    /// before, while others got through, does not.
    fn counts(&self, before: &EndpointState) -> bool {
        let called = self.verdict.delivered + self.verdict.failed > 0;
        let others = self.verdict.delivered > 0 || self.verdict.gone || self.down;
        called && (others || before.health.failures > 0)
    }

    /// Tries an endpoint that is down with its oldest and its newest delivery: one
    /// that it chokes on does not keep it down.
    async fn probe(&mut self, dispatcher: &WebhookDispatcher, target: &SigningEndpoint) -> Result<()> {
        let (store, tenant, id) = (&dispatcher.store, &target.tenant, target.endpoint.id);
        let mut probes = store.waiting(tenant, id, 0, 1).await?;
        let newest = store.newest_waiting(tenant, id).await?;
        probes.extend(newest.filter(|newest| probes.iter().all(|p| p.sequence != newest.sequence)));
        let oldest = probes.first().copied();
        let verdict = dispatcher.resend(target, &probes).await?;
        self.verdict = self.verdict.and(verdict);
        // The schedule is that of the one that waits longest.
        self.next_ms = match oldest {
            Some(oldest) => {
                let now = store.waiting(tenant, id, oldest.sequence - 1, 1).await?;
                now.first().map(|waiting| waiting.next_ms).or(verdict.next_ms)
            }
            None => None,
        };
        Ok(())
    }
}
