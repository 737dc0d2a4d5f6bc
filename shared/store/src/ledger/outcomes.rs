//! Outcomes and statuses of recipients: a row only moves forward, and never to another
//! attempt. Recorded twice, the second changes nothing.

use std::collections::{BTreeMap, HashSet};

use domain::outcome::Reason;
use domain::recipient::{Progress, State, Status};
use domain::{CampaignId, ContactId, TenantId};

use super::{ERASED, QUIET, REFUSED, Row, row_key};
use crate::batch::{Action, StatementResult};
use crate::contacts::block_of;
use crate::credits::{BACK, COST, cost_of, refund_action};
use crate::item::{Item, n, number, s};
use crate::progress::{read_progress, set_changes};
use crate::repeat::{MARK, is_marked};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// How often a claim is tried again whose answer does not come.
const CLAIM_TRIES: u32 = 3;
/// How often a status is tried against concurrent writers.
const TRIES: u32 = 6;

/// The outcome of one attempt, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum RowOutcome {
    /// The provider took it.
    Accepted {
        /// The provider's id.
        provider_id: String,
        /// Held for quality assessment.
        held: bool,
    },
    /// It will not be sent: the provider's code.
    Failed {
        /// Why.
        reason: Reason,
    },
    /// It was not sent, for a reason of ours.
    Skipped {
        /// Why.
        reason: Reason,
    },
    /// It may have been sent.
    Unknown,
    /// It was not sent; the next attempt is due then.
    Retry {
        /// Milliseconds since 1970.
        at_ms: i64,
        /// How many attempts were refused so far for a reason of the message's own.
        failures: u32,
    },
    /// It was not sent: the recipient's quiet hours last until then.
    Quiet {
        /// Milliseconds since 1970.
        until_ms: i64,
    },
}

impl RowOutcome {
    /// Whether the provider has the message, or may have it.
    pub fn may_be_sent(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Unknown)
    }
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

/// A change of a row that knows more already.
struct Late<F> {
    campaign: CampaignId,
    contact: ContactId,
    attempt: u32,
    item: Item,
    change: F,
}

impl<F: Fn(&mut Progress) -> bool> Late<F> {
    /// What to write; `None` when the change changes nothing, or is about an
    /// earlier attempt.
    fn update(&self, tenant: &TenantId) -> Option<Update> {
        let before = read_progress(&self.item);
        let mut after = before.clone();
        if number(&self.item, "att") != Some(self.attempt) || !(self.change)(&mut after) {
            return None;
        }
        // Of a failure that was told before, and that the owner had sent again, only an
        // arrival is news.
        if self.item.contains_key(REFUSED) && after.state.rank() <= State::Failed.rank() {
            return None;
        }
        if self.item.contains_key(ERASED) {
            after.provider_id = None;
        }
        // That may have been all that was new.
        if after == before {
            return None;
        }
        let update = Update::of(row_key(tenant, self.campaign, self.contact));
        let update = set_changes(update, Some(&before), &after).when(When::Is("att", n(self.attempt)));
        Some(update.when(When::Is("rk", n(before.state.rank()))))
    }

    /// What is paid back with the change: of a row that is paid and fails.
    fn refund(&self) -> Option<u64> {
        let before = read_progress(&self.item);
        let mut after = before.clone();
        (self.change)(&mut after);
        let fails = after.state == State::Failed && before.state != State::Failed;
        let is_back = number(&self.item, BACK).is_some_and(|back: u32| back >= self.attempt);
        cost_of(&self.item).filter(|_| fails && !is_back)
    }

    /// The same change on the row as it is by now.
    fn again(self, answer: StatementResult) -> Option<Self> {
        match answer {
            StatementResult::No(Some(item)) => Some(Self { item, ..self }),
            StatementResult::Yes | StatementResult::No(None) => None,
        }
    }
}

