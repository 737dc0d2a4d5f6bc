//! What must hold, whatever went wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::PhoneNumber;
use domain::campaign::CampaignState;
use domain::identity::Identity;
use domain::message::CallbackRef;
use domain::recipient::State;
use domain::{CampaignId, ContactId, MessageId};
use flows::At;
use simulators::graph::AcceptedMessage;
use store::ledger::Row;
use tokio::time::sleep;
use ulid::Ulid;

use super::feed::Feed;
use super::gate::{Fired, Posted};
use super::plan::Shape;
use super::scenarios::shop;
use super::stage::{Answers, Promise, Stage};
use crate::phone;

/// After this long whoever reserved room for contacts is dead.
const RESERVED: Duration = Duration::from_secs(16 * 60);
/// How long something that was claimed before may still leave.
const GRACE_MS: i64 = 25_000;
/// Waves that may be under way when something is stopped.
const WAVES: usize = 2;

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The rule.
    pub kind: &'static str,
    /// Whom or what it is about.
    pub about: String,
}

/// A message that was taken.
#[derive(Debug)]
struct Taken {
    /// Whom it is for: digits, or an id on a channel.
    to: String,
    /// Our reference of it.
    reference: Option<CallbackRef>,
    /// The provider's id.
    provider_id: String,
    /// When, in milliseconds since 1970.
    at_ms: i64,
    body: String,
}

impl From<AcceptedMessage> for Taken {
    fn from(message: AcceptedMessage) -> Self {
        Self {
            reference: message.biz_opaque_callback_data.as_deref().and_then(CallbackRef::parse),
            provider_id: message.wamid,
            at_ms: i64::try_from(message.accepted_at).unwrap(),
            body: message.body.to_string(),
            to: message.to,
        }
    }
}

impl From<Posted> for Taken {
    fn from(posted: Posted) -> Self {
        let id = posted.reference.parse().map(CallbackRef::Message).ok();
        Self {
            reference: id.or_else(|| CallbackRef::parse(&posted.reference)),
            provider_id: posted.reference,
            at_ms: posted.at_ms,
            body: String::new(),
            to: posted.to,
        }
    }
}

/// What was found so far.
#[derive(Debug)]
struct Findings<'a> {
    stage: &'a Stage,
    violations: BTreeSet<Violation>,
    /// What Meta and the channels took, each in order.
    taken: Vec<Taken>,
    /// Whether a process ended, and took what it knew with it.
    ended: bool,
}

/// Looks at everything; what does not hold, in order.
pub(super) async fn check(stage: &Stage) -> Vec<Violation> {
    let by_meta = stage.world.simulator.messages(None, usize::MAX);
    let by_channels = stage.gate.posts();
    let taken = by_meta.into_iter().map(Taken::from).chain(by_channels.into_iter().map(Taken::from));
    let taken = taken.collect();
    let ended = stage.gate.fired().iter().any(|fired| fired.fault.ends());
    // What spins is ended by the gate.
    let ended = ended || !stage.gate.spins().is_empty();
    let mut findings = Findings { stage, violations: BTreeSet::new(), taken, ended };
    findings.nobody_twice();
    findings.campaigns().await;
    findings.promises().await;
    findings.contacts().await;
    findings.messages().await;
    findings.queues().await;
    findings.violations.extend(stage.complaints());
    findings.violations.into_iter().collect()
}

