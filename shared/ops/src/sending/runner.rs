use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use domain::account::Number;
use domain::{CampaignId, ContactId, TenantId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use queue::SendJob;
use store::ledger::Row;
use store::runner::Lease;
use tokio::time::Instant;

use super::attempt::Line;
use super::flight::{Flight, Landing};
use super::lane::Lane;
use crate::{Error, Result, Sender};

/// Most recipients of a wave.
const WAVE: usize = 50;
/// Recipients that are read ahead at once.
const READ: usize = 200;
/// Waves under way at once.
const FLIGHTS: usize = 24;
/// A new wave is claimed when the turns given out reach no further than this.
const AHEAD: Duration = Duration::from_millis(150);
/// How often a lease is renewed, and lanes are looked at.
const RENEW: Duration = Duration::from_secs(3);
const REFRESH: Duration = Duration::from_millis(500);
/// Retries that wait in memory before new waves stop.
const MAX_WAITING: usize = 2_000;
/// A retry that is further away is waited for by the queue, not by the runner.
const PATIENCE_MS: i64 = 5_000;

/// Why a runner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to send on this number.
    Idle,
    /// Another runner sends on it.
    Busy,
    /// Its time was over; its successor is queued.
    HandedOver,
    /// Another runner took over, or the number is nobody's any more.
    Lost,
}

