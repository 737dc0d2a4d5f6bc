//! What waits for an endpoint, and how the endpoint fares.

use std::time::Duration;

use domain::TenantId;
use domain::webhook::{Change, DOWN_AFTER, EndpointId, Health, KEPT_FOR, Next, Outcome, next_attempt};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use queue::WebhookJob;
use store::webhooks::{Attempt, Delivery, Progress, State, Waiting};

use crate::WebhookDispatcher;
use crate::call::Called;
use crate::deliver::{AT_ONCE, Target};
use ops::events::{EventPublisher, facts_of, webhook_disabled};
use ops::{Error, Result};

/// Longest delay that is left to the queue; a longer one is found in the due index.
const QUEUE_DELAY_MS: i64 = 900_000;
/// How long whoever sends what waits has it to itself, in milliseconds; longer than
/// a run and one more call.
const LEASE_MS: i64 = 120_000;
/// Deliveries that are looked at together: called all at once, so that a page takes no
/// longer than a call, and a run ends in time.
const PAGE: usize = AT_ONCE;
/// Looks that begin anew because something came in.
const PASSES: usize = 5;
/// Tries against concurrent writers.
const TRIES: u32 = 10;

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
    fn says_nothing_new(&self, before: &State, now: Timestamp) -> bool {
        let looked_at = before.due_ms.is_some_and(|due| self.next_ms.is_none_or(|next| due <= next));
        let looking = before.drained_until_ms > now.as_millisecond();
        let only_failures = self.delivered == 0 && !self.gone;
        only_failures && before.health.is_down() && (before.disabled.is_some() || looked_at && !looking)
    }

    /// How the endpoint is after these calls. One that took anything is well.
    fn health(&self, mut health: Health, now: Timestamp) -> (Health, Change) {
        if self.gone {
            return health.after(Outcome::Gone, now);
        }
        if self.delivered > 0 {
            return health.after(Outcome::Delivered, now);
        }
        let mut change = Change::None;
        for _ in 0..self.failed {
            (health, change) = health.after(Outcome::Failed, now);
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

fn earliest(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

fn drain_job(tenant: &TenantId, id: EndpointId) -> WebhookJob {
    WebhookJob::Drain { tenant: tenant.to_string(), endpoint: id.0 }
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
            if called.outcome == Outcome::Delivered {
                delivery.progress = Progress::Delivered;
                noted.verdict.delivered += 1;
                noted.settled.push(delivery.sequence);
            } else {
                noted.verdict.failed += 1;
                noted.verdict.first_failed += u32::from(failures == 0);
                noted.verdict.gone |= called.outcome == Outcome::Gone;
                noted.attempts.push((delivery.sequence, delivery.attempts, called.attempt));
                let at = Timestamp::from_millisecond(delivery.at_ms).unwrap_or(now);
                match next_attempt(failures + 1, now, at, called.retry_after, entropy.fraction()) {
                    Next::At(next) => {
                        let next_ms = next.as_millisecond();
                        delivery.progress = Progress::Waiting;
                        noted.verdict.next_ms = earliest(noted.verdict.next_ms, Some(next_ms));
                        let sequence = delivery.sequence;
                        noted.waiting.push(Waiting { sequence, failures: failures + 1, next_ms });
                    }
                    Next::Expired => {
                        delivery.progress = Progress::Failed;
                        noted.settled.push(delivery.sequence);
                    }
                }
            }
            rows.push(delivery);
        }
        (rows, noted)
    }

    /// Writes down how an endpoint fares after calls, and when it is looked at next.
    pub(crate) async fn settle(&self, target: &Target, verdict: &Verdict) -> Result<()> {
        let change = |before: &State, now: Timestamp| {
            if verdict.says_nothing_new(before, now) {
                return None;
            }
            let (health, change) = verdict.health(before.health, now);
            let mut after = State { health, ..*before };
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
        target: &Target,
        change: impl Fn(&State, Timestamp) -> Option<(State, Change)>,
    ) -> Result<Option<State>> {
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

    async fn write(
        &self,
        target: &Target,
        before: &State,
        mut after: State,
        changed: Change,
        now: Timestamp,
    ) -> Result<State> {
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        let mut note = None;
        if let (Change::Disabled(reason), None) = (changed, before.disabled) {
            after.disabled = Some(reason);
            after.due_ms = None;
            after.flush = false;
            let (name, at) = (&target.endpoint.name, now.as_millisecond());
            let event = webhook_disabled(tenant, id.0, name, reason.as_str(), at);
            note = Some(self.store.entry(tenant, facts_of(&event)));
        }
        self.store.write_state(tenant, id, before, &after, note.as_ref()).await?;
        if let Some(note) = note {
            tracing::warn!(%tenant, endpoint = %id, "an endpoint was disabled");
            let publisher = EventPublisher { store: self.store.clone(), queues: self.queues.clone() };
            publisher.publish_now(&[note]).await;
        }
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
            Some(State { due_ms: earliest(state.due_ms, Some(due_ms)), ..*state })
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
            (due && free).then_some(State { drained_until_ms: now + LEASE_MS, ..*state })
        });
        if leased.await?.is_none() {
            return Ok(Drained::Nothing);
        }
        let Some((endpoint, keys)) = self.store.endpoint_with_keys(tenant, id).await? else {
            self.store.forget_state(tenant, id).await?;
            return Ok(Drained::Nothing);
        };
        let target = Target { tenant: tenant.clone(), endpoint, keys };
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
                false => (before.health, Change::None),
            };
            let due_ms = if look.unfinished { Some(now.as_millisecond()) } else { look.next_ms };
            let flush = look.flush && look.unfinished;
            let after = State { health, due_ms, flush, drained_until_ms: 0, ..before };
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
                Some(State { drained_until_ms: 0, due_ms: Some(now), ..*state })
            })
            .await?;
        Ok(Drained::More)
    }

    /// One pass over what waits.
    async fn look(&self, target: &Target, state: &State, out_of_time: &impl Fn() -> bool) -> Result<Look> {
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
    async fn resend(&self, target: &Target, waiting: &[Waiting]) -> Result<Verdict> {
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
                Some(row) if row.progress == Progress::Waiting && now - row.at_ms <= kept_ms => {
                    sending.push((row.clone(), entry.failures));
                }
                // Delivered, or forgotten; or whoever lets it wait is not done yet.
                Some(_) => over.push(entry.sequence),
                None => {}
            }
        }
        let calls = stream::iter(sending).map(|(row, failures)| async move {
            let called = match self.bodies.body(&row.body).await {
                Ok(body) => self.call(&target.endpoint, &target.keys, &row, body).await,
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
    fn counts(&self, before: &State) -> bool {
        let called = self.verdict.delivered + self.verdict.failed > 0;
        let others = self.verdict.delivered > 0 || self.verdict.gone || self.down;
        called && (others || before.health.failures > 0)
    }

    /// Tries an endpoint that is down with its oldest and its newest delivery: one
    /// that it chokes on does not keep it down.
    async fn probe(&mut self, dispatcher: &WebhookDispatcher, target: &Target) -> Result<()> {
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
