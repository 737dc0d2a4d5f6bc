//! The runner: it holds a sender's lease, renews it while it works, and lands every wave that it
//! claimed before it lets go. Wherever it dies, its successor takes over when the lease has
//! run out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use domain::{CampaignId, ContactId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use store::campaigns::Stored;
use store::ledger::Row;
use store::runner::Lease;
use tokio::time::Instant;

use super::attempt::SendContext;
use super::campaign::ActiveCampaign;
use super::compose::Composer;
use super::wave::WaveResult;
use crate::routes::resolve;
use ops::{Error, Result};

/// Waves under way at once.
const WAVES: usize = 24;
/// A new wave is claimed when the turns given out reach no further than this.
const AHEAD: Duration = Duration::from_millis(150);
/// How often a lease is renewed, and after how long without it another may have it:
/// less than it lasts, for what is under way meanwhile.
const RENEW: Duration = Duration::from_secs(3);
const OVERDUE: Duration = Duration::from_secs(8);
/// How often the sender is looked at: its owner may have changed it.
const REROUTE: Duration = Duration::from_secs(5);
/// How often campaigns are looked for; less and less often while there is no news.
const REFRESH: Duration = Duration::from_millis(500);
const MAX_REFRESH: Duration = Duration::from_secs(5);
/// What is further away is waited for by the queue, not by the runner.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Why a campaign is paused that nothing is left for of the plan's messages.
pub(super) const SHORT: &str = "plan_limit: the plan's messages of today are used up";

/// Why a runner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to send from here.
    Idle,
    /// Another runner sends on it, or is queued for later.
    Busy,
    /// Its time was over, or what comes next is later; its successor is queued.
    HandedOver,
    /// Another runner took over, or the sender is nobody's any more.
    Lost,
}

/// How a runner ended, and what the next one should know.
#[derive(Debug)]
pub(super) struct RunResult {
    pub(super) ended: Ended,
    /// When there is something to do again, if that is known.
    pub(super) later: Option<Duration>,
    /// Whether anything was done.
    pub(super) progress: bool,
    pub(super) failure: Option<Error>,
}

impl RunResult {
    /// Nothing was done.
    pub(super) fn of(ended: Ended) -> Self {
        Self { ended, later: None, progress: false, failure: None }
    }
}

/// A runner of a sender, for as long as it has the lease.
pub(super) struct Runner<'a> {
    pub(super) line: &'a SendContext<'a>,
    pub(super) lease: &'a Lease,
    pub(super) campaigns: BTreeMap<CampaignId, ActiveCampaign>,
    /// The order in which campaigns draw.
    pub(super) turns: VecDeque<CampaignId>,
    /// Recipients that wait for a retry, the next one first.
    pub(super) due: BinaryHeap<Reverse<(i64, CampaignId, u64, ContactId)>>,
    pub(super) waiting: HashMap<(CampaignId, ContactId), Row>,
    /// Campaigns whose message could not be made ready, until when they are left alone.
    pub(super) unready: BTreeMap<CampaignId, Instant>,
    /// Campaigns whose message is to be made ready: files of ours may have to be uploaded,
    /// which must hold up nobody else.
    pub(super) unprepared: Vec<Stored>,
    /// Those and the ones whose message is being made ready.
    pub(super) preparing: BTreeSet<CampaignId>,
    /// Somebody else sends from here by now.
    pub(super) lost: bool,
    /// How often the sender had been changed by its owner.
    pub(super) changes: u64,
    /// The sender is another one by now, or gone.
    pub(super) rerouted: bool,
    /// Why it cannot go on.
    pub(super) failure: Option<Error>,
    /// Whether anything was done.
    pub(super) progress: bool,
    /// When there was last something to do.
    pub(super) news: Instant,
    renewed: Instant,
    tried: Instant,
    routed: Instant,
}

/// What to do when nothing is under way.
pub(super) enum Rest {
    Idle,
    Until(Instant),
    Later(Duration),
}

/// A wave, or a campaign's message that is made ready.
type UnderWay<'a> = Pin<Box<dyn Future<Output = Landing> + Send + 'a>>;

/// What was under way, and is done.
enum Landing {
    Landed(WaveResult),
    Prepared(Box<Stored>, Box<Result<Composer>>),
}

