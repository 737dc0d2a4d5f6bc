//! Where a scenario is played: a world, its clients, and what they were promised.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use domain::campaign::CampaignState;
use domain::message::Address;
use domain::{CampaignId, ContactId};
use http::Request;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::gate::{Gate, run_as};
use super::invariants::Violation;
use super::scenarios::Scenario;
use super::scenarios::shop::ShopPromise;
use crate::{Answer, Api, World, phone};

/// As long as API Gateway waits for a function.
const GATEWAY: Duration = Duration::from_secs(29);
/// How long a client waits before it tries again; the last time after a request that
/// broke off is taken for dead.
const PAUSES_S: [u64; 7] = [2, 15, 70, 70, 70, 70, 70];

/// How long a client waits for what is to come, in seconds.
const PATIENCE_S: u64 = 600;

/// The answers to a client that insisted, in order; none where there was no answer.
pub(super) type Answers = Vec<Option<(u16, Value)>>;

/// What a client was told, and may therefore count on.
#[derive(Debug, Clone)]
pub enum Promise {
    /// Nothing of the campaign leaves from then on, until it is resumed.
    Quiet {
        /// The campaign.
        campaign: CampaignId,
        /// Since when, in milliseconds of the clock.
        from_ms: i64,
        /// Until when.
        until_ms: Option<i64>,
    },
    /// Nothing is sent to this person from then on.
    Nothing {
        /// Their number, digits.
        to: String,
        /// Since when, in milliseconds of the clock.
        from_ms: i64,
    },
    /// The nth person's ways through flows rest, or are over.
    Rests {
        /// Who.
        who: usize,
    },
    /// A single message.
    Message {
        /// The recipient's number, digits.
        to: String,
        /// The answers to all requests with its key, in order; none where there was no
        /// answer.
        answers: Vec<Option<(u16, Value)>>,
    },
    /// The campaign has a row for each of these.
    Audience {
        /// The campaign.
        campaign: CampaignId,
        /// Its recipients.
        contacts: u64,
    },
    /// What a person wrote is in the conversation, once.
    Received {
        /// The nth person.
        from: usize,
        /// What they wrote.
        text: String,
    },
    /// A person is answered by ourselves, once.
    Answered {
        /// Their number, digits.
        to: String,
        /// A part of the answer.
        text: String,
    },
    /// A contact has these notes and these tags, each once, and each tag one number: the one that
    /// clients were told.
    Marked {
        /// The nth person.
        who: usize,
        /// Texts of the notes.
        notes: Vec<String>,
        /// The tags, with the answers to whoever made labels of them.
        labels: Vec<(String, Answers)>,
    },
    /// A catalog is as it is at Meta, and what was ordered from it is one order.
    Shop(ShopPromise),
    /// A sub-account was granted so many credits, and what is left of them was not paid.
    Credits {
        /// In all.
        granted: u64,
    },
    /// An endpoint gets this many different events that contain the text.
    Events {
        /// A part of the body.
        containing: String,
        /// How many.
        count: usize,
    },
}

/// What may become of recipients in a scenario.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Recipients that Meta refuses for good, digits.
    pub may_fail: BTreeSet<String>,
    /// Recipients that opted out or were deleted, digits.
    pub may_be_skipped: BTreeSet<String>,
    /// Contacts whose owner deletes them.
    pub may_be_erased: BTreeSet<ContactId>,
    /// Those of which the owner was told that they are: nothing of them stays.
    pub erased: BTreeSet<ContactId>,
    /// Numbers of which there is a contact at the end.
    pub contacts: Vec<String>,
    /// Numbers of which there is none.
    pub no_contacts: Vec<String>,
    /// Whether the owner cancels.
    pub cancels: bool,
    /// Whether the owner leaves it paused.
    pub stays_paused: bool,
    /// Whether the channel says nothing of what became of a message.
    pub is_silent: bool,
}

/// A scenario on its way.
#[derive(Debug)]
pub struct Stage {
    /// What is played.
    pub scenario: Scenario,
    /// The product.
    pub world: Arc<World>,
    /// What its calls pass.
    pub gate: Arc<Gate>,
    api: Api,
    /// The agency's, where the tenant has one.
    agency: Option<Api>,
    promises: Mutex<Vec<Promise>>,
    expected: Mutex<Expected>,
    complaints: Mutex<Vec<Violation>>,
}

