//! What a runner does between waves: taking campaigns up, writing down how far
//! they came, and letting them go.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::CampaignId;
use domain::campaign::CampaignState;
use domain::recipient::State;

use super::compose::Composer;
use super::lane::Lane;
use super::recovery::adopt;
use super::runner::Runner;
use crate::Result;
use crate::campaigns::{end, stop_sending, sweep_cancelled};
use crate::events::Teller;

impl Runner<'_> {
    /// Takes up campaigns that were launched or resumed, and blocks that were
    /// planned, since the last look.
    pub(super) async fn refresh(&mut self) -> Result<()> {
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
                let lane = Lane {
                    campaign: id,
                    account,
                    composer,
                    planned: false,
                    leaving: false,
                    flights: 0,
                    blocks,
                };
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

    /// Writes down how far the blocks of a campaign are settled.
    pub(super) async fn write_heads(&mut self, id: CampaignId) -> Result<()> {
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
    pub(super) async fn drop_lane(&mut self, id: CampaignId) -> Result<()> {
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
            sweep_cancelled(&sender.store, tenant, id).await?;
        }
        if !state.is_some_and(CampaignState::is_active) {
            sender.store.deactivate(tenant, &self.line.number.phone_number_id, id).await?;
        }
        Ok(())
    }

    /// Ends a campaign that has nobody left to send to.
    pub(super) async fn finish(&mut self, id: CampaignId) -> Result<()> {
        let (store, tenant) = (&self.line.sender.store, self.line.tenant);
        self.write_heads(id).await?;
        let counts = store.counts(tenant, id).await?;
        if counts.of(State::Pending) + counts.of(State::Claimed) == 0 {
            let (from, to) = (CampaignState::Running, CampaignState::Finished);
            end(&Teller::from(self.line.sender), tenant, id, (from, to), None).await?;
        }
        // A lane that is not finished is taken up anew, and recovered.
        self.drop_lane(id).await
    }

    pub(super) async fn pause(&self, id: CampaignId, reason: &str) -> Result<()> {
        let tenant = self.line.tenant;
        tracing::warn!(%tenant, campaign = %id, "a campaign is paused");
        stop_sending(&Teller::from(self.line.sender), tenant, id, reason).await
    }

    /// Pauses every campaign of the number: nothing can be sent on it until its
    /// owner acts.
    pub(super) async fn stop_channel(&mut self, code: i64) -> Result<()> {
        let reason = format!("the number cannot send: WhatsApp answered with code {code}");
        let ids: Vec<CampaignId> = self.lanes.keys().copied().collect();
        for id in ids {
            self.pause(id, &reason).await?;
            self.drop_lane(id).await?;
        }
        Ok(())
    }
}
