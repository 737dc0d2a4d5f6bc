//! The ledger: one row per recipient of a campaign, and a head per block.
//!
//! A row lives in `LEDGER#<t>#<campaign>#<block>` under the contact's id, so its
//! key is computable from campaign and contact. Its parameters are frozen when
//! it is planned. Heads live in `LHEAD#<t>#<campaign>`; a head holds the cursor
//! of the runner that owns the block, and the block's counts as they were when
//! it was last counted.

mod again;
mod counting;
mod counts;
mod heads;
mod outcomes;
mod paid;

pub use again::Which;
pub use counting::{Marks, Uncounted};
pub use counts::Counts;
pub use heads::{Head, Left};
pub use outcomes::{RowOutcome, StatusUpdate};
pub use paid::{Claimed, Spending, Unsent};

use std::collections::{BTreeSet, HashMap};

use domain::message::Address;
use domain::outcome::Reason;
use domain::recipient::{Progress, State};
use domain::{CampaignId, ContactId, TenantId};
use serde::Serialize;

use crate::batch::insert;
use crate::contacts::block_of;
use crate::credits::{BACK, cost_of};
use crate::item::{Item, Key, Query, compose, n, number, s, text};
use crate::progress::read_progress;
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// The attribute of a row whose recipient was erased.
const ERASED: &str = "gone";
/// The attribute of a row that waits to be sent to again after a failure: see
/// [`Row::is_refused`].
const REFUSED: &str = "refused";
/// Until when a recipient had quiet hours.
const QUIET: &str = "quiet";
/// The attribute of a row that was unknown once: see [`Row::maybe_sent`].
const MAYBE_SENT: &str = "maybe";

fn block_pk(tenant: &TenantId, campaign: CampaignId, block: u64) -> String {
    Kind::Ledger.pk(format_args!("{tenant}#{campaign}#{block:07}"))
}

fn row_key(tenant: &TenantId, campaign: CampaignId, contact: ContactId) -> Key {
    Key::new(block_pk(tenant, campaign, block_of(contact)), sort(contact))
}

fn sort(contact: ContactId) -> String {
    format!("{:010}", contact.0)
}

/// A recipient as the planner writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRow {
    /// Who.
    pub contact: ContactId,
    /// Where to; `None` has no address and is skipped.
    pub address: Option<Address>,
    /// The texts that fill the message, frozen.
    pub params: Vec<String>,
    /// Why it will not be sent.
    pub skip: Option<String>,
    /// What a message to it costs in credits, where its tenant pays with some.
    pub cost: Option<u64>,
}

impl PlannedRow {
    /// Where the recipient stands at first.
    pub(crate) fn state(&self) -> State {
        if self.skip.is_some() { State::Skipped } else { State::Pending }
    }
}

/// A recipient as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Who.
    pub contact: ContactId,
    /// Where to.
    pub address: Option<Address>,
    /// The texts that fill the message.
    pub params: Vec<String>,
    /// The attempt that was made last, or is under way; of a recipient that nobody was
    /// sent to yet, 1. Every call is an attempt of its own.
    pub attempt: u32,
    /// Attempts that the provider refused for a reason of the message's own.
    pub failures: u32,
    /// Not before this time, in milliseconds since 1970: a retry is waiting.
    pub retry_at: Option<i64>,
    /// Where it stands.
    pub progress: Progress,
    /// It waits to be sent to again, and it is known that the attempt failed: that it is
    /// said again changes nothing.
    pub is_refused: bool,
    /// An attempt before may have reached the recipient, or not.
    pub maybe_sent: bool,
    /// It waits until the recipient's quiet hours end.
    pub is_quiet: bool,
    /// What a message to it costs in credits, where its tenant pays with some.
    pub cost: Option<u64>,
    /// The latest attempt whose credits were given back.
    pub refunded: Option<u32>,
}

impl Row {
    /// What is recorded of a recipient who is not to be sent to, for a reason of ours: who
    /// may have the message is not called skipped.
    pub fn skip(&self, reason: Reason) -> RowOutcome {
        if self.maybe_sent { RowOutcome::Unknown } else { RowOutcome::Skipped { reason } }
    }

    /// Whether it is known already that `attempt` failed, or nothing depends on it by now.
    pub fn knows_failure(&self, attempt: u32) -> bool {
        let is_over = self.is_refused || self.progress.state.rank() >= State::Failed.rank();
        self.attempt > attempt || (self.attempt == attempt && is_over)
    }
}

#[derive(Serialize)]
struct RowItem<'a> {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    p: &'a [String],
    state: &'static str,
    rk: u8,
    att: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<u64>,
}