/// Sends what waits for a number, until nothing waits or `out_of_time` says so.
///
/// # Errors
/// [`crate::Code::Unavailable`]; what was claimed and not recorded becomes
/// `unknown` when the next runner takes over.
pub async fn run(
    sender: &Sender,
    tenant: &TenantId,
    phone_number_id: &str,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<Ended> {
    let store = &sender.store;
    let lease = match store.take_lease(tenant, phone_number_id).await {
        Ok(lease) => lease,
        Err(store::Error::Conflict) => return Ok(Ended::Busy),
        Err(error) => return Err(error.into()),
    };
    let ended = match number_of(sender, tenant, phone_number_id).await {
        Ok(Some((number, limit))) => {
            let line = Line::new(sender, tenant, &number, limit);
            // A runner's future is large: it lives on the heap.
            let ended = Box::pin(Runner::new(&line, &lease).run(out_of_time)).await;
            let late_ms = u64::try_from(line.pacer.lateness().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(target: "metric", name = "SlotLateness", value = late_ms, unit = "Milliseconds");
            ended
        }
        // Nobody owns the number any more: its campaigns wait for the sweep.
        Ok(None) => Ok((Ended::Lost, None)),
        Err(error) => Err(error),
    };
    store.release_lease(&lease).await?;
    let (ended, later) = ended?;
    // Whoever launched while we held the lease was turned away: look once more.
    let work_left = ended == Ended::HandedOver || !store.active(tenant, phone_number_id).await?.is_empty();
    if work_left && ended != Ended::Lost {
        let wake = SendJob::Wake { tenant: tenant.to_string(), phone_number_id: phone_number_id.to_owned() };
        sender.queues.wake(wake, generation + 1, later.unwrap_or(Duration::ZERO)).await?;
    }
    Ok(ended)
}

async fn number_of(
    sender: &Sender,
    tenant: &TenantId,
    phone_number_id: &str,
) -> Result<Option<(Number, Option<u64>)>> {
    let owner = sender.store.owner_of_number(phone_number_id).await?;
    let Some(owner) = owner.filter(|o| o.tenant == *tenant) else { return Ok(None) };
    let Some(account) = sender.store.account(tenant, owner.account).await? else { return Ok(None) };
    let limit = sender.store.tenant(tenant).await?.and_then(|t| t.plan.messages_per_day);
    Ok(account.whatsapp.filter(|n| n.phone_number_id == phone_number_id).map(|n| (n, limit)))
}

pub(super) struct Runner<'a> {
    pub(super) line: &'a Line<'a>,
    pub(super) lease: &'a Lease,
    pub(super) lanes: BTreeMap<CampaignId, Lane>,
    /// The order in which lanes draw.
    pub(super) turns: VecDeque<CampaignId>,
    /// Recipients that wait for a retry, the next one first.
    pub(super) due: BinaryHeap<Reverse<(i64, CampaignId, u64, ContactId)>>,
    pub(super) waiting: HashMap<(CampaignId, ContactId), Row>,
    /// Somebody else sends on this number by now.
    pub(super) lost: bool,
}

impl<'a> Runner<'a> {
    fn new(line: &'a Line<'a>, lease: &'a Lease) -> Self {
        Self {
            line,
            lease,
            lanes: BTreeMap::new(),
            turns: VecDeque::new(),
            due: BinaryHeap::new(),
            waiting: HashMap::new(),
            lost: false,
        }
    }

    /// Draws and lands waves. Whatever happens, waves under way are landed first.
    async fn run(mut self, out_of_time: impl Fn() -> bool) -> Result<(Ended, Option<Duration>)> {
        let mut flights = FuturesUnordered::new();
        let (mut renew_at, mut refresh_at) = (Instant::now() + RENEW, Instant::now());
        let mut failure: Option<Error> = None;
        let later = loop {
            let now = Instant::now();
            if now >= renew_at {
                renew_at = now + RENEW;
                keep(&mut failure, self.renew().await);
            }
            let over = self.lost || failure.is_some() || self.line.stopped.get().is_some() || out_of_time();
            if now >= refresh_at && !over {
                refresh_at = now + REFRESH;
                keep(&mut failure, self.refresh().await);
            }
            while !over && flights.len() < FLIGHTS && self.line.pacer.backlog() < AHEAD {
                match self.draw().await {
                    Ok(Some(flight)) => flights.push(flight.fly(self.line)),
                    Ok(None) => break,
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            if flights.is_empty() {
                if over || failure.is_some() {
                    break None;
                }
                match self.rest().await? {
                    Rest::Idle => break None,
                    Rest::Until(at) => tokio::time::sleep_until(at.min(refresh_at)).await,
                    Rest::Later(delay) => break Some(delay),
                }
                continue;
            }
            let pause = renew_at
                .min(refresh_at)
                .min(now + self.line.pacer.backlog().saturating_sub(AHEAD).max(Duration::from_millis(5)));
            tokio::select! {
                Some(landed) = flights.next() => match landed {
                    Ok(landing) => keep(&mut failure, self.land(landing).await),
                    Err(error) => failure = Some(error),
                },
                () = tokio::time::sleep_until(pause) => {}
            }
        };
        drop(flights);
        self.leave(failure, later).await
    }

    async fn leave(
        mut self,
        failure: Option<Error>,
        later: Option<Duration>,
    ) -> Result<(Ended, Option<Duration>)> {
        if let Some(code) = self.line.stopped.get() {
            self.stop_channel(code).await?;
        }
        let ids: Vec<CampaignId> = self.lanes.keys().copied().collect();
        for id in &ids {
            self.write_heads(*id).await?;
        }
        match failure {
            Some(error) => Err(error),
            None if self.lost => Ok((Ended::Lost, None)),
            None if self.lanes.is_empty() || self.line.stopped.get().is_some() => Ok((Ended::Idle, None)),
            None => Ok((Ended::HandedOver, later)),
        }
    }

    async fn renew(&mut self) -> Result<()> {
        match self.line.sender.store.renew_lease(self.lease).await {
            Ok(()) => Ok(()),
            Err(store::Error::Conflict) => {
                self.lost = true;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn wait(&mut self, campaign: CampaignId, block: u64, at_ms: i64, row: Row) {
        self.due.push(Reverse((at_ms, campaign, block, row.contact)));
        self.waiting.insert((campaign, row.contact), row);
    }

    /// The next wave, claimed; `None` when nothing can be sent right now.
    async fn draw(&mut self) -> Result<Option<Flight>> {
        if let Some(flight) = self.draw_retries().await? {
            return Ok(Some(flight));
        }
        if self.waiting.len() > MAX_WAITING {
            return Ok(None);
        }
        for _ in 0..self.turns.len() {
            let Some(id) = self.turns.pop_front() else { break };
            self.turns.push_back(id);
            let wants = self.lanes.get(&id).is_some_and(|lane| !lane.leaving && lane.unclaimed().is_some());
            if wants
                && self.may_send(id).await?
                && let Some(flight) = self.draw_wave(id).await?
            {
                return Ok(Some(flight));
            }
        }
        Ok(None)
    }

    /// Whether the campaign still sends; one that does not leaves its lane.
    async fn may_send(&mut self, id: CampaignId) -> Result<bool> {
        let stored = self.line.sender.store.campaign(self.line.tenant, id).await?;
        if stored.is_some_and(|s| s.campaign.state.is_active()) {
            return Ok(true);
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.leaving = true;
        }
        self.drop_lane(id).await?;
        Ok(false)
    }

    async fn draw_wave(&mut self, id: CampaignId) -> Result<Option<Flight>> {
        let (store, tenant) = (&self.line.sender.store, self.line.tenant);
        let wave = WAVE.min(usize::try_from(self.line.number.per_second).unwrap_or(WAVE)).max(1);
        let Some(lane) = self.lanes.get_mut(&id) else { return Ok(None) };
        while let Some(number) = lane.unclaimed() {
            let Some(block) = lane.blocks.get_mut(&number) else { return Ok(None) };
            if let Some(from) = block.read_from(wave) {
                let rows = store.rows_after(tenant, id, number, from, READ).await?;
                block.read_ahead(rows);
            }
            let (rows, taken) = block.peek(wave);
            let Some(to) = block.nth(taken) else {
                block.exhausted();
                continue;
            };
            match store.claim(tenant, id, &block.head_now(), to).await {
                Ok(()) => {}
                Err(store::Error::Conflict) => {
                    self.lost = true;
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
            let from = block.claimed(taken, to);
            if rows.is_empty() {
                block.settled(from);
                continue;
            }
            lane.flights += 1;
            self.line.pacer.promise(rows.len());
            return Ok(Some(Flight {
                campaign: id,
                account: lane.account,
                composer: lane.composer.clone(),
                rows: rows.into_iter().map(|row| (number, row)).collect(),
                wave: Some((number, from)),
            }));
        }
        Ok(None)
    }

    /// Retries whose time has come, claimed one by one.
    async fn draw_retries(&mut self) -> Result<Option<Flight>> {
        let now = self.line.sender.store.clock().now_ms();
        let Some(Reverse((at, id, ..))) = self.due.peek().copied() else { return Ok(None) };
        if at > now || !self.lanes.contains_key(&id) || !self.may_send(id).await? {
            return Ok(None);
        }
        let mut rows = Vec::new();
        while let Some(Reverse((at, campaign, block, contact))) = self.due.peek().copied() {
            if at > now || campaign != id || rows.len() == WAVE {
                break;
            }
            self.due.pop();
            let Some(row) = self.waiting.remove(&(campaign, contact)) else { continue };
            match self.line.sender.store.claim_row(self.line.tenant, id, &row).await {
                Ok(()) => rows.push((block, row)),
                Err(store::Error::Conflict) => self.retried(id, block),
                Err(error) => return Err(error.into()),
            }
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return Ok(None) };
        if rows.is_empty() {
            return Ok(None);
        }
        lane.flights += 1;
        self.line.pacer.promise(rows.len());
        let (account, composer) = (lane.account, lane.composer.clone());
        Ok(Some(Flight { campaign: id, account, composer, rows, wave: None }))
    }

    fn retried(&mut self, id: CampaignId, block: u64) {
        if let Some(block) = self.lanes.get_mut(&id).and_then(|lane| lane.blocks.get_mut(&block)) {
            block.retries = block.retries.saturating_sub(1);
        }
    }

    async fn land(&mut self, landing: Landing) -> Result<()> {
        let id = landing.campaign;
        for block in &landing.retried {
            self.retried(id, *block);
        }
        for (block, at_ms, row) in landing.again {
            if let Some(block) = self.lanes.get_mut(&id).and_then(|lane| lane.blocks.get_mut(&block)) {
                block.retries += 1;
            }
            self.wait(id, block, at_ms, row);
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return Ok(()) };
        lane.flights = lane.flights.saturating_sub(1);
        if let Some((number, from)) = landing.wave
            && let Some(block) = lane.blocks.get_mut(&number)
        {
            block.settled(from);
            if block.is_idle() && block.is_unwritten() {
                self.write_heads(id).await?;
            }
        }
        if let Some(reason) = landing.halt {
            self.pause(id, &reason).await?;
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.leaving = true;
            }
        }
        if self.lanes.get(&id).is_some_and(|lane| lane.leaving) {
            self.drop_lane(id).await?;
        }
        Ok(())
    }

    /// What to do when nothing is under way: finish what is done, wait for what
    /// comes soon, and leave the rest to the queue.
    async fn rest(&mut self) -> Result<Rest> {
        let done: Vec<CampaignId> = self.lanes.values().filter(|l| l.is_done()).map(|l| l.campaign).collect();
        for id in done {
            self.finish(id).await?;
        }
        if self.lanes.is_empty() {
            return Ok(Rest::Idle);
        }
        let now = self.line.sender.store.clock().now_ms();
        let planning = self.lanes.values().any(|lane| !lane.planned);
        let wait_ms = self.due.peek().map(|Reverse((at, ..))| (at - now).max(0));
        match wait_ms {
            Some(ms) if ms > PATIENCE_MS && !planning => {
                Ok(Rest::Later(Duration::from_millis(u64::try_from(ms).unwrap_or(0))))
            }
            wait_ms => {
                let soon = wait_ms.unwrap_or(PATIENCE_MS).clamp(1, 200);
                Ok(Rest::Until(Instant::now() + Duration::from_millis(u64::try_from(soon).unwrap_or(200))))
            }
        }
    }
}

enum Rest {
    Idle,
    Until(Instant),
    Later(Duration),
}

fn keep(failure: &mut Option<Error>, result: Result<()>) {
    if let Err(error) = result {
        failure.get_or_insert(error);
    }
}
