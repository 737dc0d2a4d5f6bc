//! The ledger of credits, property by property: whatever is done at once, and wherever a
//! process ends, the sum is right and never below zero.

use std::collections::BTreeSet;

use domain::message::Address;
use domain::outcome::Reason;
use domain::recipient::{Progress, State, Status};
use domain::{CampaignId, ContactId, MessageId};
use futures::future::join_all;
use harness::{Setup, World, phone};
use proptest::prelude::*;
use store::credits::{Charge, Grant, Paid, Payment};
use store::due::{Due, Watched};
use store::ledger::{Counts, PlannedRow, RowOutcome, StatusUpdate, Unsent};
use store::messages::Message;
use store::usage::Allowance;
use tokio::runtime::Builder;

use super::{cost_of, cost_of_messages, purse};

/// Recipients of the campaign, each for so many credits.
const RECIPIENTS: u64 = 30;
const PRICE: u64 = 3;

/// Something that a process does.
#[derive(Debug, Clone)]
enum Step {
    /// An agency grants so many credits, under one of a few keys.
    Grant(u64, u8),
    /// A single message of this price.
    Send(u64),
    /// The nth single message fails, as it may be told several times.
    Fail(usize),
    /// The next recipients of the campaign are claimed, and come to this.
    Wave(u64, Vec<u8>),
    /// A recipient whose message was taken fails.
    Status(u64),
    /// Those who wait are tried again.
    Again(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let outcomes = || prop::collection::vec(0u8..5, 1..6);
    prop_oneof![
        (1u64..12, 0u8..4).prop_map(|(amount, key)| Step::Grant(amount, key)),
        (0u64..5).prop_map(Step::Send),
        (0usize..6).prop_map(Step::Fail),
        (1u64..8, outcomes()).prop_map(|(count, outcomes)| Step::Wave(count, outcomes)),
        (1u64..=RECIPIENTS).prop_map(Step::Status),
        outcomes().prop_map(Step::Again),
    ]
}

/// Steps that are done at once, and after how many calls their process ends.
fn round() -> impl Strategy<Value = (Vec<Step>, Option<u64>)> {
    (prop::collection::vec(step(), 1..5), prop::option::of(0u64..12))
}

fn outcome(kind: u8) -> RowOutcome {
    match kind {
        0 => RowOutcome::Failed { reason: Reason::meta(131_026) },
        1 => RowOutcome::Skipped { reason: Reason::word("opted_out") },
        2 => RowOutcome::Retry { at_ms: 0, failures: 1 },
        3 => RowOutcome::Unknown,
        _ => RowOutcome::Accepted { provider_id: "wamid.x".to_owned(), held: false },
    }
}

struct Play {
    world: World,
    campaign: CampaignId,
}

impl Play {
    async fn new(credits: u64) -> Self {
        let world = World::with(Setup { credits: Some(credits), ..Setup::default() }).await;
        let (campaign, _) = world.draft_of(world.text_draft("Ciao")).await.unwrap();
        let row = |id: u64| PlannedRow {
            contact: ContactId(id),
            address: Some(Address::parse(&phone(usize::try_from(id).unwrap())).unwrap()),
            params: Vec::new(),
            skip: None,
            cost: Some(PRICE),
        };
        let rows: Vec<PlannedRow> = (1..=RECIPIENTS).map(row).collect();
        let (store, tenant) = (world.store(), world.tenant());
        store.plan_rows(tenant, campaign.id, &rows).await.unwrap();
        let counts = Counts::planned(&rows);
        store.publish_head(tenant, campaign.id, 0, ContactId(RECIPIENTS), &counts).await.unwrap();
        Self { campaign: campaign.id, world }
    }

    /// What a process does; what is refused, or comes to nothing, is no matter.
    async fn take(&self, step: &Step, epoch: u64) {
        match step {
            Step::Grant(amount, key) => self.grant(*amount, *key).await,
            Step::Send(cost) => self.send(*cost).await,
            Step::Fail(nth) => self.fail(*nth).await,
            Step::Wave(count, outcomes) => self.wave(*count, outcomes, epoch).await,
            Step::Status(contact) => self.status(ContactId(*contact)).await,
            Step::Again(outcomes) => self.again(outcomes).await,
        }
    }

    async fn grant(&self, amount: u64, key: u8) {
        let agency = self.world.agency.as_ref().unwrap().tenant_id();
        let keys: Vec<String> = (key > 0).then(|| format!("key-{key}")).into_iter().collect();
        let tenant = self.world.tenant();
        let grant = Grant { agency, tenant, amount, description: None, by: "owner", keys: &keys };
        let _refused = self.world.store().grant(&grant).await;
    }

    async fn send(&self, cost: u64) {
        let (store, tenant) = (self.world.store(), self.world.tenant());
        let message = Message {
            id: MessageId(store.entropy().ulid(store.clock().now())),
            account: self.world.account.id,
            channel: domain::channel::Channel::Whatsapp,
            sender: None,
            campaign: None,
            contact: None,
            inbound: false,
            address: Address::parse(&phone(1)).unwrap(),
            kind: "text".to_owned(),
            text: None,
            content: "{}".to_owned(),
            progress: Progress::new(State::Claimed),
            rewritten: None,
            cost: None,
            is_refunded: false,
        };
        let what = Watched::Message(message.account, message.id);
        let due = Due { tenant: tenant.clone(), what, at_ms: store.clock().now_ms() + 30_000 };
        let charge = Charge { credits: cost, messages: 1, limits: Allowance::default() };
        let payment = Payment { charge, purse: store.purse(tenant).await.ok().flatten() };
        if let Ok(Paid::Yes(_)) = store.create_paid_message(tenant, &message, (&due, None), &payment).await {
            let _lost = store.accept_message(tenant, &message, &format!("wamid.{}", message.id), false).await;
        }
    }

