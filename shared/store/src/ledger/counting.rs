//! Counting a campaign: absolute, block by block, recounted while a block changes.

use domain::recipient::State;
use domain::{CampaignId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use super::block_pk;
use super::counts::Counts;
use super::heads::{heads_pk, key};
use crate::item::{Item, Query, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Result, Store, sha256_hex};

/// Blocks that are counted at once.
const CONCURRENCY: usize = 4;
/// A block of a large campaign is counted at most this often, in milliseconds.
const RECOUNT_MS: i64 = 5_000;
/// Up to this many blocks a campaign is counted whenever somebody asks.
const SMALL: usize = 16;
/// Blocks of a larger one that are counted for somebody who asks.
const FOR_ONE: usize = 8;

/// What the head of a block knows of its counts.
#[derive(Debug)]
struct Tally {
    block: u64,
    /// The mark of the last change that was not counted yet.
    dirty: Option<String>,
    counted_at: i64,
    counts: Counts,
}

impl Tally {
    fn of(head: &Item) -> Self {
        Self {
            block: text(head, "sk").and_then(|sk| sk.parse().ok()).unwrap_or(0),
            dirty: text(head, "dirty"),
            counted_at: number(head, "counted").unwrap_or(0),
            counts: Counts::stored_in(head),
        }
    }
}

/// The sum of what is counted, and what is not, counted longest ago first.
fn split(tallies: Vec<Tally>) -> (Counts, Vec<Tally>) {
    let (mut dirty, clean): (Vec<Tally>, Vec<Tally>) =
        tallies.into_iter().partition(|tally| tally.dirty.is_some());
    dirty.sort_by_key(|tally| tally.counted_at);
    let mut sum = Counts::default();
    clean.iter().for_each(|tally| sum.add_all(&tally.counts));
    (sum, dirty)
}

/// A block that changed since it was counted.
#[derive(Debug)]
pub struct Uncounted(Tally);

impl Uncounted {
    /// When it was last counted, in milliseconds since 1970; 0 is never.
    pub fn counted_ms(&self) -> i64 {
        self.0.counted_at
    }
}

/// The marks of a campaign's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Another text whenever a row changed.
    pub text: String,
    /// A block is open: its rows change before their mark does.
    pub is_moving: bool,
}

impl Marks {
    fn of(heads: &[Item]) -> Self {
        let mark = |head| text(head, "dirty").or_else(|| text(head, "seen")).unwrap_or_default();
        let lines =
            heads.iter().map(|head| format!("{}={}\n", text(head, "sk").unwrap_or_default(), mark(head)));
        Self {
            text: sha256_hex(lines.collect::<String>()),
            is_moving: heads.iter().any(|head| head.contains_key("open")),
        }
    }
}

impl Store {
    /// How many recipients a campaign has in each state: every block that changed is
    /// counted again from its rows, however many there are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn counts(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Counts> {
        let (mut sum, dirty) = split(self.tallies(tenant, campaign).await?);
        for counts in self.recount_all(tenant, campaign, &dirty).await? {
            sum.add_all(&counts);
        }
        Ok(sum)
    }

    /// How many recipients a campaign has in each state, and whether blocks that
    /// changed are told as they were when they were last counted: of a large campaign
    /// only those are counted again that were counted longest ago.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn recent_counts(&self, tenant: &TenantId, campaign: CampaignId) -> Result<(Counts, bool)> {
        let tallies = self.tallies(tenant, campaign).await?;
        let is_small = tallies.len() <= SMALL;
        let (mut sum, mut dirty) = split(tallies);
        let now = self.clock().now_ms();
        let due = dirty.iter().filter(|tally| is_small || tally.counted_at + RECOUNT_MS <= now).count();
        let now_counted = if is_small { due } else { due.min(FOR_ONE) };
        let rest = dirty.split_off(now_counted);
        for counts in self.recount_all(tenant, campaign, &dirty).await? {
            sum.add_all(&counts);
        }
        rest.iter().for_each(|tally| sum.add_all(&tally.counts));
        Ok((sum, !rest.is_empty()))
    }

    /// The blocks that changed since they were counted, with when that was, in
    /// milliseconds since 1970; those that were counted longest ago first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn uncounted(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Vec<Uncounted>> {
        let (_, dirty) = split(self.tallies(tenant, campaign).await?);
        Ok(dirty.into_iter().map(Uncounted).collect())
    }

    /// Counts these blocks again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn count_blocks(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        blocks: Vec<Uncounted>,
    ) -> Result<()> {
        let tallies: Vec<Tally> = blocks.into_iter().map(|block| block.0).collect();
        self.recount_all(tenant, campaign, &tallies).await.map(|_| ())
    }

    async fn recount_all(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        dirty: &[Tally],
    ) -> Result<Vec<Counts>> {
        let counts = dirty.iter().map(|tally| self.recount(tenant, campaign, tally));
        // Collected first: a stream of borrowed futures is not general enough for spawned tasks.
        let counts: Vec<_> = counts.collect();
        stream::iter(counts).buffer_unordered(CONCURRENCY).try_collect().await
    }

    async fn tallies(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Vec<Tally>> {
        let query = Query { pk: heads_pk(tenant, campaign), ..Query::default() };
        Ok(self.query(&query).await?.iter().map(Tally::of).collect())
    }

    async fn recount(&self, tenant: &TenantId, campaign: CampaignId, tally: &Tally) -> Result<Counts> {
        let query = Query {
            pk: block_pk(tenant, campaign, tally.block),
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
        let Some(mark) = &tally.dirty else { return Ok(counts) };
        let key = key(tenant, campaign, tally.block);
        let counted = || {
            let update = Update::of(key.clone()).set("counts", counts.attribute());
            update.set("counted", n(self.clock().now_ms()))
        };
        let update = counted().set("seen", s(mark)).remove("dirty").when(When::Is("dirty", s(mark)));
        match self.update(update).await {
            Ok(()) => Ok(counts),
            Err(Error::Conflict) => {
                // Rows changed while we counted: that is nearer than what was there, but
                // still to be counted again. If they change once more, so be it.
                let head = self.get_item(&key).await?.unwrap_or_default();
                if let Some(later) = text(&head, "dirty") {
                    match self.update(counted().when(When::Is("dirty", s(later)))).await {
                        Ok(()) | Err(Error::Conflict) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(counts)
            }
            Err(error) => Err(error),
        }
    }

    /// The marks of a campaign's rows: what was made of them is as they are while
    /// these stay the same.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn marks(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Marks> {
        let query = Query { pk: heads_pk(tenant, campaign), ..Query::default() };
        Ok(Marks::of(&self.query(&query).await?))
    }
}