impl Findings<'_> {
    fn add(&mut self, kind: &'static str, about: impl Into<String>) {
        self.violations.insert(Violation { kind, about: about.into() });
    }

    fn nobody_twice(&mut self) {
        let stats = self.stage.world.simulator.stats();
        if stats.duplicates > 0 {
            self.add("sent twice", format!("{} attempts were accepted again", stats.duplicates));
        }
        if stats.repeated > 0 {
            self.add("sent twice", format!("{} messages had the same content", stats.repeated));
        }
    }

    async fn campaigns(&mut self) {
        let promises = self.stage.promises();
        for promise in &promises {
            if let Promise::Audience { campaign, contacts } = promise {
                self.campaign(*campaign, *contacts).await;
            }
        }
    }

    async fn campaign(&mut self, id: CampaignId, contacts: u64) {
        let world = &self.stage.world;
        let Some(stored) = world.store().campaign(world.tenant(), id).await.unwrap() else {
            return self.add("campaign is gone", id.to_string());
        };
        let (state, reason) = (stored.campaign.state, stored.campaign.reason);
        let rows = world.rows(id).await;
        let expected = self.stage.expected().clone();
        let ends = match state {
            CampaignState::Finished => !expected.cancels || rows.iter().all(|row| !is_open(row)),
            CampaignState::Cancelled => expected.cancels,
            CampaignState::Paused => expected.stays_paused,
            CampaignState::Draft
            | CampaignState::Scheduled
            | CampaignState::Planning
            | CampaignState::Running
            | CampaignState::Failed => false,
        };
        if !ends {
            self.add("campaign does not end", format!("it is {} ({reason:?})", state.as_str()));
        }
        let cancelled_early = state == CampaignState::Cancelled && rows.len() as u64 != contacts;
        // Who is deleted before the planner comes has no row.
        let (most, gone) = (contacts, expected.may_be_erased.len().max(expected.erased.len()) as u64);
        let is_whole = (most - gone.min(most)..=most).contains(&(rows.len() as u64));
        if !is_whole && !cancelled_early {
            self.add("recipients without a row", format!("{} of {contacts} have one", rows.len()));
        }
        self.counts(id, &rows).await;
        let ended = matches!(state, CampaignState::Finished | CampaignState::Cancelled);
        for row in &rows {
            self.row(id, row, ended);
        }
    }

    /// Counts are what the rows say.
    async fn counts(&mut self, id: CampaignId, rows: &[Row]) {
        let world = &self.stage.world;
        let counts = world.store().counts(world.tenant(), id).await.unwrap();
        for state in State::ALL {
            let there = rows.iter().filter(|row| row.progress.state == state).count() as u64;
            if counts.of(state) != there {
                let text = format!("{}: {} counted, {there} rows", state.as_str(), counts.of(state));
                self.add("counts differ from rows", text);
            }
        }
    }

    fn row(&mut self, id: CampaignId, row: &Row, ended: bool) {
        let to = row.address.as_ref().map(|a| a.id().trim_start_matches('+').to_owned());
        let to = to.unwrap_or_default();
        let state = row.progress.state;
        let reason = row.progress.reason.as_ref().map(ToString::to_string).unwrap_or_default();
        let taken = self.taken_for(id, row.contact);
        let about = format!("{to} is {} ({reason})", state.as_str());
        let expected = self.stage.expected().clone();
        match state {
            State::Pending | State::Claimed if ended => self.add("row does not end", about),
            State::Pending | State::Claimed => {}
            State::Accepted | State::Sent | State::Delivered | State::Read if taken == 0 => {
                self.add("shown as sent, never accepted", about);
            }
            State::Accepted if expected.is_silent => {}
            State::Accepted | State::Sent => self.add("status is lost", about),
            State::Delivered | State::Read => {}
            State::Unknown if taken > 0 && expected.is_silent => {}
            State::Failed | State::Skipped | State::Unknown if taken > 0 => {
                self.add("accepted, shown otherwise", about);
            }
            State::Failed if !expected.may_fail.contains(&to) => self.add("failed without a cause", about),
            State::Skipped if expected.may_be_erased.contains(&row.contact) => {}
            State::Skipped if !expected.cancels && !expected.may_be_skipped.contains(&to) => {
                self.add("skipped without a cause", about);
            }
            State::Unknown if !self.ended && !self.stage.gate.addressed().contains(&to) => {
                self.add("unknown, never called", about);
            }
            State::Failed | State::Skipped | State::Unknown => {}
        }
        if taken > 1 {
            self.add("sent twice", format!("{to} was accepted {taken} times"));
        }
        if expected.erased.contains(&row.contact) && taken == 0 && row.address.is_some() {
            self.add("address of a deleted contact is kept", to);
        }
    }

    /// How often a recipient of a campaign was taken.
    fn taken_for(&self, id: CampaignId, contact: ContactId) -> usize {
        let of = |message: &&Taken| matches!(message.reference, Some(CallbackRef::Campaign(c, who, _)) if c == id && who == contact);
        self.taken.iter().filter(of).count()
    }

    async fn promises(&mut self) {
        for promise in self.stage.promises() {
            match promise {
                Promise::Quiet { from_ms, until_ms, .. } => self.quiet(from_ms, until_ms),
                Promise::Nothing { to, from_ms } => self.nothing(&to, from_ms),
                Promise::Message { to, answers } => self.message(&to, &answers),
                Promise::Events { containing, count } => self.events(&containing, count),
                Promise::Received { from, text } => self.received(from, &text).await,
                Promise::Answered { to, text } => self.answered(&to, &text),
                Promise::Marked { who, notes, labels } => self.marked(who, &notes, &labels).await,
                Promise::Rests { who } => self.rests(who).await,
                Promise::Shop(promise) => self.violations.extend(shop::wrong(self.stage, &promise).await),
                Promise::Credits { granted } => self.credits(granted).await,
                Promise::Audience { .. } => {}
            }
        }
    }

    /// What was granted is there, or was paid for what may have been sent.
    async fn credits(&mut self, granted: u64) {
        let world = &self.stage.world;
        let (store, tenant) = (world.store(), world.tenant());
        let purse = store.purse(tenant).await.unwrap().unwrap();
        if purse.granted != granted {
            self.add("credits are lost or doubled", format!("{} of {granted} are granted", purse.granted));
        }
        let end = MessageId::first_of(self.stage.now_ms() + 60_000);
        let day = store.messages_of_day(tenant, &[world.account.id], end, 100).await.unwrap();
        let kept = day.messages.iter().filter(|message| !message.is_refunded);
        let mut paid: u64 = kept.filter_map(|message| message.cost).sum();
        for campaign in store.campaigns(tenant, None, 10).await.unwrap() {
            let rows = world.rows(campaign.campaign.id).await;
            let kept = rows.iter().filter(|row| {
                let state = row.progress.state;
                !matches!(state, State::Pending | State::Skipped) && row.refunded != Some(row.attempt)
            });
            paid += kept.filter_map(|row| row.cost).sum::<u64>();
        }
        if purse.granted - purse.debited + purse.refunded != purse.balance
            || purse.granted - paid != purse.balance
        {
            self.add("the sum of credits is wrong", format!("{paid} are paid: {purse:?}"));
        }
        for message in day.messages.iter().filter(|message| message.progress.state == State::Failed) {
            if message.cost.is_some() && !message.is_refunded {
                self.add("a failure is not paid back", message.address.as_str());
            }
        }
    }

    /// What a person wrote is there, once.
    async fn received(&mut self, from: usize, text: &str) {
        let world = &self.stage.world;
        let identity = Identity::from(&phone(from).parse::<PhoneNumber>().unwrap());
        let contact = world.store().contact_by(world.tenant(), &identity).await.unwrap();
        let texts = match contact {
            Some(contact) => world.conversation(world.account.id, contact.id).await,
            None => Vec::new(),
        };
        let times = texts.iter().filter(|t| *t == text).count();
        if times != 1 {
            self.add("what was written is lost or doubled", format!("{text}: {times} times"));
        }
    }

    /// Nothing of a flow is under way for ever.
    async fn rests(&mut self, who: usize) {
        let world = &self.stage.world;
        let identity = Identity::from(&phone(who).parse::<PhoneNumber>().unwrap());
        let Some(contact) = world.store().contact_by(world.tenant(), &identity).await.unwrap() else {
            return;
        };
        for run in world.store().runs_of(world.tenant(), contact.id).await.unwrap() {
            if matches!(run.run.at, At::Before { .. } | At::Doing { .. }) {
                self.add("a flow stays under way", format!("{}: {:?}", phone(who), run.run.at));
            }
        }
    }

    /// A contact has its notes and tags, and each tag its number.
    async fn marked(&mut self, who: usize, notes: &[String], labels: &[(String, Answers)]) {
        let world = &self.stage.world;
        let identity = Identity::from(&phone(who).parse::<PhoneNumber>().unwrap());
        let Some(contact) = world.store().contact_by(world.tenant(), &identity).await.unwrap() else {
            return self.add("contacts are lost or stay", phone(who));
        };
        let written: Vec<&String> = contact.notes.iter().map(|note| &note.text).collect();
        let mut wanted: Vec<&String> = notes.iter().collect();
        wanted.sort();
        let mut sorted = written.clone();
        sorted.sort();
        if sorted != wanted {
            self.add("notes are lost or doubled", format!("{written:?}"));
        }
        let numbers = world.store().labels(world.tenant()).await.unwrap();
        for (tag, answers) in labels {
            let ids: Vec<u64> =
                numbers.iter().filter(|label| label.name == *tag).map(|label| label.id.0).collect();
            if ids.len() != 1 || !contact.tags.contains(tag) {
                self.add("labels are lost or doubled", format!("{tag}: {ids:?} of {:?}", contact.tags));
            }
            let told = answers.iter().flatten().filter_map(|(_, body)| body["id"].as_u64());
            for id in told.filter(|id| !ids.contains(id)) {
                self.add("a label has two numbers", format!("{tag}: {id} was told, it is {ids:?}"));
            }
        }
    }

    /// A person is answered, once; who ended or lost an answer amid it may leave it out.
    fn answered(&mut self, to: &str, text: &str) {
        let is_answer = |m: &&Taken| m.to == to && m.body.contains(text);
        let times = self.taken.iter().filter(is_answer).count();
        let lost = |fired: &Fired| fired.fault.ends() || fired.call.shape == Shape::Message;
        if times > 1 {
            self.add("sent twice", format!("{to} was answered {times} times"));
        } else if times == 0 && !self.stage.gate.fired().iter().any(lost) {
            self.add("not answered", to);
        }
    }

    /// Contacts, their identities and their numbers are in order.
    async fn contacts(&mut self) {
        let world = &self.stage.world;
        let expected = self.stage.expected().clone();
        if expected.contacts.is_empty() {
            return;
        }
        self.stage.gate.disarm();
        // What a broken request reserved is given back when it is surely dead.
        sleep(RESERVED).await;
        let total = world.store().contact_total(world.tenant()).await.unwrap();
        world.store().contact_room(world.tenant(), total + 1).await.unwrap();
        let audit = world.audit().await;
        for problem in audit.problems {
            self.add("contacts are not in order", problem);
        }
        if audit.used != audit.contacts {
            let text = format!("{} counted, {} there", audit.used, audit.contacts);
            self.add("the plan's count differs", text);
        }
        let wanted = expected.contacts.iter().map(|phone| (phone, true));
        for (phone, wanted) in wanted.chain(expected.no_contacts.iter().map(|phone| (phone, false))) {
            let identity = Identity::from(&phone.parse::<PhoneNumber>().unwrap());
            let there = world.store().contact_by(world.tenant(), &identity).await.unwrap().is_some();
            if there != wanted {
                self.add("contacts are lost or stay", format!("{phone}: {there}"));
            }
        }
    }

    /// No single message is under way for ever.
    async fn messages(&mut self) {
        let world = &self.stage.world;
        let end = Ulid::from_parts(u64::try_from(self.stage.now_ms()).unwrap(), u128::MAX);
        let accounts = [world.account.id];
        let day = world.store().messages_of_day(world.tenant(), &accounts, MessageId(end), 100).await;
        for message in day.unwrap().messages {
            let state = message.progress.state;
            if matches!(state, State::Claimed | State::Pending) {
                self.add("message stays under way", message.address.as_str());
            }
            let wamid = message.progress.provider_id.clone().unwrap_or_default();
            let callback = Some(CallbackRef::Message(message.id));
            let taken = self.taken.iter().any(|m| m.provider_id == wamid || m.reference == callback);
            if taken && matches!(state, State::Failed | State::Skipped | State::Unknown) {
                self.add(
                    "accepted, shown otherwise",
                    format!("{} is {}", message.address.as_str(), state.as_str()),
                );
            }
        }
    }

    fn quiet(&mut self, from_ms: i64, until_ms: Option<i64>) {
        let until_ms = until_ms.unwrap_or(i64::MAX);
        let after: Vec<i64> = self
            .taken
            .iter()
            .map(|message| message.at_ms)
            .filter(|at| *at > from_ms && *at < until_ms)
            .collect();
        let wave = usize::try_from(self.stage.scenario.setup().per_second).unwrap();
        if after.len() > wave * WAVES {
            self.add("sent after it was stopped", format!("{} messages", after.len()));
        }
        let late = after.iter().filter(|at| **at > from_ms + GRACE_MS).count();
        if late > 0 {
            self.add("sent long after it was stopped", format!("{late} messages"));
        }
    }

    fn nothing(&mut self, to: &str, from_ms: i64) {
        let late = self.taken.iter().filter(|m| m.to == to && m.at_ms > from_ms + GRACE_MS).count();
        if late > 0 {
            self.add("sent to who must not be", format!("{to}, {late} messages"));
        }
    }

    fn message(&mut self, to: &str, answers: &[Option<(u16, serde_json::Value)>]) {
        let taken = self.taken.iter().filter(|message| message.to == to).count();
        if taken > 1 {
            self.add("sent twice", format!("{to} under one key, {taken} times"));
        }
        let text =
            || format!("{to}: {:?}", answers.iter().map(|a| a.as_ref().map(|a| a.0)).collect::<Vec<_>>());
        let fine: BTreeMap<String, usize> = answers
            .iter()
            .flatten()
            .filter(|(status, _)| *status == 200 || *status == 504)
            .fold(BTreeMap::new(), |mut seen, (_, body)| {
                *seen.entry(body.to_string()).or_default() += 1;
                seen
            });
        if fine.len() > 1 {
            self.add("different answers under one key", text());
        }
        match answers.last() {
            Some(Some((200, _))) if taken == 0 => self.add("answered 200, never accepted", text()),
            Some(Some((200 | 504, _))) => {}
            _ if taken > 0 => self.add("accepted, the client knows nothing", text()),
            _ => {}
        }
    }

    fn events(&mut self, containing: &str, count: usize) {
        let events = self.stage.gate.events();
        let ids: BTreeMap<&str, &str> = events
            .iter()
            .filter(|event| event.body.contains(containing))
            .map(|event| (event.id.as_str(), event.body.as_str()))
            .collect();
        if ids.len() != count {
            self.add("events are lost", format!("{} of {count} with {containing}", ids.len()));
        }
    }

    async fn queues(&mut self) {
        let world = &self.stage.world;
        let parked = Feed::of(world).parked(world).await;
        if parked > 0 {
            self.add("parked", format!("{parked} jobs"));
        }
        if self.stage.world.busy.load(Ordering::SeqCst) > 0 {
            self.add("a worker hangs", String::new());
        }
        if let Some(who) = self.stage.gate.spins().first() {
            self.add("spins", *who);
        }
        if self.stage.gate.is_spent() {
            self.add("busy loop", "it was stopped");
        }
        let mut minutes: HashMap<i64, u64> = HashMap::new();
        for at in self.stage.gate.called_at() {
            *minutes.entry(at / 60_000).or_default() += 1;
        }
        let most = minutes.values().max().copied().unwrap_or(0);
        let bound = self.stage.scenario.busiest_minute();
        if most > bound {
            self.add("busy loop", format!("{most} calls in a minute"));
        }
    }
}

fn is_open(row: &Row) -> bool {
    matches!(row.progress.state, State::Pending | State::Claimed)
}