impl<'a> Runner<'a> {
    pub(super) fn new(line: &'a SendContext<'a>, lease: &'a Lease) -> Self {
        let now = Instant::now();
        Self {
            line,
            lease,
            campaigns: BTreeMap::new(),
            turns: VecDeque::new(),
            due: BinaryHeap::new(),
            waiting: HashMap::new(),
            unready: BTreeMap::new(),
            unprepared: Vec::new(),
            preparing: BTreeSet::new(),
            lost: false,
            changes: lease.changes,
            rerouted: false,
            failure: None,
            progress: false,
            news: now,
            renewed: now,
            tried: now,
            routed: now,
        }
    }

    /// The first failure is the reason.
    pub(super) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    /// Draws and lands waves. Whatever happens, waves under way are landed first.
    pub(super) async fn run(mut self, out_of_time: impl Fn() -> bool) -> RunResult {
        let mut under_way: FuturesUnordered<UnderWay<'a>> = FuturesUnordered::new();
        let mut waves = 0;
        let (mut refresh_at, mut pause) = (Instant::now(), REFRESH);
        let later = loop {
            self.keep_lease().await;
            self.keep_route().await;
            let is_over = self.lost
                || self.rerouted
                || self.failure.is_some()
                || self.line.stopped().is_some()
                || out_of_time();
            if Instant::now() >= refresh_at {
                let news = if is_over { Ok(false) } else { self.refresh().await };
                match news {
                    Ok(true) => (pause, self.news) = (REFRESH, Instant::now()),
                    Ok(false) => pause = (pause * 3 / 2).min(MAX_REFRESH),
                    Err(error) => self.fail(error),
                }
                refresh_at = Instant::now() + pause;
            }
            while !is_over
                && self.failure.is_none()
                && waves < WAVES
                && self.line.pacer.backlog() < AHEAD
                && let Some(wave) = self.draw().await
            {
                (self.progress, self.news) = (true, Instant::now());
                waves += 1;
                let line = self.line;
                under_way.push(Box::pin(async move { Landing::Landed(wave.deliver(line).await) }));
            }
            under_way.extend(self.prepare());
            if under_way.is_empty() {
                if is_over || self.lost || self.failure.is_some() {
                    break None;
                }
                match self.rest(refresh_at).await {
                    Rest::Idle => break None,
                    Rest::Until(at) => tokio::time::sleep_until(at).await,
                    Rest::Later(delay) => break Some(delay),
                }
                continue;
            }
            let soon = self.line.pacer.backlog().saturating_sub(AHEAD).max(Duration::from_millis(5));
            let pause = refresh_at.min(Instant::now() + soon);
            tokio::select! {
                Some(done) = under_way.next() => match done {
                    Landing::Landed(result) => {
                        waves -= 1;
                        self.land(result).await;
                    }
                    Landing::Prepared(stored, composer) => self.prepared(*stored, *composer).await,
                },
                () = tokio::time::sleep_until(pause) => {}
            }
        };
        drop(under_way);
        self.leave(later).await
    }