impl Stage {
    /// A stage with a world as the scenario wants it, and nothing played yet.
    pub async fn new(scenario: Scenario, gate: Arc<Gate>) -> Self {
        let world = Arc::new(World::behind(&gate, scenario.setup()).await);
        let api = Api::of(&world).await;
        let agency = match &world.agency {
            Some(_) => Some(Api::of_agency(&world).await),
            None => None,
        };
        Self::with(scenario, gate, world, (api, agency))
    }

    fn with(
        scenario: Scenario,
        gate: Arc<Gate>,
        world: Arc<World>,
        (api, agency): (Api, Option<Api>),
    ) -> Self {
        let (promises, expected) = (Mutex::default(), Mutex::default());
        Self { scenario, world, gate, api, agency, promises, expected, complaints: Mutex::default() }
    }

    /// The same stage once more, behind another gate.
    pub async fn again(&self, gate: Arc<Gate>) -> Self {
        let world = Arc::new(self.world.again(&gate, self.scenario.setup()).await);
        let api = self.api.on(&world);
        let agency = self.agency.as_ref().map(|agency| agency.on(&world));
        let stage = Self::with(self.scenario, gate, world, (api, agency));
        *stage.promises.lock().unwrap() = self.promises();
        *stage.expected.lock().unwrap() = self.expected().clone();
        stage
    }