    async fn fail(&self, nth: usize) {
        let (store, tenant) = (self.world.store(), self.world.tenant());
        let before = MessageId::first_of(store.clock().now_ms() + 60_000);
        let account = self.world.account.id;
        let Ok(day) = store.messages_of_day(tenant, &[account], before, 100).await else { return };
        if let Some(message) = day.messages.get(nth) {
            let status = Status::Failed(Reason::meta(131_026));
            let _lost = store.message_status(tenant, account, message.id, status, "wamid.f", 1).await;
        }
    }

    async fn wave(&self, count: u64, outcomes: &[u8], epoch: u64) {
        let (store, tenant, id) = (self.world.store(), self.world.tenant(), self.campaign);
        let Ok(head) = store.adopt_head(tenant, id, 0, epoch).await else { return };
        let Ok(rows) = store.rows_after(tenant, id, 0, head.cursor, usize::try_from(count).unwrap()).await
        else {
            return;
        };
        let rows: Vec<_> = rows.into_iter().filter(|row| row.progress.state == State::Pending).collect();
        let Some(last) = rows.last() else { return };
        if let Ok(Paid::Yes(_)) = store.claim_paid(tenant, id, (&head, last.contact), &rows, None).await {
            let claimed: Vec<(ContactId, u32)> = rows.iter().map(|row| (row.contact, row.attempt)).collect();
            self.record(&claimed, outcomes).await;
        }
    }

    async fn again(&self, outcomes: &[u8]) {
        let (store, tenant, id) = (self.world.store(), self.world.tenant(), self.campaign);
        let Ok(rows) = store.open_rows(tenant, id, 0, ContactId(RECIPIENTS)).await else { return };
        let waiting: Vec<_> = rows.into_iter().filter(|row| row.retry_at.is_some()).take(4).collect();
        if let Ok(done) = store.claim_rows_paid(tenant, id, &waiting, None).await {
            let claimed = waiting.iter().zip(&done.claimed).filter(|(_, is)| **is);
            let claimed: Vec<_> = claimed.map(|(row, _)| (row.contact, row.attempt + 1)).collect();
            self.record(&claimed, outcomes).await;
        }
    }

    async fn record(&self, claimed: &[(ContactId, u32)], outcomes: &[u8]) {
        let (store, tenant, id) = (self.world.store(), self.world.tenant(), self.campaign);
        let all = claimed
            .iter()
            .zip(outcomes.iter().cycle())
            .map(|((contact, attempt), kind)| (*contact, *attempt, outcome(*kind)));
        let (sent, unsent): (Vec<_>, Vec<_>) = all.partition(|(.., outcome)| outcome.may_be_sent());
        let unsent: Vec<Unsent> = unsent
            .into_iter()
            .map(|(contact, attempt, outcome)| Unsent { contact, attempt, outcome, cost: PRICE })
            .collect();
        // Twice, as by somebody who got no answer.
        for _ in 0..2 {
            let _lost = store.record_unsent(tenant, id, &unsent).await;
            let _lost = store.record(tenant, id, &sent).await;
        }
    }

    async fn status(&self, contact: ContactId) {
        let (store, tenant, id) = (self.world.store(), self.world.tenant(), self.campaign);
        let Ok(Some(row)) = store.row(tenant, id, contact).await else { return };
        if row.progress.state.rank() < State::Unknown.rank() {
            return;
        }
        let status = Status::Failed(Reason::meta(131_026));
        let provider_id = "wamid.s".to_owned();
        let update =
            StatusUpdate { campaign: id, contact, attempt: row.attempt, status, provider_id, at_ms: 5 };
        let _lost = store.apply_statuses(tenant, &[update.clone(), update]).await;
    }

    /// What a successor makes of what was left: who was claimed and has no outcome is unknown.
    async fn recover(&self, epoch: u64) {
        let (store, tenant, id) = (self.world.store(), self.world.tenant(), self.campaign);
        let head = store.adopt_head(tenant, id, 0, epoch).await.unwrap();
        let open = store.open_rows(tenant, id, 0, head.cursor).await.unwrap();
        let lost = open.iter().filter(|row| row.progress.state == State::Claimed || row.retry_at.is_none());
        let lost: Vec<_> = lost.map(|row| (row.contact, row.attempt, RowOutcome::Unknown)).collect();
        store.record(tenant, id, &lost).await.unwrap();
    }

    /// What is paid is what may have been sent, and was not paid back.
    async fn check(&self) -> Result<(), TestCaseError> {
        let purse = purse(&self.world).await;
        let spent = cost_of(&self.world, self.campaign).await + cost_of_messages(&self.world).await;
        prop_assert_eq!(purse.granted.checked_sub(spent), Some(purse.balance), "{:?}", purse);
        let granted = self.world.store().grants(self.world.tenant(), None, 1_000).await.unwrap();
        prop_assert_eq!(granted.iter().map(|grant| grant.amount).sum::<u64>(), purse.granted);
        let ids: BTreeSet<MessageId> = granted.iter().map(|grant| grant.id).collect();
        prop_assert_eq!(ids.len(), granted.len());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_sum_is_right(credits in 0u64..40, rounds in prop::collection::vec(round(), 1..7)) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let play = Play::new(credits).await;
            for (nth, (steps, kill)) in rounds.iter().enumerate() {
                let epoch = u64::try_from(nth).unwrap() * 2 + 1;
                let work = join_all(steps.iter().map(|step| play.take(step, epoch)));
                match kill {
                    Some(calls) => drop(play.world.kill_after(*calls, work).await),
                    None => drop(work.await),
                }
                play.recover(epoch + 1).await;
                play.check().await?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
