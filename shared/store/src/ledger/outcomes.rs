use std::collections::{BTreeMap, HashSet};

use domain::recipient::{Progress, State, Status};
use domain::{CampaignId, ContactId, TenantId};

use super::{Row, row_key};
use crate::batch::Applied;
use crate::item::{Item, n, number, s};
use crate::progress::{read_progress, set_changes};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// How often a status is tried against concurrent writers.
const TRIES: usize = 6;

/// The outcome of one attempt, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The provider took it.
    Accepted {
        /// The provider's id.
        provider_id: String,
        /// Held for quality assessment.
        held: bool,
    },
    /// It will not be sent: the provider's code.
    Failed {
        /// Meta's code, or a word of ours.
        reason: String,
    },
    /// It was not sent, for a reason of ours.
    Skipped {
        /// The reason.
        reason: String,
    },
    /// It may have been sent.
    Unknown,
    /// It was not sent; the next attempt is due then.
    Retry {
        /// Milliseconds since 1970.
        at_ms: i64,
    },
}

/// What recording an outcome did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The row says so now.
    Yes,
    /// The row knew more already, from a status that was faster.
    Overtaken,
}

/// A status from the provider about a recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusUpdate {
    /// The campaign.
    pub campaign: CampaignId,
    /// The recipient.
    pub contact: ContactId,
    /// The attempt it is about.
    pub attempt: u32,
    /// What happened.
    pub status: Status,
    /// The provider's id of the message.
    pub provider_id: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Store {
    /// Records the outcomes of a wave, in batches. An outcome never overwrites
    /// what a faster status said, and never touches another attempt.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn record(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        entries: &[(ContactId, u32, Entry)],
    ) -> Result<Vec<Recorded>> {
        let now = self.clock().now_ms();
        let statements: Result<Vec<_>> = entries
            .iter()
            .map(|(contact, attempt, entry)| {
                entry_update(Update::of(row_key(tenant, campaign, *contact)), *attempt, entry, now)
                    .into_statement(self.table())
            })
            .collect();
        let answers = self.execute(statements?).await?;
        let mut recorded = Vec::with_capacity(entries.len());
        for ((contact, attempt, entry), answer) in entries.iter().zip(answers) {
            recorded.push(match (answer, entry) {
                (Applied::Yes, _) => Recorded::Yes,
                (Applied::No(Some(item)), Entry::Accepted { provider_id, held })
                    if number(&item, "att") == Some(*attempt) =>
                {
                    let accept = |p: &mut Progress| p.accept(provider_id, *held, now);
                    self.settle_row(tenant, campaign, *contact, *attempt, item, accept).await?;
                    Recorded::Overtaken
                }
                (Applied::No(_), _) => Recorded::Overtaken,
            });
        }
        Ok(recorded)
    }

    /// Applies statuses; those of one attempt together. In order they cost one
    /// write; late, repeated or early ones are merged, so that all timestamps are
    /// kept and the state only moves forward. A status of an earlier attempt
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn apply_statuses(&self, tenant: &TenantId, updates: &[StatusUpdate]) -> Result<()> {
        let mut open: BTreeMap<(CampaignId, ContactId, u32), Vec<&StatusUpdate>> = BTreeMap::new();
        for update in updates {
            open.entry((update.campaign, update.contact, update.attempt)).or_default().push(update);
        }
        while !open.is_empty() {
            // A batch may name an item once: another attempt of the same recipient waits for the next.
            let mut named = HashSet::new();
            let now: Vec<_> = open.extract_if(.., |key, _| named.insert((key.0, key.1))).collect();
            self.apply_attempts(tenant, &now).await?;
        }
        Ok(())
    }

    async fn apply_attempts(
        &self,
        tenant: &TenantId,
        attempts: &[((CampaignId, ContactId, u32), Vec<&StatusUpdate>)],
    ) -> Result<()> {
        let statements: Result<Vec<_>> = attempts
            .iter()
            .map(|(key, statuses)| status_update(tenant, *key, statuses).into_statement(self.table()))
            .collect();
        let answers = self.execute(statements?).await?;
        for (((campaign, contact, attempt), statuses), answer) in attempts.iter().zip(answers) {
            let Applied::No(Some(item)) = answer else { continue };
            let apply = |p: &mut Progress| apply_all(p, statuses);
            self.settle_row(tenant, *campaign, *contact, *attempt, item, apply).await?;
        }
        Ok(())
    }

    /// Merges a change into a row that others write too: read, change, write if
    /// its rank is still the one that was read.
    async fn settle_row(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        contact: ContactId,
        attempt: u32,
        mut item: Item,
        change: impl Fn(&mut Progress) -> bool,
    ) -> Result<()> {
        let key = row_key(tenant, campaign, contact);
        for round in 0..TRIES {
            let before = read_progress(&item);
            let mut after = before.clone();
            if number(&item, "att") != Some(attempt) || !change(&mut after) {
                return Ok(());
            }
            let update = set_changes(Update::of(key.clone()), Some(&before), &after)
                .when(When::Is("att", n(attempt)))
                .when(When::Is("rk", n(before.state.rank())));
            match self.update(update).await {
                Ok(()) => return Ok(()),
                Err(Error::Conflict) => self.back_off(u32::try_from(round).unwrap_or(0)).await,
                Err(error) => return Err(error),
            }
            item = self.get_item(&key).await?.unwrap_or_default();
        }
        Err(Error::Conflict)
    }

    /// Claims one recipient for its next attempt.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is no longer waiting for this attempt.
    pub async fn claim_row(&self, tenant: &TenantId, campaign: CampaignId, row: &Row) -> Result<()> {
        let update = Update::of(row_key(tenant, campaign, row.contact))
            .set("state", s(State::Claimed.as_str()))
            .set("rk", n(State::Claimed.rank()))
            .remove("retry")
            .when(When::Is("att", n(row.attempt)))
            .when(When::Is("rk", n(State::Pending.rank())));
        self.update(update).await
    }

    /// Makes a failed recipient wait for another attempt, now.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not failed any more.
    pub async fn retry_failed(&self, tenant: &TenantId, campaign: CampaignId, row: &Row) -> Result<()> {
        let update = Update::of(row_key(tenant, campaign, row.contact))
            .set("state", s(State::Pending.as_str()))
            .set("rk", n(State::Pending.rank()))
            .set("att", n(row.attempt + 1))
            .set("retry", n(self.clock().now_ms()))
            .when(When::Is("att", n(row.attempt)))
            .when(When::Is("state", s(State::Failed.as_str())));
        // Nothing of the earlier attempt is true of the next one.
        let earlier = ["reason", "wamid", "held", "acc", "snt", "fld"];
        self.update(earlier.into_iter().fold(update, Update::remove)).await
    }
}

