//! Recipients that are paid with credits. Each attempt is paid in the transaction that claims
//! it, and paid back in the one that writes down that it was not sent: `back` is the latest
//! attempt that was, so that none is paid back twice. Heads add up what their blocks cost.

use std::collections::BTreeMap;

use domain::{CampaignId, ContactId, TenantId};

use super::heads::{CLAIM_TRIES, heads_pk, key};
use super::outcomes::{claiming, outcome_update};
use super::{Head, Row, RowOutcome, row_key};
use crate::batch::{Action, StatementResult};
use crate::contacts::block_of;
use crate::credits::{BACK, Charge, Paid, Payment, Shortage, refund_action};
use crate::item::{Key, Query, n, number};
use crate::outbox::{Note, Written};
use crate::repeat::is_marked;
use crate::update::{Update, When};
use crate::usage::Allowance;
use crate::{Error, Result, Store};

/// Rows of one transaction: it takes 100 actions, and there is a head for each block.
const AT_ONCE: usize = 45;

/// An outcome of a recipient who was claimed, and surely not sent to.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsent {
    /// Who.
    pub contact: ContactId,
    /// The attempt.
    pub attempt: u32,
    /// What came of it.
    pub outcome: RowOutcome,
    /// What was paid for it.
    pub cost: u64,
}

/// What became of recipients that wait for their next attempt.
#[derive(Debug, Default)]
pub struct Claimed {
    /// Of each whether it is claimed, and paid.
    pub claimed: Vec<bool>,
    /// Why the others are not, where that is for want of credits.
    pub shortage: Option<Shortage>,
    /// What was written for the agency to be told.
    pub told: Vec<Written>,
}

impl From<Vec<bool>> for Claimed {
    fn from(claimed: Vec<bool>) -> Self {
        Self { claimed, ..Self::default() }
    }
}

/// What a campaign cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spending {
    /// Credits that were paid.
    pub debited: u64,
    /// Credits that were given back.
    pub refunded: u64,
    /// Attempts that were paid.
    pub messages: u64,
}

/// Counts what a block was given back.
pub(super) fn returned_action(tenant: &TenantId, campaign: CampaignId, block: u64, cost: u64) -> Action {
    Action::Update(Update::of(key(tenant, campaign, block)).add("returned", n(cost)))
}

/// Counts what attempts in blocks cost.
fn spent(update: Update, credits: u64, messages: usize) -> Update {
    update.add("spent", n(credits)).add("paid", n(messages))
}

fn payment(credits: u64, messages: usize, per_day: Option<u64>) -> Payment {
    let limits = Allowance { per_day, per_minute: None };
    Payment { charge: Charge { credits, messages: messages as u64, limits }, purse: None }
}

impl Store {
    /// Like [`Store::claim`], of recipients whose messages are paid in the same transaction:
    /// `rows` are those that will be sent to.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when nobody is claimed, or nobody knows.
    pub async fn claim_paid(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        (head, to): (&Head, ContactId),
        rows: &[Row],
        per_day: Option<u64>,
    ) -> Result<Paid> {
        let credits = rows.iter().filter_map(|row| row.cost).sum();
        let payment = payment(credits, rows.len(), per_day);
        let claim = spent(self.claiming(tenant, campaign, head, to), credits, rows.len());
        let mut unsure = None;
        for attempt in 0..CLAIM_TRIES {
            // Only we move this cursor under our epoch: that it is there is our doing. It comes before
            // another try, which may find that nothing is left to pay with.
            let is_there = match unsure.is_some() {
                true => self.is_claimed(tenant, campaign, head, to).await,
                false => Ok(false),
            };
            let paid = match is_there {
                Ok(true) => return Ok(Paid::Yes(Note::none().written())),
                Ok(false) => self.pay(tenant, &payment, &[Action::Update(claim.clone())]).await,
                Err(error) => Err(error),
            };
            match paid {
                Ok(paid) => return Ok(paid),
                Err(error) => {
                    unsure = Some(error);
                    self.back_off(attempt + 3).await;
                }
            }
        }
        Err(unsure.unwrap_or(Error::Contended))
    }

    async fn is_claimed(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        head: &Head,
        to: ContactId,
    ) -> Result<bool> {
        let found = self.head(tenant, campaign, head.block).await?;
        Ok(found.is_some_and(|found| found.epoch == head.epoch && found.cursor == to))
    }

