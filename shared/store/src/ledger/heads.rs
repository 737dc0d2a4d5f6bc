use domain::{CampaignId, ContactId, TenantId};

use super::counts::Counts;
use crate::item::{Item, Key, Query, compose, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// The head of one block of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The block.
    pub block: u64,
    /// Its last recipient.
    pub end: ContactId,
    /// The last recipient that was claimed.
    pub cursor: ContactId,
    /// Up to here every claimed recipient has an outcome.
    pub settled: ContactId,
    /// Recipients up to `settled` that wait for a retry.
    pub retries: u64,
    /// The fencing number of the runner that owns the block.
    pub epoch: u64,
}

impl Head {
    /// Whether the runner has anything to do here.
    pub fn has_work(&self) -> bool {
        self.cursor < self.end || self.settled < self.cursor || self.retries > 0
    }
}

pub(super) fn key(tenant: &TenantId, campaign: CampaignId, block: u64) -> Key {
    Key::new(heads_pk(tenant, campaign), format!("{block:07}"))
}

pub(super) fn heads_pk(tenant: &TenantId, campaign: CampaignId) -> String {
    format!("LHEAD#{tenant}#{campaign}")
}

fn from_item(item: &Item) -> Head {
    let id = |name| ContactId(number(item, name).unwrap_or(0));
    Head {
        block: text(item, "sk").and_then(|sk| sk.parse().ok()).unwrap_or(0),
        end: id("end"),
        cursor: id("cur"),
        settled: id("settled"),
        retries: number(item, "retries").unwrap_or(0),
        epoch: number(item, "epoch").unwrap_or(0),
    }
}

impl Store {
    /// Publishes a planned block to the runner, with its recipients counted; a head that
    /// exists stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn publish_head(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        end: ContactId,
        counts: &Counts,
    ) -> Result<()> {
        #[derive(serde::Serialize)]
        struct HeadItem {
            end: u64,
            cur: u64,
            settled: u64,
            retries: u64,
            epoch: u64,
            dirty: String,
        }
        let item = HeadItem { end: end.0, cur: 0, settled: 0, retries: 0, epoch: 0, dirty: self.mark() };
        let mut item = compose(&key(tenant, campaign, block), "ledger head", &item)?;
        item.insert("counts".to_owned(), counts.attribute());
        match self.create(item).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The heads of a campaign, in order of their blocks.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn heads_of(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Vec<Head>> {
        let query = Query { pk: heads_pk(tenant, campaign), ..Query::default() };
        Ok(self.query(&query).await?.iter().map(from_item).collect())
    }

    /// Makes a runner the owner of a block: whoever owned it before can claim
    /// nothing more in it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a newer runner owns it.
    pub async fn adopt_head(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        epoch: u64,
    ) -> Result<Head> {
        let update = Update::of(key(tenant, campaign, block))
            .set("epoch", n(epoch))
            .when(When::Exists)
            .when(When::AtMost("epoch", n(epoch)));
        Ok(from_item(&self.update_returning(update).await?))
    }

    /// Claims the recipients behind the cursor up to `to`, before they are sent.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another runner owns the block by now.
    pub async fn claim(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        head: &Head,
        to: ContactId,
    ) -> Result<()> {
        let update = Update::of(key(tenant, campaign, head.block))
            .set("cur", n(to.0))
            .set("settled", n(head.settled.0))
            .set("retries", n(head.retries))
            .set("dirty", s(self.mark()))
            .when(When::Is("epoch", n(head.epoch)))
            .when(When::Is("cur", n(head.cursor.0)));
        self.update(update).await
    }

    /// Writes down how far a block is settled, and how many retries it waits for.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another runner owns the block by now.
    pub async fn settle_head(&self, tenant: &TenantId, campaign: CampaignId, head: &Head) -> Result<()> {
        let update = Update::of(key(tenant, campaign, head.block))
            .set("settled", n(head.settled.0))
            .set("retries", n(head.retries))
            .set("dirty", s(self.mark()))
            .when(When::Is("epoch", n(head.epoch)));
        self.update(update).await
    }

    /// Adds retries that somebody else than the runner asked for.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such block.
    pub async fn add_retries(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        count: u64,
    ) -> Result<()> {
        let update = Update::of(key(tenant, campaign, block))
            .add("retries", n(count))
            .set("dirty", s(self.mark()))
            .when(When::Exists);
        self.update(update).await
    }

    /// Says that the rows of these blocks changed, after they did.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn mark_dirty(&self, tenant: &TenantId, campaign: CampaignId, blocks: &[u64]) -> Result<()> {
        for block in blocks {
            let update =
                Update::of(key(tenant, campaign, *block)).set("dirty", s(self.mark())).when(When::Exists);
            match self.update(update).await {
                Ok(()) | Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn mark(&self) -> String {
        self.entropy().ulid(self.clock().now()).to_string()
    }
}
