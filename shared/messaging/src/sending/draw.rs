//! What is sent next: retries whose time has come, then recipients nobody claimed yet,
//! of all campaigns of the sender in turn. A wave is filled across blocks and
//! campaigns.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use domain::CampaignId;
use futures::future::join_all;
use store::ledger::{Claimed, Row};

use super::campaign::{ActiveCampaign, Pick};
use super::payment::Drawn;
use super::runner::Runner;
use super::wave::{Part, Wave};
use ops::Result;

/// Most recipients of a wave.
const WAVE: usize = 50;
/// Recipients that are read ahead at once.
const READ: usize = 200;
/// Retries that wait in memory before new recipients wait.
pub(super) const MAX_WAITING: usize = 2_000;
/// Campaigns whose state is asked for at once.
const CAMPAIGNS: usize = 16;

impl Runner<'_> {
    /// The next wave, claimed; `None` when nothing can be sent right now. What fails is
    /// kept: a wave that was claimed before is sent all the same.
    pub(super) async fn draw(&mut self) -> Option<Wave> {
        let room = self.room();
        let mut wave = Wave::default();
        if room > 0
            && let Err(error) = self.fill(&mut wave, room).await
        {
            self.fail(error);
        }
        self.line.pacer.promise(wave.len());
        (wave.len() > 0).then_some(wave)
    }

    /// How many recipients may be claimed now.
    fn room(&self) -> usize {
        let line = self.line;
        if line.pacer.held_for().is_some() || line.health.is_silent() {
            return 0;
        }
        if line.health.is_probing() {
            let quiet = self.campaigns.values().all(|active| !active.is_sending());
            return usize::from(quiet);
        }
        WAVE.min(usize::try_from(line.route.sender.pace.per_second).unwrap_or(WAVE)).max(1)
    }

    async fn fill(&mut self, wave: &mut Wave, room: usize) -> Result<()> {
        self.draw_retries(wave, room).await?;
        let mut rounds = self.turns.len().div_ceil(CAMPAIGNS);
        while wave.len() < room && self.waiting.len() <= MAX_WAITING && rounds > 0 && self.failure.is_none() {
            rounds -= 1;
            self.draw_fresh(wave, room).await?;
        }
        Ok(())
    }

    /// Of some campaigns, those that still send; those that do not leave.
    async fn sending(&mut self, ids: BTreeSet<CampaignId>) -> Result<BTreeSet<CampaignId>> {
        if ids.is_empty() {
            return Ok(ids);
        }
        let (store, sender) = (&self.line.services.store, &self.lease.sender);
        let (stored, changes) = store.look(self.line.tenant, sender, &ids).await?;
        if changes != self.changes {
            self.is_route(changes).await?;
        }
        if self.rerouted {
            return Ok(BTreeSet::new());
        }
        let live = stored.iter().filter(|stored| stored.campaign.state.is_active());
        let live: BTreeSet<CampaignId> = live.map(|stored| stored.campaign.id).collect();
        for id in ids.difference(&live) {
            if let Some(active) = self.campaigns.get_mut(id) {
                active.leaving = true;
            }
            self.drop_campaign(*id).await?;
        }
        Ok(live)
    }

    /// Retries whose time has come.
    async fn draw_retries(&mut self, wave: &mut Wave, room: usize) -> Result<()> {
        let now = self.line.services.store.clock().now_ms();
        let mut due = Vec::new();
        while due.len() < room && self.due.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            due.extend(self.due.pop().map(|Reverse(next)| next));
        }
        let live = self.sending(due.iter().map(|(_, id, ..)| *id).collect()).await?;
        let mut rows: BTreeMap<CampaignId, Vec<(u64, Row)>> = BTreeMap::new();
        for (_, id, block, contact) in due {
            if live.contains(&id)
                && let Some(row) = self.waiting.remove(&(id, contact))
            {
                rows.entry(id).or_default().push((block, row));
            }
        }
        let (store, tenant) = (&self.line.services.store, self.line.tenant);
        let limit = self.line.daily_limit;
        let claims = rows.into_iter().map(async |(id, rows)| {
            let wanted: Vec<Row> = rows.iter().map(|(_, row)| row.clone()).collect();
            let claimed = match wanted.iter().any(|row| row.cost.is_some()) {
                true => Box::pin(store.claim_rows_paid(tenant, id, &wanted, limit)).await,
                false => store.claim_rows(tenant, id, &wanted).await.map(Claimed::from),
            };
            (id, claimed, rows)
        });
        for (id, claimed, rows) in join_all(claims).await {
            match claimed {
                Ok(claimed) => self.took_retries(wave, id, rows, claimed).await,
                Err(error) => self.fail(error.into()),
            }
        }
        Ok(())
    }

    pub(super) fn take_retries(
        &mut self,
        wave: &mut Wave,
        id: CampaignId,
        rows: Vec<(u64, Row)>,
        claimed: &[bool],
    ) {
        let Some(active) = self.campaigns.get_mut(&id) else { return };
        let mut taken = Vec::new();
        for ((number, row), claimed) in rows.into_iter().zip(claimed) {
            let Some(block) = active.blocks.get_mut(&number) else { continue };
            block.waiting = block.waiting.saturating_sub(1);
            if *claimed {
                block.under_way += 1;
                taken.push((number, Row { attempt: row.attempt + 1, is_refused: false, ..row }));
            }
        }
        add(wave, active, taken);
    }

    /// Recipients nobody claimed yet, of the next campaigns in turn.
    async fn draw_fresh(&mut self, wave: &mut Wave, room: usize) -> Result<()> {
        let mut asked = BTreeSet::new();
        for id in self.turns.iter().take(CAMPAIGNS) {
            let wants = self.campaigns.get(id).is_some_and(|active| !active.leaving && active.has_fresh());
            if wants && asked.insert(*id) && self.estimate(&asked) >= room {
                break;
            }
        }
        let live = self.sending(asked.clone()).await?;
        let mut picks: Vec<Pick> = Vec::new();
        for id in self.turns.iter().copied().take(CAMPAIGNS).collect::<Vec<_>>() {
            let picked: usize = picks.iter().map(|pick| pick.rows.len()).sum();
            let left = room.saturating_sub(wave.len() + picked);
            if left == 0 {
                break;
            }
            // Whoever had a turn stands at the end, so that all have theirs.
            self.turns.retain(|turn| *turn != id);
            self.turns.push_back(id);
            if live.contains(&id) {
                picks.extend(self.pick(id, left).await?);
            }
        }
        self.claim(wave, picks).await
    }

    /// How many recipients some campaigns have left at most, as far as blocks are open.
    fn estimate(&self, ids: &BTreeSet<CampaignId>) -> usize {
        let campaigns = ids.iter().filter_map(|id| self.campaigns.get(id));
        let blocks = campaigns.flat_map(|active| active.blocks.values());
        let left = blocks.map(|block| block.head.end.0.saturating_sub(block.head.cursor.0));
        usize::try_from(left.sum::<u64>()).unwrap_or(usize::MAX)
    }

    /// The next recipients of a campaign, across its blocks; the next ones are opened.
    async fn pick(&mut self, id: CampaignId, room: usize) -> Result<Vec<Pick>> {
        let mut picks: Vec<Pick> = Vec::new();
        let mut done = BTreeSet::new();
        loop {
            let picked: usize = picks.iter().map(|pick| pick.rows.len()).sum();
            let Some(active) =
                self.campaigns.get(&id).filter(|_| picked < room && self.waiting.len() <= MAX_WAITING)
            else {
                return Ok(picks);
            };
            let open =
                active.blocks.iter().find(|(number, block)| block.has_unclaimed() && !done.contains(*number));
            match open.map(|(number, _)| *number) {
                Some(number) => {
                    done.insert(number);
                    picks.extend(self.pick_of(id, number, room - picked).await?);
                }
                None if active.unopened.is_empty() => return Ok(picks),
                None => self.open_next(id).await?,
            }
            self.keep_lease().await;
            if self.lost || self.failure.is_some() {
                return Ok(Vec::new());
            }
        }
    }

    async fn pick_of(&mut self, id: CampaignId, number: u64, room: usize) -> Result<Option<Pick>> {
        let (store, tenant) = (&self.line.services.store, self.line.tenant);
        let block = self.campaigns.get_mut(&id).and_then(|active| active.blocks.get_mut(&number));
        let Some(block) = block else { return Ok(None) };
        if let Some(from) = block.read_from(room) {
            block.read_ahead(store.rows_after(tenant, id, number, from, READ).await?);
        }
        let pick = block.pick(id, room);
        if pick.is_none() {
            block.exhausted();
        }
        Ok(pick)
    }

    /// Claims what was picked, each block by itself.
    async fn claim(&mut self, wave: &mut Wave, picks: Vec<Pick>) -> Result<()> {
        let line = self.line;
        let claimed = join_all(picks.iter().map(|pick| line.claim(pick))).await;
        for (pick, claimed) in picks.into_iter().zip(claimed) {
            match claimed {
                Ok(Drawn::Yes) => self.took(wave, pick),
                Ok(Drawn::Short(shortage)) => match self.claim_fewer(&pick, shortage).await {
                    Ok(fewer) => fewer.into_iter().for_each(|fewer| self.took(wave, fewer)),
                    Err(error) => self.fail(error),
                },
                Err(store::Error::Conflict) => self.fenced(pick.campaign).await?,
                Err(error) => self.fail(error.into()),
            }
        }
        Ok(())
    }

    /// Takes note of recipients that are claimed.
    fn took(&mut self, wave: &mut Wave, pick: Pick) {
        let Some(active) = self.campaigns.get_mut(&pick.campaign) else { return };
        let number = pick.head.block;
        if let Some(block) = active.blocks.get_mut(&number) {
            block.claimed(&pick);
        }
        add(wave, active, pick.rows.into_iter().map(|row| (number, row)).collect());
    }
}

fn add(wave: &mut Wave, active: &ActiveCampaign, rows: Vec<(u64, Row)>) {
    if rows.is_empty() {
        return;
    }
    match wave.parts.iter_mut().find(|part| part.campaign == active.campaign) {
        Some(part) => part.rows.extend(rows),
        None => wave.parts.push(Part {
            campaign: active.campaign,
            account: active.account,
            composer: active.composer.clone(),
            terms: active.terms.clone(),
            losses: active.losses,
            rows,
        }),
    }
}