    /// The time, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.world.clock.now_ms()
    }

    /// Takes note of what a client may count on.
    pub fn promise(&self, promise: Promise) {
        self.promises.lock().unwrap_or_else(PoisonError::into_inner).push(promise);
    }

    /// Nothing may leave from now on.
    fn quiet(&self, campaign: CampaignId) -> usize {
        let mut promises = self.promises.lock().unwrap_or_else(PoisonError::into_inner);
        promises.push(Promise::Quiet { campaign, from_ms: self.now_ms(), until_ms: None });
        promises.len() - 1
    }

    /// Something may leave again: ends the promise of [`Stage::quiet_after`].
    pub fn until(&self, quiet: Option<usize>) {
        let now = self.now_ms();
        let mut promises = self.promises.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Promise::Quiet { until_ms, .. }) = quiet.and_then(|nth| promises.get_mut(nth)) {
            *until_ms = Some(now);
        }
    }

    /// What clients complain of.
    pub fn complaints(&self) -> Vec<Violation> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says what does not hold.
    pub fn complain(&self, kind: &'static str, about: String) {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).push(Violation { kind, about });
    }

    /// A client that insisted expects one of these in the end.
    pub fn served(&self, what: &str, answers: &[Option<(u16, Value)>], expects: &[u16]) {
        let last = answers.last().cloned().flatten();
        if !last.as_ref().is_some_and(|(status, _)| expects.contains(status)) {
            self.complain("a client is not served", format!("{what}: {last:?}"));
        }
    }

    /// The account's token.
    pub fn token(&self) -> &str {
        &self.api.token
    }

    /// The owner's key.
    pub fn key(&self) -> &str {
        &self.api.key
    }

    fn key_of(&self, ask: &Ask<'_>) -> &str {
        match (&self.agency, ask.by_agency) {
            (Some(agency), true) => &agency.key,
            (_, _) => &self.api.key,
        }
    }

    /// Waits until a campaign has this state, as a client does who looks at it.
    pub async fn until_state(&self, id: CampaignId, state: CampaignState) {
        for _ in 0..PATIENCE_S {
            if self.world.campaign(id).await.state == state {
                return;
            }
            self.wait_ms(1_000).await;
        }
        self.complain("campaign does not end", format!("it is not {}", state.as_str()));
    }

    /// Waits until the nth person has opted out; whether they have.
    pub async fn until_opted_out(&self, n: usize) -> bool {
        let address = Address::Phone(phone(n).parse().unwrap());
        for _ in 0..PATIENCE_S {
            let (store, tenant) = (self.world.store(), self.world.tenant());
            if !store.opted_out(tenant, std::slice::from_ref(&address)).await.unwrap().is_empty() {
                return true;
            }
            self.wait_ms(1_000).await;
        }
        self.complain("STOP is lost", phone(n));
        false
    }

    /// Waits until somebody was told something; whether they were.
    pub async fn until_said(&self, to: &str, text: &str) -> bool {
        for _ in 0..PATIENCE_S {
            let said = self.world.simulator.messages(Some(to), 100);
            if said.iter().any(|message| message.body.to_string().contains(text)) {
                return true;
            }
            self.wait_ms(1_000).await;
        }
        false
    }

    /// What clients may count on.
    pub fn promises(&self) -> Vec<Promise> {
        self.promises.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What may become of recipients.
    pub fn expected(&self) -> MutexGuard<'_, Expected> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, while everybody else works.
    pub async fn wait_ms(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }

    /// One request to a function; none when nobody answered.
    pub async fn ask(&self, function: &'static str, ask: &Ask<'_>) -> Option<Answer> {
        let request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header("x-api-key", self.key_of(ask))
            .header("authorization", format!("Bearer {}", self.key_of(ask)))
            .header("content-type", "application/json");
        let request = match ask.key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let request = request.body(Body::from(ask.body.to_string())).unwrap();
        let answer = run_as(&self.gate, function, Box::pin(self.api.send_to(function, request)));
        timeout(GATEWAY, answer).await.ok().flatten()
    }

    /// A request as a careful client makes it: again, under the same key, when it was
    /// not answered, or not by the function's own word. Answers all answers.
    pub async fn insist(&self, function: &'static str, ask: &Ask<'_>) -> Vec<Option<(u16, Value)>> {
        let mut answers = Vec::new();
        for pause in PAUSES_S.into_iter().map(Some).chain([None]) {
            let answer = self.ask(function, ask).await.map(|answer| (answer.status.as_u16(), answer.json()));
            tracing::info!(?answer, path = ask.path, "a client is answered");
            let again = match &answer {
                None => true,
                Some((status, body)) => *status >= 500 || *status == 429 || is_under_way(*status, body),
            };
            answers.push(answer);
            match pause.filter(|_| again) {
                Some(pause) => sleep(Duration::from_secs(pause)).await,
                None => break,
            }
        }
        answers
    }

    /// Asks for a change of a campaign; whether it was answered with success, or found
    /// to be so already.
    pub async fn control(&self, campaign: CampaignId, verb: &str, body: Value) -> bool {
        let path = format!("/api/campaigns/{campaign}/{verb}");
        let answers = self.insist("campaigns", &Ask::post(&path, body)).await;
        // A repetition finds what the first request did; a campaign may have ended before.
        let ended = !matches!(
            self.world.campaign(campaign).await.state,
            CampaignState::Draft | CampaignState::Scheduled | CampaignState::Paused
        );
        self.served(verb, &answers, if answers.len() > 1 || ended { &[200, 409] } else { &[200] });
        matches!(answers.last(), Some(Some((200 | 409, _))))
    }

    /// The same, for what stops a campaign: nothing may leave from then on.
    pub async fn quiet_after(&self, campaign: CampaignId, verb: &str, body: Value) -> Option<usize> {
        let stopped = self.control(campaign, verb, body).await;
        stopped.then(|| self.quiet(campaign))
    }

    /// Deletes a contact; whether the client knows that it is gone.
    pub async fn delete_contact(&self, contact: ContactId) -> bool {
        let path = format!("/api/contacts/{contact}");
        let ask = Ask { method: "DELETE", ..Ask::post(&path, json!({})) };
        let answers = self.insist("contacts", &ask).await;
        self.served("delete", &answers, &[200, 404]);
        matches!(answers.last(), Some(Some((200 | 404, _))))
    }
}

/// «A request with this key is under way.» The contracts of DM Champ and Sendwo have no 409.
fn is_under_way(status: u16, body: &Value) -> bool {
    let message = body["message"].as_str().or(body["error"]["message"].as_str());
    matches!(status, 200 | 400 | 409) && message.is_some_and(|message| message.contains("under way"))
}

/// A request of a client.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: &'a str,
    /// The body, JSON.
    pub body: Value,
    /// `Idempotency-Key`
    pub key: Option<&'a str>,
    /// The tenant's agency asks.
    pub by_agency: bool,
}

impl<'a> Ask<'a> {
    /// A `POST` without a key.
    pub fn post(path: &'a str, body: Value) -> Self {
        Self { method: "POST", path, body, key: None, by_agency: false }
    }
}