/// Campaign, recipient and attempt.
type AttemptKey = (CampaignId, ContactId, u32);

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
        outcomes: &[(ContactId, u32, RowOutcome)],
    ) -> Result<()> {
        let now = self.clock().now_ms();
        let statements: Result<Vec<_>> = outcomes
            .iter()
            .map(|(contact, attempt, outcome)| {
                outcome_update(Update::of(row_key(tenant, campaign, *contact)), *attempt, outcome, now)
                    .into_statement(self.table())
            })
            .collect();
        let answers = self.execute(statements?).await?;
        let mut late = Vec::new();
        for ((contact, attempt, outcome), answer) in outcomes.iter().zip(answers) {
            if let (StatementResult::No(Some(item)), RowOutcome::Accepted { provider_id, held }) =
                (answer, outcome)
            {
                let change = move |p: &mut Progress| p.accept(provider_id, *held, now);
                late.push(Late { campaign, contact: *contact, attempt: *attempt, item, change });
            }
        }
        self.settle_rows(tenant, late).await
    }

    /// Applies statuses; those of one attempt together. In order they cost one
    /// write; late, repeated or early ones are merged, so that all timestamps are
    /// kept and the state only moves forward. A status of an earlier attempt
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn apply_statuses(&self, tenant: &TenantId, updates: &[StatusUpdate]) -> Result<()> {
        let mut open: BTreeMap<AttemptKey, Vec<&StatusUpdate>> = BTreeMap::new();
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
        attempts: &[(AttemptKey, Vec<&StatusUpdate>)],
    ) -> Result<()> {
        let statements: Result<Vec<_>> = attempts
            .iter()
            .map(|(key, statuses)| status_update(tenant, *key, statuses).into_statement(self.table()))
            .collect();
        let answers = self.execute(statements?).await?;
        let mut late = Vec::new();
        for (((campaign, contact, attempt), statuses), answer) in attempts.iter().zip(answers) {
            if let StatementResult::No(Some(item)) = answer {
                let change = move |p: &mut Progress| apply_all(p, statuses);
                late.push(Late { campaign: *campaign, contact: *contact, attempt: *attempt, item, change });
            }
        }
        self.settle_rows(tenant, late).await
    }

    /// Merges changes into rows that others write too: read, change, write if the
    /// rank is still the one that was read.
    async fn settle_rows<F>(&self, tenant: &TenantId, mut late: Vec<Late<F>>) -> Result<()>
    where
        F: Fn(&mut Progress) -> bool,
    {
        for round in 0..TRIES {
            let (mut open, mut statements, mut again) = (Vec::new(), Vec::new(), Vec::new());
            for row in late {
                let Some(update) = row.update(tenant) else { continue };
                match row.refund() {
                    Some(cost) => {
                        let answer = self.fail_paid(tenant, &row, update, cost).await?;
                        again.extend(row.again(answer));
                    }
                    None => {
                        statements.push(update.into_statement(self.table())?);
                        open.push(row);
                    }
                }
            }
            let answers = self.execute(statements).await?;
            late = open.into_iter().zip(answers).filter_map(|(row, answer)| row.again(answer)).collect();
            late.extend(again);
            if late.is_empty() {
                return Ok(());
            }
            self.back_off(round).await;
        }
        Err(Error::Contended)
    }

    /// Writes down that a row fails which is paid, and pays it back.
    async fn fail_paid<F>(
        &self,
        tenant: &TenantId,
        row: &Late<F>,
        update: Update,
        cost: u64,
    ) -> Result<StatementResult> {
        let Late { campaign, contact, attempt, .. } = row;
        let key = update.key.clone();
        let update =
            update.set(BACK, n(attempt)).when(When::AbsentOrAtMost(BACK, n(attempt.saturating_sub(1))));
        let actions = vec![
            Action::Update(update),
            refund_action(tenant, cost, 0),
            super::paid::returned_action(tenant, *campaign, block_of(*contact), cost),
        ];
        match self.transact(actions).await {
            Ok(()) => Ok(StatementResult::Yes),
            Err(Error::Conflict) => Ok(StatementResult::No(self.get_item(&key).await?)),
            Err(error) => Err(error),
        }
    }

    /// Claims recipients that wait for their next attempt; answers for each whether it
    /// is claimed. One that a status, an order or a cancellation was faster at is not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn claim_rows(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        rows: &[Row],
    ) -> Result<Vec<bool>> {
        let mark = self.mark();
        let statements: Result<Vec<_>> = rows
            .iter()
            .map(|row| claiming(tenant, campaign, row, &mark).into_statement(self.table()))
            .collect();
        let statements = statements?;
        let mut answers = self.execute(statements.clone()).await;
        // Nobody else has this mark: what was claimed although no answer came is found.
        for round in 0..CLAIM_TRIES {
            if answers.is_ok() {
                break;
            }
            self.back_off(round + 3).await;
            answers = self.execute(statements.clone()).await;
        }
        let answers = answers?;
        let claimed = |answer| match answer {
            StatementResult::Yes => true,
            StatementResult::No(item) => item.is_some_and(|item| is_marked(&item, Some(&mark))),
        };
        Ok(answers.into_iter().map(claimed).collect())
    }
}

