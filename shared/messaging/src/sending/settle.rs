//! What a runner does between waves: taking campaigns and blocks up, winding up what is
//! done, and letting campaigns go.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::CampaignId;
use domain::account::ContactPolicy;
use domain::campaign::CampaignState;
use domain::outcome::Reason;
use domain::recipient::State;
use futures::future::try_join_all;
use store::campaigns::Stored;
use store::contacts::block_of;
use store::ledger::{Head, Left, Row, RowOutcome};
use tokio::time::Instant;

use super::campaign::{ActiveCampaign, Block};
use super::compose::Composer;
use super::runner::{PATIENCE, Rest, Runner};
use crate::campaigns::{end, stop_sending};
use ops::Result;
use ops::eligibility::{By, Terms};
use ops::events::EventPublisher;

/// Retries that are further away than this do not wait in memory.
const REST: Duration = Duration::from_secs(60);
/// When a campaign is looked at again whose message could not be made ready.
const UNREADY: Duration = Duration::from_secs(10);
/// When work that cannot be drawn at the moment is tried again.
const SOON: Duration = Duration::from_millis(200);

impl Runner<'_> {
    /// Takes up campaigns that were launched or resumed, and blocks that were planned or
    /// opened again, since the last look, and winds up what is done. Answers whether
    /// anything was new.
    pub(super) async fn refresh(&mut self) -> Result<bool> {
        let (store, tenant) = (&self.line.services.store, self.line.tenant);
        let now = Instant::now();
        self.unready.retain(|_, until| *until > now);
        let listed = store.active(tenant, &self.line.route.sender.id).await?;
        let settled = |active: &ActiveCampaign| active.complete || active.leaving;
        let wanted: BTreeSet<CampaignId> = listed
            .into_iter()
            .filter(|id| !self.campaigns.get(id).is_some_and(settled))
            .filter(|id| !self.unready.contains_key(id) && !self.preparing.contains(id))
            .collect();
        let mut stored = match wanted.is_empty() {
            true => Vec::new(),
            false => store.campaigns_of(tenant, &wanted).await?,
        };
        stored.retain(|stored| stored.campaign.state.is_active());
        let live: BTreeSet<CampaignId> = stored.iter().map(|stored| stored.campaign.id).collect();
        for id in wanted.difference(&live) {
            match self.campaigns.get_mut(id) {
                Some(active) => active.leaving = true,
                None => store.deactivate(tenant, &self.line.route.sender.id, *id).await?,
            }
            self.drop_campaign(*id).await?;
        }
        let before = self.work();
        let (known, new): (Vec<Stored>, Vec<Stored>) =
            stored.into_iter().partition(|stored| self.campaigns.contains_key(&stored.campaign.id));
        for stored in new {
            self.preparing.insert(stored.campaign.id);
            self.unprepared.push(stored);
        }
        self.take_up(known).await?;
        self.wake_resting();
        self.settle().await?;
        Ok(self.work() != before)
    }

    /// A measure of what there is to do.
    fn work(&self) -> (usize, usize) {
        (
            self.campaigns.len() + self.preparing.len(),
            self.campaigns.values().map(|active| active.unopened.len() + active.blocks.len()).sum(),
        )
    }

    async fn take_up(&mut self, stored: Vec<Stored>) -> Result<()> {
        let (store, tenant) = (&self.line.services.store, self.line.tenant);
        // Their states were read before the heads: of a complete one, every head is seen.
        let heads = stored.iter().map(|stored| store.heads_of(tenant, stored.campaign.id));
        let heads: Vec<Vec<Head>> = try_join_all(heads).await?;
        let now_ms = store.clock().now_ms();
        for (stored, heads) in stored.into_iter().zip(heads) {
            if let Some(active) = self.campaigns.get_mut(&stored.campaign.id) {
                heads.into_iter().for_each(|head| active.see(head, now_ms));
                active.complete = stored.is_complete();
            }
            self.keep_lease().await;
        }
        Ok(())
    }

    /// Takes a campaign up whose message was made ready. What the provider cannot do at
    /// the moment pauses nothing.
    pub(super) async fn prepared(&mut self, stored: Stored, composer: Result<Composer>) {
        let campaign = stored.campaign.id;
        self.preparing.remove(&campaign);
        let taken_up = match composer {
            Ok(composer) => self.begin(stored, composer).await,
            Err(error) if error.code.is_temporary() => {
                let code = error.code.as_str();
                tracing::warn!(tenant = %self.line.tenant, %campaign, code, "a campaign's message is not ready");
                self.unready.insert(campaign, Instant::now() + UNREADY);
                Ok(())
            }
            Err(error) => self.pause(campaign, &error.message).await,
        };
        if let Err(error) = taken_up {
            self.fail(error);
        }
    }

    async fn begin(&mut self, stored: Stored, composer: Composer) -> Result<()> {
        let (store, account) = (&self.line.services.store, stored.campaign.account);
        let policy = store.contact_policy(self.line.tenant, account).await?;
        self.add_campaign(&stored, composer, &policy);
        self.take_up(vec![stored]).await
    }

    fn add_campaign(&mut self, stored: &Stored, composer: Composer, policy: &ContactPolicy) {
        let (campaign, account) = (stored.campaign.id, stored.campaign.account);
        let active = ActiveCampaign {
            campaign,
            account,
            composer: Arc::new(composer),
            terms: Arc::new(Terms::of(stored, By::Planned).within(policy)),
            losses: stored.losses,
            complete: false,
            leaving: false,
            unopened: VecDeque::new(),
            resting: BTreeMap::new(),
            blocks: BTreeMap::new(),
            closed: BTreeMap::new(),
        };
        self.campaigns.insert(campaign, active);
        self.turns.push_back(campaign);
    }

    /// Blocks whose retries have come near are to be opened.
    fn wake_resting(&mut self) {
        let now_ms = self.line.services.store.clock().now_ms();
        for active in self.campaigns.values_mut() {
            let due = active.resting.extract_if(.., |_, head| head.due_at.is_none_or(|due| due <= now_ms));
            due.for_each(|(_, head)| active.unopened.push_front(head));
        }
    }

    /// Opens the next block of a campaign: nobody else can claim in it from now on. What
    /// its last owner claimed and left without an outcome becomes `unknown`; what waits
    /// for a retry waits on.
    pub(super) async fn open_next(&mut self, id: CampaignId) -> Result<()> {
        let (store, tenant) = (&self.line.services.store, self.line.tenant);
        let Some(head) = self.campaigns.get_mut(&id).and_then(|active| active.unopened.pop_front()) else {
            return Ok(());
        };
        let head = match store.adopt_head(tenant, id, head.block, self.lease.epoch).await {
            Ok(head) => head,
            Err(store::Error::Conflict) => return self.fenced(id).await,
            Err(error) => return Err(error.into()),
        };
        let open = match head.is_begun() {
            true => store.open_rows(tenant, id, head.block, head.cursor).await?,
            false => Vec::new(),
        };
        self.progress = true;
        let number = head.block;
        if let Some(active) = self.campaigns.get_mut(&id) {
            active.blocks.insert(number, Block::new(head));
        }
        self.sort_out(id, number, open).await.map(|_| ())
    }

    /// Goes through the recipients of a block that have no outcome, and that nobody of
    /// ours is sending to. Answers how many wait for a retry.
    async fn sort_out(&mut self, id: CampaignId, number: u64, open: Vec<Row>) -> Result<usize> {
        let (waiting, lost): (Vec<Row>, Vec<Row>) =
            open.into_iter().partition(|row| row.progress.state == State::Pending && row.retry_at.is_some());
        if !lost.is_empty() {
            let (tenant, count) = (self.line.tenant, lost.len());
            tracing::warn!(%tenant, campaign = %id, block = number, count, "outcomes were lost with a runner");
            let entries: Vec<_> =
                lost.iter().map(|row| (row.contact, row.attempt, RowOutcome::Unknown)).collect();
            self.line.services.store.record(tenant, id, &entries).await?;
        }
        let count = waiting.len();
        for row in waiting {
            self.wait(id, number, row.retry_at.unwrap_or(0), row);
        }
        Ok(count)
    }

    /// Winds up blocks and campaigns that are done.
    pub(super) async fn settle(&mut self) -> Result<()> {
        self.open_begun().await?;
        self.rest_blocks(REST).await;
        let done: Vec<CampaignId> =
            self.campaigns.values().filter(|l| l.is_done()).map(|l| l.campaign).collect();
        for id in done {
            self.finish(id).await?;
            self.keep_lease().await;
        }
        Ok(())
    }

    /// Opens blocks in which somebody may wait: nothing is drawn from them that would
    /// open them. New ones are opened when recipients are drawn.
    async fn open_begun(&mut self) -> Result<()> {
        for id in self.campaigns.keys().copied().collect::<Vec<_>>() {
            while self.failure.is_none()
                && !self.lost
                && self.waiting.len() <= super::draw::MAX_WAITING
                && self.campaigns.get(&id).is_some_and(|active| !active.leaving && active.has_begun())
            {
                self.open_next(id).await?;
                self.keep_lease().await;
            }
        }
        Ok(())
    }

    /// Writes down of idle blocks that they are done, or that their retries are further
    /// away than `patience`.
    pub(super) async fn rest_blocks(&mut self, patience: Duration) {
        let far =
            self.line.services.store.clock().now_ms() + i64::try_from(patience.as_millis()).unwrap_or(0);
        let mut first: BTreeMap<(CampaignId, u64), i64> = BTreeMap::new();
        for ((id, contact), row) in &self.waiting {
            let at = row.retry_at.unwrap_or(0);
            first.entry((*id, block_of(*contact))).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
        let mut idle: Vec<(CampaignId, u64, Option<i64>)> = Vec::new();
        for active in self.campaigns.values().filter(|active| !active.leaving) {
            for (number, _) in active.blocks.iter().filter(|(_, block)| block.is_idle()) {
                idle.push((active.campaign, *number, first.get(&(active.campaign, *number)).copied()));
            }
        }
        for (id, number, due) in idle.into_iter().filter(|(.., due)| due.is_none_or(|due| due > far)) {
            if self.lost || self.failure.is_some() {
                return;
            }
            if let Err(error) = self.rest_block(id, number, due).await {
                self.fail(error);
            }
            self.keep_lease().await;
        }
    }

    async fn rest_block(&mut self, id: CampaignId, number: u64, due: Option<i64>) -> Result<()> {
        let (store, tenant) = (&self.line.services.store, self.line.tenant);
        let Some(mut head) =
            self.campaigns.get(&id).and_then(|active| active.blocks.get(&number)).map(|b| b.head.clone())
        else {
            return Ok(());
        };
        if due.is_none() {
            // Whatever went wrong before, nobody is left behind.
            let open = store.open_rows(tenant, id, number, head.end).await?;
            if self.sort_out(id, number, open).await? > 0 {
                return Ok(());
            }
        }
        let left = due.map_or(Left::Nothing, Left::Retries);
        match store.rest_head(tenant, id, &head, left).await {
            Ok(()) => {}
            Err(store::Error::Conflict) => return self.look_again(id, number).await,
            Err(error) => return Err(error.into()),
        }
        self.progress |= due.is_none();
        self.forget_waiting(id, Some(number));
        if let Some(active) = self.campaigns.get_mut(&id) {
            active.blocks.remove(&number);
            match due {
                Some(_) => {
                    head.due_at = due;
                    active.resting.insert(number, head);
                }
                None => {
                    active.closed.insert(number, head.again);
                }
            }
        }
        Ok(())
    }

    /// A block that is not as it was: an order put recipients back into it, or it is
    /// somebody else's.
    async fn look_again(&mut self, id: CampaignId, number: u64) -> Result<()> {
        let head = self.line.services.store.head(self.line.tenant, id, number).await?;
        let Some(head) = head.filter(|head| head.epoch == self.lease.epoch) else {
            return self.fenced(id).await;
        };
        let open = self.line.services.store.open_rows(self.line.tenant, id, number, head.cursor).await?;
        if let Some(block) = self.campaigns.get_mut(&id).and_then(|active| active.blocks.get_mut(&number)) {
            block.head.again = head.again;
        }
        self.sort_out(id, number, open).await.map(|_| ())
    }

    fn forget_waiting(&mut self, id: CampaignId, block: Option<u64>) {
        let mine =
            |campaign: CampaignId, number: u64| campaign == id && block.is_none_or(|only| only == number);
        self.due.retain(|Reverse((_, campaign, number, _))| !mine(*campaign, *number));
        self.waiting.retain(|(campaign, contact), _| !mine(*campaign, block_of(*contact)));
    }

    /// What to do when nothing is under way: wait for what comes soon, and leave the rest
    /// to the queue.
    pub(super) async fn rest(&mut self, refresh_at: Instant) -> Rest {
        self.wake_resting();
        if let Err(error) = self.settle().await {
            self.fail(error);
            return Rest::Until(Instant::now());
        }
        if self.campaigns.is_empty() && self.unready.is_empty() && self.preparing.is_empty() {
            return Rest::Idle;
        }
        let now = Instant::now();
        if let Some(held) = self.line.pacer.held_for() {
            return if held > PATIENCE { Rest::Later(held) } else { Rest::Until(now + held) };
        }
        if self.campaigns.values().any(ActiveCampaign::has_fresh) {
            return Rest::Until(now + SOON);
        }
        let is_waiting_for_others = self.campaigns.values().any(|active| !active.complete);
        match self.next_due() {
            Some(wait) if wait > PATIENCE && !is_waiting_for_others => Rest::Later(wait),
            // Who plans, or puts back, wakes the sender.
            None if self.news.elapsed() > PATIENCE => Rest::Later(PATIENCE),
            Some(wait) => Rest::Until((now + wait.max(Duration::from_millis(1))).min(refresh_at)),
            None => Rest::Until(refresh_at),
        }
    }

    /// How far the next retry is away, or a campaign that was not ready.
    fn next_due(&self) -> Option<Duration> {
        let now_ms = self.line.services.store.clock().now_ms();
        let waiting = self.due.peek().map(|Reverse((at, ..))| *at);
        let resting =
            self.campaigns.values().flat_map(|active| active.resting.values().filter_map(|head| head.due_at));
        let retry = waiting.into_iter().chain(resting).min();
        let retry = retry.map(|at| Duration::from_millis(u64::try_from(at - now_ms).unwrap_or(0)));
        let unready = self.unready.values().min().map(|at| at.saturating_duration_since(Instant::now()));
        retry.into_iter().chain(unready).min()
    }

    /// Lets a campaign go once its last wave has landed.
    pub(super) async fn drop_campaign(&mut self, id: CampaignId) -> Result<()> {
        if self.campaigns.get(&id).is_none_or(ActiveCampaign::is_sending) {
            return Ok(());
        }
        self.progress = true;
        self.leave_blocks(id).await?;
        self.campaigns.remove(&id);
        self.turns.retain(|turn| *turn != id);
        self.forget_waiting(id, None);
        self.line.forget(id);
        let store = &self.line.services.store;
        Ok(store.deactivate(self.line.tenant, &self.line.route.sender.id, id).await?)
    }

    /// Says of open blocks of a campaign that their rows stand still.
    pub(super) async fn leave_blocks(&self, id: CampaignId) -> Result<()> {
        let (store, tenant) = (&self.line.services.store, self.line.tenant);
        let blocks = self.campaigns.get(&id).map(|active| &active.blocks).into_iter().flatten();
        let left = blocks.map(|(_, block)| store.leave_head(tenant, id, &block.head));
        try_join_all(left).await?;
        Ok(())
    }

    /// Ends a campaign that has nobody left to send to. One that is not what it was
    /// taken for is looked at anew.
    async fn finish(&mut self, id: CampaignId) -> Result<()> {
        let (from, to) = (CampaignState::Running, CampaignState::Finished);
        let publisher = EventPublisher::from(self.line.services);
        if end(&publisher, self.line.tenant, id, (from, to), None).await? {
            return self.drop_campaign(id).await;
        }
        let stored = self.line.services.store.campaign(self.line.tenant, id).await?;
        let is_active = stored.is_some_and(|stored| stored.campaign.state.is_active());
        if let Some(active) = self.campaigns.get_mut(&id) {
            (active.complete, active.leaving) = (false, !is_active);
        }
        if is_active { Ok(()) } else { self.drop_campaign(id).await }
    }

    pub(super) async fn pause(&mut self, id: CampaignId, reason: &str) -> Result<()> {
        let tenant = self.line.tenant;
        tracing::warn!(%tenant, campaign = %id, "a campaign is paused");
        self.progress = true;
        stop_sending(&EventPublisher::from(self.line.services), tenant, id, reason).await
    }

    /// Pauses every campaign of the sender: nothing can be sent from it until its owner
    /// acts.
    pub(super) async fn stop_sender(&mut self, reason: &Reason) -> Result<()> {
        let reason = format!("the sender cannot send: {} answered with {reason}", self.line.channel());
        let ids: Vec<CampaignId> = self.campaigns.keys().copied().collect();
        for id in ids {
            self.pause(id, &reason).await?;
            self.drop_campaign(id).await?;
        }
        Ok(())
    }
}