fn from_item(item: &Item) -> Result<Row> {
    let corrupt = || Error::Corrupt { kind: "recipient" };
    let params = item.get("p").and_then(|p| p.as_l().ok()).map_or(&[][..], Vec::as_slice);
    Ok(Row {
        contact: ContactId(number(item, "id").ok_or_else(corrupt)?),
        address: text(item, "to").and_then(|to| Address::parse(&to).ok()),
        params: params.iter().filter_map(|p| p.as_s().ok().cloned()).collect(),
        attempt: number(item, "att").unwrap_or(1),
        failures: number(item, "fails").unwrap_or(0),
        retry_at: number(item, "retry"),
        progress: read_progress(item),
        is_refused: item.contains_key(REFUSED),
        maybe_sent: item.contains_key(MAYBE_SENT),
        is_quiet: number(item, QUIET).is_some_and(|until: i64| number(item, "retry") == Some(until)),
        cost: cost_of(item),
        refunded: number(item, BACK),
    })
}

impl Store {
    /// Writes recipients that are not in the ledger yet; those that are stay as
    /// they were planned first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn plan_rows(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        rows: &[PlannedRow],
    ) -> Result<()> {
        let statements: Result<Vec<_>> = rows
            .iter()
            .map(|row| {
                let state = row.state();
                let item = RowItem {
                    id: row.contact.0,
                    to: row.address.as_ref().map(Address::as_str),
                    p: &row.params,
                    state: state.as_str(),
                    rk: state.rank(),
                    att: 1,
                    reason: row.skip.as_deref(),
                    cost: row.cost,
                };
                insert(self.table(), compose(&row_key(tenant, campaign, row.contact), "recipient", &item)?)
            })
            .collect();
        self.execute(statements?).await.map(|_| ())
    }

    /// Recipients of one block after a contact, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn rows_after(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        after: ContactId,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let query = Query {
            pk: block_pk(tenant, campaign, block),
            after: Some(sort(after)),
            limit: Some(limit),
            ..Query::default()
        };
        self.query(&query).await?.iter().map(from_item).collect()
    }

    /// The last recipient of a block.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn last_row(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
    ) -> Result<Option<ContactId>> {
        let pk = block_pk(tenant, campaign, block);
        let query = Query { pk, limit: Some(1), descending: true, ..Query::default() };
        Ok(self.query(&query).await?.first().and_then(|item| number(item, "id").map(ContactId)))
    }

    /// Recipients of one block up to a contact that are claimed without an
    /// outcome, or wait for a retry.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn open_rows(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        until: ContactId,
    ) -> Result<Vec<Row>> {
        let most = Item::from([(":claimed".to_owned(), n(State::Claimed.rank()))]);
        let query = Query {
            pk: block_pk(tenant, campaign, block),
            until: Some(sort(until)),
            filter: Some(("rk <= :claimed".to_owned(), most)),
            ..Query::default()
        };
        self.query(&query).await?.iter().map(from_item).collect()
    }

    /// One recipient.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn row(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        contact: ContactId,
    ) -> Result<Option<Row>> {
        self.get_item(&row_key(tenant, campaign, contact)).await?.map(|item| from_item(&item)).transpose()
    }

    /// The recipients of several campaigns that are one of these contacts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn rows_of(
        &self,
        tenant: &TenantId,
        campaigns: &[CampaignId],
        contacts: &BTreeSet<ContactId>,
    ) -> Result<Vec<(CampaignId, Row)>> {
        let keyed = campaigns.iter().flat_map(|campaign| {
            contacts.iter().map(|contact| (row_key(tenant, *campaign, *contact), *campaign))
        });
        let owners: HashMap<Key, CampaignId> = keyed.collect();
        let items = self.get_many(owners.keys().cloned().collect()).await?;
        let owner = |item: &Item| Key::of(item).and_then(|key| owners.get(&key).copied());
        let found = items.iter().filter_map(|item| Some((owner(item)?, item)));
        found.map(|(campaign, item)| Ok((campaign, from_item(item)?))).collect()
    }

    /// Takes the address and the texts out of a recipient's row; its state stays. The
    /// provider's id goes, too, and no later outcome brings it back: Meta's contain the
    /// number.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn erase_row(&self, tenant: &TenantId, campaign: CampaignId, contact: ContactId) -> Result<()> {
        let update = Update::of(row_key(tenant, campaign, contact)).remove("to").remove("p").remove("wamid");
        match self.update(update.set(ERASED, n(1)).when(When::Exists)).await {
            Ok(()) | Err(Error::Conflict) => self.mark_dirty(tenant, campaign, &[block_of(contact)]).await,
            Err(error) => Err(error),
        }
    }

    /// Writes down that a recipient is reached elsewhere than was planned, unless it was
    /// erased.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn redirect_row(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        contact: ContactId,
        to: &Address,
    ) -> Result<()> {
        let update = Update::of(row_key(tenant, campaign, contact)).set("to", s(to.as_str()));
        match self.update(update.when(When::Exists).when(When::Absent(ERASED))).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The condition under which an outcome of `attempt` may be recorded: the row
    /// knows nothing that is worth more.
    fn open_attempt(attempt: u32, below: State) -> [When; 2] {
        [When::Is("att", n(attempt)), When::Below("rk", n(below.rank()))]
    }
}