    /// Campaigns whose message is to be made ready, on their way.
    fn prepare(&mut self) -> impl Iterator<Item = UnderWay<'a>> + use<'a> {
        let line = self.line;
        std::mem::take(&mut self.unprepared).into_iter().map(move |stored| -> UnderWay<'a> {
            Box::pin(async move {
                let composer = Composer::of(line.services, line.tenant, line.route, &stored).await;
                Landing::Prepared(Box::new(stored), Box::new(composer))
            })
        })
    }

    async fn leave(mut self, later: Option<Duration>) -> RunResult {
        if let Some(reason) = self.line.stopped()
            && let Err(error) = self.stop_sender(reason).await
        {
            self.fail(error);
        }
        if self.failure.is_none() && !self.lost {
            self.rest_blocks(Duration::ZERO).await;
            for id in self.campaigns.keys().copied().collect::<Vec<_>>() {
                if let Err(error) = self.leave_blocks(id).await {
                    self.fail(error);
                }
            }
        }
        let idle = self.campaigns.is_empty() && self.unready.is_empty() && self.preparing.is_empty();
        let ended = match self.failure {
            Some(_) => Ended::HandedOver,
            None if self.lost => Ended::Lost,
            None if idle => Ended::Idle,
            None => Ended::HandedOver,
        };
        RunResult { ended, later, progress: self.progress, failure: self.failure }
    }

    /// Renews the lease when it is time. One that cannot be renewed for too long may be
    /// somebody else's.
    pub(super) async fn keep_lease(&mut self) {
        if self.tried.elapsed() < RENEW || self.lost {
            return;
        }
        self.tried = Instant::now();
        match self.line.services.store.renew_lease(self.lease).await {
            Ok(()) => self.renewed = self.tried,
            Err(store::Error::Conflict) => self.lost = true,
            Err(error) => {
                tracing::warn!(tenant = %self.line.tenant, %error, "a lease could not be renewed");
                self.tried = Instant::now().checked_sub(RENEW - RENEW / 4).unwrap_or_else(Instant::now);
                self.lost |= self.renewed.elapsed() >= OVERDUE;
            }
        }
    }

    /// Looks now and then whether the sender is what it was, though nobody said that it was
    /// changed: whoever changed it may have been interrupted.
    async fn keep_route(&mut self) {
        if self.routed.elapsed() < REROUTE || self.rerouted {
            return;
        }
        if let Err(error) = self.is_route(self.changes).await {
            let code = error.code.as_str();
            tracing::debug!(tenant = %self.line.tenant, code, "a sender is taken for what it was");
        }
    }

    /// Whether the sender is what it was, after so many changes: a successor sends from what
    /// it is now.
    pub(super) async fn is_route(&mut self, changes: u64) -> Result<bool> {
        self.routed = Instant::now();
        let line = self.line;
        let route = resolve(line.services, line.tenant, &line.route.sender.id).await?;
        let is_same = route.is_some_and(|route| route.is(line.route));
        self.rerouted |= !is_same;
        self.changes = changes;
        Ok(is_same)
    }

    /// A block is somebody else's. When its campaign no longer sends, whoever winds it up
    /// took it; else another runner sends from here.
    pub(super) async fn fenced(&mut self, id: CampaignId) -> Result<()> {
        let stored = self.line.services.store.campaign(self.line.tenant, id).await?;
        match self.campaigns.get_mut(&id).filter(|_| !stored.is_some_and(|s| s.campaign.state.is_active())) {
            Some(active) => active.leaving = true,
            None => self.lost = true,
        }
        Ok(())
    }

    pub(super) fn wait(&mut self, campaign: CampaignId, block: u64, at_ms: i64, row: Row) {
        if self.waiting.contains_key(&(campaign, row.contact)) {
            return;
        }
        if let Some(block) =
            self.campaigns.get_mut(&campaign).and_then(|active| active.blocks.get_mut(&block))
        {
            block.waiting += 1;
            self.due.push(Reverse((at_ms, campaign, block.head.block, row.contact)));
            self.waiting.insert((campaign, row.contact), row);
        }
    }

    async fn land(&mut self, result: WaveResult) {
        let WaveResult { landed, again, short, failure, seen: _ } = result;
        for ((id, number), count) in &landed {
            if let Some(block) = self.campaigns.get_mut(id).and_then(|active| active.blocks.get_mut(number)) {
                block.under_way = block.under_way.saturating_sub(*count);
            }
        }
        if let Some(error) = failure {
            self.fail(error);
        }
        for (id, block, at_ms, row) in again {
            self.wait(id, block, at_ms, row);
        }
        let mut ids: Vec<CampaignId> = landed.into_keys().map(|(id, _)| id).collect();
        ids.dedup();
        for id in ids {
            if let Err(error) = self.after_wave(id, short.contains(&id)).await {
                self.fail(error);
            }
        }
    }

    /// One that went short of the plan's messages waits for its owner; other waves of it
    /// that have theirs are sent.
    async fn after_wave(&mut self, id: CampaignId, is_short: bool) -> Result<()> {
        let short = || is_short.then(|| SHORT.to_owned());
        if let Some(reason) = self.line.halted(id).or_else(short) {
            self.pause(id, &reason).await?;
            if let Some(active) = self.campaigns.get_mut(&id) {
                active.leaving = true;
            }
        }
        if self.campaigns.get(&id).is_some_and(|active| active.leaving) {
            self.drop_campaign(id).await?;
        }
        Ok(())
    }
}
