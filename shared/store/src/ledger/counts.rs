use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::recipient::State;
use domain::{CampaignId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use super::block_pk;
use super::heads::{heads_pk, key};
use crate::item::{Item, Query, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Result, Store, sha256_hex};

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

    /// The counts of a block as its head keeps them.
    fn stored_in(head: &Item) -> Self {
        let mut counts = Self::default();
        let stored = head.get("counts").and_then(|c| c.as_m().ok());
        for state in State::ALL {
            counts.add(state, stored.and_then(|c| number(c, state.as_str())).unwrap_or(0));
        }
        counts.held = stored.and_then(|c| number(c, "held")).unwrap_or(0);
        counts
    }
}

/// What the head of a block knows of its counts.
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

/// The marks of a campaign's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Another text whenever a row changed.
    pub text: String,
    /// A wave is under way: its rows change before their mark does.
    pub is_moving: bool,
}

impl Marks {
    fn of(heads: &[Item]) -> Self {
        let mark = |head| text(head, "dirty").or_else(|| text(head, "seen")).unwrap_or_default();
        let lines =
            heads.iter().map(|head| format!("{}={}\n", text(head, "sk").unwrap_or_default(), mark(head)));
        let at = |head, name| number::<u64>(head, name).unwrap_or(0);
        Self {
            text: sha256_hex(lines.collect::<String>()),
            is_moving: heads.iter().any(|head| at(head, "settled") < at(head, "cur")),
        }
    }
}

impl Store {
    /// How many recipients a campaign has in each state. Counts are absolute:
    /// blocks that changed are counted again from their rows, in a large campaign
    /// at most every five seconds unless `exact` is asked for.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn counts(&self, tenant: &TenantId, campaign: CampaignId, exact: bool) -> Result<Counts> {
        let heads = self.tallies(tenant, campaign).await?;
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

    async fn tallies(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Vec<Tally>> {
        let query = Query { pk: heads_pk(tenant, campaign), ..Query::default() };
        Ok(self.query(&query).await?.iter().map(Tally::of).collect())
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
            .set("counts", AttributeValue::M(stored))
            .set("counted", n(self.clock().now_ms()))
            .set("seen", s(mark))
            .remove("dirty")
            .when(When::Is("dirty", s(mark)));
        match self.update(update).await {
            // Rows changed while we counted: the next one who asks counts again.
            Ok(()) | Err(Error::Conflict) => Ok(counts),
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
