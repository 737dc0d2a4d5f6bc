use std::collections::BTreeMap;

use domain::recipient::State;
use domain::{CampaignId, ContactId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use super::block_pk;
use crate::item::{Item, Key, Query, compose, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// Blocks that are counted at once.
const CONCURRENCY: usize = 4;
/// A block of a large campaign is counted at most this often, in milliseconds.
const RECOUNT_MS: i64 = 5_000;
/// Up to this many blocks a campaign is counted whenever somebody asks.
const SMALL: usize = 2;

/// How many recipients are in each state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    by_state: BTreeMap<&'static str, u64>,
    /// Accepted, but held for Meta's quality assessment.
    pub held: u64,
}

impl Counts {
    /// The recipients in a state.
    pub fn of(&self, state: State) -> u64 {
        self.by_state.get(state.as_str()).copied().unwrap_or(0)
    }

    /// All recipients.
    pub fn total(&self) -> u64 {
        self.by_state.values().sum()
    }

    fn add(&mut self, state: State, count: u64) {
        *self.by_state.entry(state.as_str()).or_default() += count;
    }
}

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
    dirty: Option<String>,
    counted_at: i64,
    counts: Counts,
}

impl Head {
    /// Whether the runner has anything to do here.
    pub fn has_work(&self) -> bool {
        self.cursor < self.end || self.settled < self.cursor || self.retries > 0
    }
}

fn key(tenant: &TenantId, campaign: CampaignId, block: u64) -> Key {
    Key::new(format!("LHEAD#{tenant}#{campaign}"), format!("{block:07}"))
}

fn from_item(item: &Item) -> Head {
    let id = |name| ContactId(number(item, name).unwrap_or(0));
    let mut counts = Counts::default();
    let stored = item.get("counts").and_then(|c| c.as_m().ok());
    for state in State::ALL {
        counts.add(state, stored.and_then(|c| number(c, state.as_str())).unwrap_or(0));
    }
    counts.held = stored.and_then(|c| number(c, "held")).unwrap_or(0);
    Head {
        block: text(item, "sk").and_then(|sk| sk.parse().ok()).unwrap_or(0),
        end: id("end"),
        cursor: id("cur"),
        settled: id("settled"),
        retries: number(item, "retries").unwrap_or(0),
        epoch: number(item, "epoch").unwrap_or(0),
        dirty: text(item, "dirty"),
        counted_at: number(item, "counted").unwrap_or(0),
        counts,
    }
}

impl Store {
    /// Publishes a planned block to the runner; a head that exists stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn publish_head(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        end: ContactId,
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
        match self.create(compose(&key(tenant, campaign, block), "ledger head", &item)?).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The heads of a campaign, in order of their blocks.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn heads_of(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Vec<Head>> {
        let query = Query { pk: format!("LHEAD#{tenant}#{campaign}"), ..Query::default() };
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

    /// How many recipients a campaign has in each state. Counts are absolute:
    /// blocks that changed are counted again from their rows, in a large campaign
    /// at most every five seconds unless `exact` is asked for.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn counts(&self, tenant: &TenantId, campaign: CampaignId, exact: bool) -> Result<Counts> {
        let heads = self.heads_of(tenant, campaign).await?;
        let small = heads.len() <= SMALL;
        let stale = self.clock().now_ms() - RECOUNT_MS;
        let counts: Vec<Counts> = stream::iter(heads)
            .map(|head| async move {
                match &head.dirty {
                    Some(mark) if exact || small || head.counted_at <= stale => {
                        self.recount(tenant, campaign, head.block, mark).await
                    }
                    Some(_) | None => Ok(head.counts),
                }
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(counts.into_iter().fold(Counts::default(), |mut sum, block| {
            for state in State::ALL {
                sum.add(state, block.of(state));
            }
            sum.held += block.held;
            sum
        }))
    }

    async fn recount(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        mark: &str,
    ) -> Result<Counts> {
        let query = Query {
            pk: block_pk(tenant, campaign, block),
            project: Some("rk, held".to_owned()),
            ..Query::default()
        };
        let mut counts = Counts::default();
        for row in self.query(&query).await? {
            let rank: u8 = number(&row, "rk").unwrap_or(0);
            if let Some(state) = State::ALL.into_iter().find(|s| s.rank() == rank) {
                counts.add(state, 1);
            }
            counts.held += u64::from(row.contains_key("held"));
        }
        let mut stored: Item = State::ALL.map(|s| (s.as_str().to_owned(), n(counts.of(s)))).into();
        stored.insert("held".to_owned(), n(counts.held));
        let update = Update::of(key(tenant, campaign, block))
            .set("counts", aws_sdk_dynamodb::types::AttributeValue::M(stored))
            .set("counted", n(self.clock().now_ms()))
            .remove("dirty")
            .when(When::Is("dirty", s(mark)));
        match self.update(update).await {
            // Rows changed while we counted: the next one who asks counts again.
            Ok(()) | Err(Error::Conflict) => Ok(counts),
            Err(error) => Err(error),
        }
    }
}
