use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use domain::account::Number;
use domain::campaign::CampaignState;
use domain::{CampaignId, ContactId, TenantId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use queue::SendJob;
use store::ledger::Row;
use store::runner::Lease;
use tokio::time::Instant;

use super::attempt::Line;
use super::compose::Composer;
use super::flight::{Flight, Landing};
use super::lane::Lane;
use super::recovery::adopt;
use crate::campaigns::sweep_cancelled;
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
    /// Another runner took over.
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
    let ended = match number_of(sender, tenant, phone_number_id).await? {
        Some((number, limit)) => {
            let line = Line::new(sender, tenant, &number, limit);
            Runner::new(&line, &lease).run(out_of_time).await
        }
        None => Ok((Ended::Idle, None)),
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

struct Runner<'a> {
    line: &'a Line<'a>,
    lease: &'a Lease,
    lanes: BTreeMap<CampaignId, Lane>,
    /// The order in which lanes draw.
    turns: VecDeque<CampaignId>,
    /// Recipients that wait for a retry, the next one first.
    due: BinaryHeap<Reverse<(i64, CampaignId, u64, ContactId)>>,
    waiting: HashMap<(CampaignId, ContactId), Row>,
    /// Somebody else sends on this number by now.
    lost: bool,
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
            let pause = renew_at.min(refresh_at).min(now + self.line.pacer.backlog().saturating_sub(AHEAD).max(Duration::from_millis(5)));
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

    async fn leave(mut self, failure: Option<Error>, later: Option<Duration>) -> Result<(Ended, Option<Duration>)> {
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

    /// Takes up campaigns that were launched or resumed, and blocks that were
    /// planned, since the last look.
    async fn refresh(&mut self) -> Result<()> {
        let store = &self.line.sender.store;
        let tenant = self.line.tenant;
        for id in store.active(tenant, &self.line.number.phone_number_id).await? {
            if self.lanes.get(&id).is_some_and(|lane| lane.planned || lane.leaving) {
                continue;
            }
            let stored = store.campaign(tenant, id).await?;
            let Some(stored) = stored.filter(|s| s.campaign.state.is_active()) else {
                store.deactivate(tenant, &self.line.number.phone_number_id, id).await?;
                continue;
            };
            if !self.lanes.contains_key(&id) {
                let composer = match Composer::of(self.line.sender, tenant, self.line.number, &stored).await {
                    Ok(composer) => composer,
                    Err(error) if error.code.is_server_error() => return Err(error),
                    Err(error) => {
                        self.pause(id, &error.message).await?;
                        continue;
                    }
                };
                let account = stored.campaign.account;
                let blocks = BTreeMap::new();
                let lane =
                    Lane { campaign: id, account, composer, planned: false, leaving: false, flights: 0, blocks };
                self.lanes.insert(id, lane);
                self.turns.push_back(id);
            }
            self.take_up_blocks(id).await?;
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.planned = stored.campaign.state == CampaignState::Running;
            }
        }
        Ok(())
    }

    async fn take_up_blocks(&mut self, id: CampaignId) -> Result<()> {
        let store = &self.line.sender.store;
        for head in store.heads_of(self.line.tenant, id).await? {
            let known = self.lanes.get(&id).is_some_and(|lane| lane.blocks.contains_key(&head.block));
            if known || !head.has_work() {
                continue;
            }
            match adopt(store, self.line.tenant, id, &head, self.lease.epoch).await? {
                None => self.lost = true,
                Some((block, waiting)) => {
                    let number = block.head.block;
                    if let Some(lane) = self.lanes.get_mut(&id) {
                        lane.blocks.insert(number, block);
                    }
                    for row in waiting {
                        self.wait(id, number, row.retry_at.unwrap_or(0), row);
                    }
                }
            }
        }
        Ok(())
    }

    fn wait(&mut self, campaign: CampaignId, block: u64, at_ms: i64, row: Row) {
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
            if wants && self.may_send(id).await?
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

    /// Writes down how far the blocks of a campaign are settled.
    async fn write_heads(&mut self, id: CampaignId) -> Result<()> {
        let store = &self.line.sender.store;
        let Some(lane) = self.lanes.get_mut(&id) else { return Ok(()) };
        for block in lane.blocks.values_mut().filter(|b| b.is_unwritten()) {
            match store.settle_head(self.line.tenant, id, &block.head_now()).await {
                Ok(()) => block.wrote(),
                Err(store::Error::Conflict) => self.lost = true,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Lets a lane go once its last wave has landed.
    async fn drop_lane(&mut self, id: CampaignId) -> Result<()> {
        if self.lanes.get(&id).is_none_or(|lane| lane.flights > 0) {
            return Ok(());
        }
        self.write_heads(id).await?;
        self.lanes.remove(&id);
        self.turns.retain(|turn| *turn != id);
        self.due.retain(|Reverse((_, campaign, ..))| *campaign != id);
        self.waiting.retain(|(campaign, _), _| *campaign != id);
        let (sender, tenant) = (self.line.sender, self.line.tenant);
        let state = sender.store.campaign(tenant, id).await?.map(|s| s.campaign.state);
        if state == Some(CampaignState::Cancelled) {
            sweep_cancelled(sender, tenant, id).await?;
        }
        if !state.is_some_and(CampaignState::is_active) {
            sender.store.deactivate(tenant, &self.line.number.phone_number_id, id).await?;
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

    /// Ends a campaign that has nobody left to send to.
    async fn finish(&mut self, id: CampaignId) -> Result<()> {
        let (store, tenant) = (&self.line.sender.store, self.line.tenant);
        self.write_heads(id).await?;
        let counts = store.counts(tenant, id, true).await?;
        use domain::recipient::State;
        if counts.of(State::Pending) + counts.of(State::Claimed) == 0 {
            let (from, to) = (CampaignState::Running, CampaignState::Finished);
            match store.transition_campaign(tenant, id, from, to, None).await {
                Ok(()) | Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A lane that is not finished is taken up anew, and recovered.
        self.drop_lane(id).await
    }

    async fn pause(&self, id: CampaignId, reason: &str) -> Result<()> {
        let (store, tenant) = (&self.line.sender.store, self.line.tenant);
        tracing::warn!(%tenant, campaign = %id, "a campaign is paused by its provider");
        for from in [CampaignState::Running, CampaignState::Planning] {
            match store.transition_campaign(tenant, id, from, CampaignState::Paused, Some(reason)).await {
                Ok(()) => break,
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Pauses every campaign of the number: nothing can be sent on it until its
    /// owner acts.
    async fn stop_channel(&mut self, code: i64) -> Result<()> {
        let reason = format!("the number cannot send: WhatsApp answered with code {code}");
        let ids: Vec<CampaignId> = self.lanes.keys().copied().collect();
        for id in ids {
            self.pause(id, &reason).await?;
            self.drop_lane(id).await?;
        }
        Ok(())
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