fn entry_update(update: Update, attempt: u32, entry: &Entry, now: i64) -> Update {
    let mut progress;
    let mut update = update;
    match entry {
        Entry::Accepted { provider_id, held } => {
            progress = Progress::new(State::Pending);
            progress.accept(provider_id, *held, now);
        }
        Entry::Failed { reason } => {
            progress = Progress::new(State::Failed);
            progress.reason = Some(reason.clone());
            progress.failed_at = Some(now);
        }
        Entry::Skipped { reason } => {
            progress = Progress::new(State::Skipped);
            progress.reason = Some(reason.clone());
        }
        Entry::Unknown => {
            progress = Progress::new(State::Unknown);
            update = update.when(When::Below("rk", n(State::Unknown.rank())));
        }
        Entry::Retry { at_ms } => {
            progress = Progress::new(State::Pending);
            update = update.set("att", n(attempt + 1)).set("retry", n(at_ms));
        }
    }
    let mut update = set_changes(update, None, &progress);
    for when in Store::open_attempt(attempt) {
        update = update.when(when);
    }
    update
}

fn apply_all(progress: &mut Progress, statuses: &[&StatusUpdate]) -> bool {
    let apply = |changed, update: &&StatusUpdate| {
        progress.apply(update.status, &update.provider_id, update.at_ms) || changed
    };
    statuses.iter().fold(false, apply)
}

/// Writes the statuses of one attempt if the row knows none of them yet, nor a
/// failure that they would undo.
fn status_update(
    tenant: &TenantId,
    (campaign, contact, attempt): (CampaignId, ContactId, u32),
    statuses: &[&StatusUpdate],
) -> Update {
    let mut progress = Progress::new(State::Pending);
    apply_all(&mut progress, statuses);
    let lowest = statuses.iter().map(|update| update.status.state().rank()).min().unwrap_or(0);
    set_changes(Update::of(row_key(tenant, campaign, contact)), None, &progress)
        .when(When::Is("att", n(attempt)))
        .when(When::Below("rk", n(lowest)))
        .when(When::Absent("reason"))
}