/// What claims a recipient that waits for its next attempt.
pub(super) fn claiming(tenant: &TenantId, campaign: CampaignId, row: &Row, mark: &str) -> Update {
    Update::of(row_key(tenant, campaign, row.contact))
        .set("state", s(State::Claimed.as_str()))
        .set("rk", n(State::Claimed.rank()))
        .set("att", n(row.attempt + 1))
        .set(MARK, s(mark))
        .remove("retry")
        .remove(REFUSED)
        .when(When::Is("att", n(row.attempt)))
        .when(When::Is("rk", n(State::Pending.rank())))
}

pub(super) fn outcome_update(update: Update, attempt: u32, outcome: &RowOutcome, now: i64) -> Update {
    let mut progress;
    let mut update = update;
    match outcome {
        RowOutcome::Accepted { provider_id, held } => {
            progress = Progress::new(State::Pending);
            progress.accept(provider_id, *held, now);
            update = update.when(When::Absent(ERASED)).when(When::Absent(REFUSED));
        }
        RowOutcome::Failed { reason } => {
            update = update.when(When::Absent(REFUSED));
            progress = Progress::new(State::Failed);
            progress.reason = Some(reason.clone());
            progress.failed_at = Some(now);
        }
        RowOutcome::Skipped { reason } => {
            progress = Progress::new(State::Skipped);
            progress.reason = Some(reason.clone());
        }
        RowOutcome::Unknown => {
            progress = Progress::new(State::Unknown);
            update = update.set("lost", n(now)).remove("retry");
        }
        RowOutcome::Retry { at_ms, failures } => {
            progress = Progress::new(State::Pending);
            update = update.set("retry", n(at_ms)).set("fails", n(failures));
        }
        RowOutcome::Quiet { until_ms } => {
            progress = Progress::new(State::Pending);
            update = update.set("retry", n(until_ms)).set(QUIET, n(until_ms));
        }
    }
    // What was given up for unknown is not sent again by itself, whatever comes late.
    let below = match outcome {
        RowOutcome::Retry { .. } | RowOutcome::Quiet { .. } | RowOutcome::Unknown => State::Unknown,
        RowOutcome::Accepted { .. } | RowOutcome::Failed { .. } | RowOutcome::Skipped { .. } => {
            State::Accepted
        }
    };
    let mut update = set_changes(update, None, &progress);
    for when in Store::open_attempt(attempt, below) {
        update = update.when(when);
    }
    update
}

fn apply_all(progress: &mut Progress, statuses: &[&StatusUpdate]) -> bool {
    let apply = |changed, update: &&StatusUpdate| {
        progress.apply(&update.status, &update.provider_id, update.at_ms) || changed
    };
    statuses.iter().fold(false, apply)
}

/// Writes the statuses of one attempt if the row knows none of them yet, nor a
/// failure that they would undo or repeat, and may know the provider's id.
fn status_update(
    tenant: &TenantId,
    (campaign, contact, attempt): AttemptKey,
    statuses: &[&StatusUpdate],
) -> Update {
    let mut progress = Progress::new(State::Pending);
    apply_all(&mut progress, statuses);
    let is_failure = progress.state == State::Failed;
    let lowest = statuses.iter().map(|update| update.status.state().rank()).min().unwrap_or(0);
    let update = set_changes(Update::of(row_key(tenant, campaign, contact)), None, &progress);
    // What is paid is paid back with it: that takes more than a statement.
    let update = if is_failure { update.when(When::Absent(COST)) } else { update };
    update
        .when(When::Is("att", n(attempt)))
        .when(When::Below("rk", n(lowest)))
        .when(When::Absent("reason"))
        .when(When::Absent(REFUSED))
        .when(When::Absent(ERASED))
}