    /// Like [`Store::claim_rows`], of recipients whose messages are paid in the same
    /// transaction: as many of them as there are credits for.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn claim_rows_paid(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        rows: &[Row],
        per_day: Option<u64>,
    ) -> Result<Claimed> {
        let mut done = Claimed::default();
        for chunk in rows.chunks(AT_ONCE) {
            if done.shortage.is_none() {
                self.claim_chunk(tenant, campaign, chunk, per_day, &mut done).await?;
            } else {
                done.claimed.extend(chunk.iter().map(|_| false));
            }
        }
        Ok(done)
    }

    /// All of them together; each by itself, when one of them is otherwise by now, or there
    /// is too little for all.
    async fn claim_chunk(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        rows: &[Row],
        per_day: Option<u64>,
        done: &mut Claimed,
    ) -> Result<()> {
        match self.claim_together(tenant, campaign, rows, per_day).await? {
            Paid::Yes(written) => {
                done.told.push(written);
                done.claimed.extend(rows.iter().map(|_| true));
                return Ok(());
            }
            Paid::Elsewise | Paid::Short(_) => {}
        }
        for row in rows {
            let one = std::slice::from_ref(row);
            let paid = match done.shortage {
                Some(_) => false,
                None => match self.claim_together(tenant, campaign, one, per_day).await? {
                    Paid::Yes(written) => {
                        done.told.push(written);
                        true
                    }
                    Paid::Short(shortage) => {
                        done.shortage = Some(shortage);
                        false
                    }
                    Paid::Elsewise => false,
                },
            };
            done.claimed.push(paid);
        }
        Ok(())
    }

    async fn claim_together(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        rows: &[Row],
        per_day: Option<u64>,
    ) -> Result<Paid> {
        let mark = self.mark();
        let mut actions: Vec<Action> =
            rows.iter().map(|row| Action::Update(claiming(tenant, campaign, row, &mark))).collect();
        for (block, (credits, count)) in by_block(rows.iter().map(|row| (row.contact, row.cost.unwrap_or(0))))
        {
            actions.push(Action::Update(spent(Update::of(key(tenant, campaign, block)), credits, count)));
        }
        let credits = rows.iter().filter_map(|row| row.cost).sum();
        let payment = payment(credits, rows.len(), per_day);
        let mut unsure = None;
        for attempt in 0..CLAIM_TRIES {
            // Nobody else has this mark: what was claimed although no answer came is found.
            let is_there = match unsure.is_some() {
                true => self.are_marked(tenant, campaign, rows, &mark).await,
                false => Ok(false),
            };
            let paid = match is_there {
                Ok(true) => return Ok(Paid::Yes(Note::none().written())),
                Ok(false) => self.pay(tenant, &payment, &actions).await,
                Err(error) => Err(error),
            };
            match paid {
                Ok(paid) => return Ok(paid),
                Err(error) => {
                    unsure = Some(error);
                    self.back_off(attempt + 3).await;
                }
            }
        }
        Err(unsure.unwrap_or(Error::Contended))
    }

    async fn are_marked(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        rows: &[Row],
        mark: &str,
    ) -> Result<bool> {
        let keys: Vec<Key> = rows.iter().map(|row| row_key(tenant, campaign, row.contact)).collect();
        let items = self.get_many(keys).await?;
        Ok(items.iter().any(|item| is_marked(item, Some(mark))))
    }

    /// Records outcomes of recipients who were claimed and surely not sent to, and gives back
    /// what was paid for them. As in [`Store::record`], what is known otherwise by now stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer: record them again.
    pub async fn record_unsent(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        unsent: &[Unsent],
    ) -> Result<()> {
        for chunk in unsent.chunks(AT_ONCE) {
            match self.give_back(tenant, campaign, chunk).await {
                Ok(()) => continue,
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
            for one in chunk {
                match self.give_back(tenant, campaign, std::slice::from_ref(one)).await {
                    Ok(()) | Err(Error::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn give_back(&self, tenant: &TenantId, campaign: CampaignId, unsent: &[Unsent]) -> Result<()> {
        let now = self.clock().now_ms();
        let row = |one: &Unsent| {
            let update = Update::of(row_key(tenant, campaign, one.contact));
            let update = outcome_update(update, one.attempt, &one.outcome, now);
            let before = one.attempt.saturating_sub(1);
            Action::Update(update.set(BACK, n(one.attempt)).when(When::AbsentOrAtMost(BACK, n(before))))
        };
        let mut actions: Vec<Action> = unsent.iter().map(row).collect();
        for (block, (credits, _)) in by_block(unsent.iter().map(|one| (one.contact, one.cost))) {
            actions.push(returned_action(tenant, campaign, block, credits));
        }
        let credits = unsent.iter().map(|one| one.cost).sum();
        actions.push(refund_action(tenant, credits, unsent.len() as u64));
        self.transact(actions).await
    }

    /// Records of recipients whom nobody claimed that they will not be. Answers whether that
    /// holds for all: who is claimed by now has another end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn skip_unclaimed(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        outcomes: &[(ContactId, u32, RowOutcome)],
    ) -> Result<bool> {
        let now = self.clock().now_ms();
        let statements: Result<Vec<_>> = outcomes
            .iter()
            .map(|(contact, attempt, outcome)| {
                outcome_update(Update::of(row_key(tenant, campaign, *contact)), *attempt, outcome, now)
                    .when(When::Is("rk", n(domain::recipient::State::Pending.rank())))
                    .into_statement(self.table())
            })
            .collect();
        let answers = self.execute(statements?).await?;
        Ok(answers.iter().all(|answer| *answer == StatementResult::Yes))
    }

    /// What a campaign cost so far.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn campaign_spending(&self, tenant: &TenantId, campaign: CampaignId) -> Result<Spending> {
        let query = Query { pk: heads_pk(tenant, campaign), ..Query::default() };
        let items = self.query(&query).await?;
        let sum = |name: &str| items.iter().filter_map(|item| number::<u64>(item, name)).sum();
        Ok(Spending { debited: sum("spent"), refunded: sum("returned"), messages: sum("paid") })
    }
}

/// What contacts cost, and how many they are, by block.
fn by_block(costs: impl Iterator<Item = (ContactId, u64)>) -> BTreeMap<u64, (u64, usize)> {
    let mut blocks: BTreeMap<u64, (u64, usize)> = BTreeMap::new();
    for (contact, cost) in costs {
        let block = blocks.entry(block_of(contact)).or_default();
        *block = (block.0 + cost, block.1 + 1);
    }
    blocks
}
