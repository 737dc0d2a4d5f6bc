//! The heads of blocks: who may claim in one, how far it came, and whether it is done. A claim
//! whose answer is lost looks for itself.

use domain::{CampaignId, ContactId, TenantId};

use super::counts::Counts;
use crate::item::{Item, Key, Query, compose, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// How often a claim is tried whose answer does not come.
pub(super) const CLAIM_TRIES: u32 = 4;

/// The head of one block of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The block.
    pub block: u64,
    /// Its last recipient.
    pub end: ContactId,
    /// The last recipient that was claimed.
    pub cursor: ContactId,
    /// The fencing number of the runner that owns the block.
    pub epoch: u64,
    /// Everybody up to `end` has an outcome.
    pub closed: bool,
    /// Only retries are left, the first of them at this time, in milliseconds since 1970.
    pub due_at: Option<i64>,
    /// The latest order to send again that put recipients back into this block.
    pub again: u64,
}

impl Head {
    /// Whether somebody claimed, or put back, recipients of this block: there may be
    /// some without an outcome.
    pub fn is_begun(&self) -> bool {
        self.cursor.0 > 0 || self.again > 0
    }
}

/// What is left to do in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// Retries, the first of them at this time, in milliseconds since 1970.
    Retries(i64),
}

pub(super) fn key(tenant: &TenantId, campaign: CampaignId, block: u64) -> Key {
    Key::new(heads_pk(tenant, campaign), format!("{block:07}"))
}

pub(super) fn heads_pk(tenant: &TenantId, campaign: CampaignId) -> String {
    Kind::LedgerHead.pk(format_args!("{tenant}#{campaign}"))
}

fn from_item(item: &Item) -> Head {
    let id = |name| ContactId(number(item, name).unwrap_or(0));
    Head {
        block: text(item, "sk").and_then(|sk| sk.parse().ok()).unwrap_or(0),
        end: id("end"),
        cursor: id("cur"),
        epoch: number(item, "epoch").unwrap_or(0),
        closed: item.contains_key("closed"),
        due_at: number(item, "due"),
        again: number(item, "again").unwrap_or(0),
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
            epoch: u64,
            dirty: String,
        }
        let item = HeadItem { end: end.0, cur: 0, epoch: 0, dirty: self.mark() };
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

    /// One head.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn head(&self, tenant: &TenantId, campaign: CampaignId, block: u64) -> Result<Option<Head>> {
        Ok(self.get_item(&key(tenant, campaign, block)).await?.as_ref().map(from_item))
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
            .set("open", n(1))
            .when(When::Exists)
            .when(When::AtMost("epoch", n(epoch)));
        Ok(from_item(&self.update_returning(update).await?))
    }

    /// Claims the recipients behind the cursor up to `to`, before they are sent. A
    /// claim whose answer was lost is looked for: only one that surely did not come
    /// about is an error.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another runner owns the block by now;
    /// [`Error::Unavailable`] when nobody is claimed, or nobody knows.
    pub async fn claim(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        head: &Head,
        to: ContactId,
    ) -> Result<()> {
        let update = self.claiming(tenant, campaign, head, to);
        let mut unsure = None;
        for attempt in 0..CLAIM_TRIES {
            let found = match self.update_or_see(update.clone()).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(item)) => from_item(&item),
                Err(error) => {
                    unsure = Some(error);
                    self.back_off(attempt + 3).await;
                    continue;
                }
            };
            // Only we move this cursor under our epoch: that it is there is our doing.
            let ours = found.epoch == head.epoch && found.cursor == to;
            return if ours { Ok(()) } else { Err(Error::Conflict) };
        }
        Err(unsure.unwrap_or(Error::Contended))
    }

    /// What moves the cursor of a block.
    pub(super) fn claiming(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        head: &Head,
        to: ContactId,
    ) -> Update {
        Update::of(key(tenant, campaign, head.block))
            .set("cur", n(to.0))
            .set("dirty", s(self.mark()))
            .remove("closed")
            .when(When::Is("epoch", n(head.epoch)))
            .when(When::Is("cur", n(head.cursor.0)))
    }

    /// Writes down what is left to do in a block that nobody waits in but for
    /// retries. Recipients that an order put back since the head was read are not
    /// passed over.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another runner owns the block by now, or recipients
    /// were put back.
    pub async fn rest_head(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        head: &Head,
        left: Left,
    ) -> Result<()> {
        let update = Update::of(key(tenant, campaign, head.block))
            .set("dirty", s(self.mark()))
            .remove("open")
            .when(When::Is("epoch", n(head.epoch)))
            .when(When::AbsentOrAtMost("again", n(head.again)));
        let update = match left {
            Left::Nothing => update.set("closed", n(1)).remove("due"),
            Left::Retries(at_ms) => update.set("due", n(at_ms)).remove("closed"),
        };
        self.update(update).await
    }

    /// Lets a block go in which there is more to do: its rows stand still.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn leave_head(&self, tenant: &TenantId, campaign: CampaignId, head: &Head) -> Result<()> {
        let update = Update::of(key(tenant, campaign, head.block))
            .set("dirty", s(self.mark()))
            .remove("open")
            .when(When::Is("epoch", n(head.epoch)));
        match self.update(update).await {
            // Somebody else opened it.
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Says that the order `again` put recipients back into a block: the runner looks
    /// for them. Afterwards, so that whoever clears the block has seen them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn reopen_head(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        again: u64,
    ) -> Result<()> {
        let update = Update::of(key(tenant, campaign, block))
            .set("again", n(again))
            .set("dirty", s(self.mark()))
            .remove("closed")
            .remove("due")
            .when(When::Exists)
            .when(When::AbsentOrAtMost("again", n(again)));
        match self.update(update).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
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
}
