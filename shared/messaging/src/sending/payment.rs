//! Waves that are paid with credits: each is paid with its claim, and what was claimed and not
//! sent is given back with its outcome. A campaign that there is too little for waits, and
//! goes on by itself.

use domain::CampaignId;
use domain::campaign::CampaignState;
use domain::webhook::EventType;
use store::credits::{Paid, Shortage, Unfunded};
use store::ledger::{Claimed, Row};

use super::attempt::SendContext;
use super::campaign::Pick;
use super::runner::{Runner, SHORT};
use super::wave::Wave;
use ops::Result;
use ops::credits::{tell, unfunded};
use ops::events::{EventPublisher, Transaction, campaign_ended};

/// What became of recipients that were picked.
#[derive(Debug)]
pub(super) enum Drawn {
    /// They are claimed, and paid where they are to be.
    Yes,
    /// There is too little for all of them.
    Short(Shortage),
}

impl SendContext<'_> {
    /// Claims what was picked of a block, and pays for it.
    pub(super) async fn claim(&self, pick: &Pick) -> store::Result<Drawn> {
        let (store, id) = (&self.services.store, pick.campaign);
        if pick.rows.iter().all(|row| row.cost.is_none()) {
            return store.claim(self.tenant, id, &pick.head, pick.to).await.map(|()| Drawn::Yes);
        }
        let to = (&pick.head, pick.to);
        // Its future is large: it lives on the heap.
        let claim = Box::pin(store.claim_paid(self.tenant, id, to, &pick.rows, self.daily_limit));
        match claim.await? {
            Paid::Yes(written) => {
                tell(&EventPublisher::from(self.services), written).await;
                Ok(Drawn::Yes)
            }
            Paid::Short(shortage) => Ok(Drawn::Short(shortage)),
            Paid::Elsewise => Err(store::Error::Conflict),
        }
    }
}

impl Runner<'_> {
    /// Claims as many of those that were picked as there is enough for, if it is enough for
    /// any; else the campaign waits.
    pub(super) async fn claim_fewer(&mut self, pick: &Pick, shortage: Shortage) -> Result<Option<Pick>> {
        let (id, number) = (pick.campaign, pick.head.block);
        let price = pick.rows.iter().filter_map(|row| row.cost).max().unwrap_or(0);
        let room = usize::try_from(shortage.affordable(price)).unwrap_or(usize::MAX);
        let block = self.campaigns.get(&id).and_then(|active| active.blocks.get(&number));
        let fewer = block.filter(|_| room > 0).and_then(|block| block.pick(id, room.min(pick.rows.len())));
        let Some(fewer) = fewer else {
            self.wait_for_credits(id, price, shortage).await?;
            return Ok(None);
        };
        match self.line.claim(&fewer).await {
            Ok(Drawn::Yes) => Ok(Some(fewer)),
            // Others pay from the same purse: the next wave looks again.
            Ok(Drawn::Short(_)) => Ok(None),
            Err(store::Error::Conflict) => {
                self.fenced(id).await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes up retries that are claimed; those that there is too little for wait with their
    /// campaign.
    pub(super) async fn took_retries(
        &mut self,
        wave: &mut Wave,
        id: CampaignId,
        rows: Vec<(u64, Row)>,
        claimed: Claimed,
    ) {
        for written in claimed.told {
            tell(&EventPublisher::from(self.line.services), written).await;
        }
        let price = rows.iter().filter_map(|(_, row)| row.cost).max().unwrap_or(0);
        self.take_retries(wave, id, rows, &claimed.claimed);
        if let Some(shortage) = claimed.shortage
            && let Err(error) = self.wait_for_credits(id, price, shortage).await
        {
            self.fail(error);
        }
    }

    /// Pauses a campaign that there is too little for. It is let go when its waves have landed.
    async fn wait_for_credits(&mut self, id: CampaignId, price: u64, shortage: Shortage) -> Result<()> {
        match unfunded(shortage) {
            Some(reason) => {
                if !self.pause_unfunded(id, &reason, price, shortage).await? {
                    return Ok(());
                }
            }
            None => self.pause(id, SHORT).await?,
        }
        if let Some(active) = self.campaigns.get_mut(&id) {
            active.leaving = true;
        }
        self.drop_campaign(id).await
    }

    /// Answers whether the campaign sends no more: something may have been granted meanwhile.
    async fn pause_unfunded(
        &mut self,
        id: CampaignId,
        reason: &str,
        price: u64,
        shortage: Shortage,
    ) -> Result<bool> {
        let (tenant, publisher) = (self.line.tenant, EventPublisher::from(self.line.services));
        let store = &publisher.store;
        let events = publisher.caused_by(Transaction, tenant).await?;
        for from in [CampaignState::Running, CampaignState::Planning] {
            let mut note = store::outbox::Note::none();
            if events.wants(EventType::CampaignFailed, None)
                && let Some(stored) = store.campaign(tenant, id).await?
            {
                let now = store.clock().now_ms();
                note = events.note(&campaign_ended(tenant, &stored.campaign, Some(reason), now));
            }
            let pause = Unfunded { id, from, reason, price, shortage };
            match store.pause_unfunded(tenant, pause, note).await {
                Ok(written) => {
                    tracing::warn!(%tenant, campaign = %id, "a campaign waits for credits");
                    self.progress = true;
                    events.publish(written).await;
                    return Ok(true);
                }
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let stored = store.campaign(tenant, id).await?;
        Ok(stored.is_none_or(|stored| !stored.campaign.state.is_active()))
    }
}
