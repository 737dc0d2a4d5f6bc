//! The product on stores of its own, in front of a simulated Meta.

mod network;
mod steps;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use dispatch::CallPace;
use domain::account::Account;
use domain::plan::Plan;
use domain::sender::SenderId;
use domain::template::NewTemplate;
use domain::{Clock, Entropy, Secret, TenantId};
use http::Request;
use local::Apps;
use local::embedded::{Chaos, Embedded, http_service};
use local::stores::{Aws, BUCKET, TABLE};
use media::Bucket;
use messaging::Services;
use messaging::files::Files;
use messaging::numbers::Connection;
use ops::Caller;
use ops::accounts::{AccountSettings, NewTenant};
use ops::agencies::{NewSub, SubSettings};
use ops::events::EventPublisher;
use outbound::Limits;
use queue::{Queues, Unacknowledged, Urls};
use serde_json::{Value, json};
use simulators::graph::Simulator;
use store::Store;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt;

use network::Network;

use crate::ADMIN_KEY;
use crate::faults::Gate;
use crate::webhooks::router;

/// Key of the webhooks' signatures.
pub const APP_SECRET: &str = "app-secret";
/// What Meta verifies the webhook with.
pub const VERIFY_TOKEN: &str = "verify-token";
/// The connected number.
pub const PHONE_NUMBER_ID: &str = "106540352242922";
/// Its business account.
pub const WABA_ID: &str = "102290129340398";
/// Lets only the simulator's own calls in.
const ACCESS_TOKEN: &str = "EAA-test";
/// When every world begins.
pub(crate) const START: &str = "2026-07-01T08:00:00Z";
/// Seals what must not lie in the table in clear.
const SEALING_KEY: [u8; 32] = [7; 32];
/// How often the clock is moved by the time that passed.
const TICK: Duration = Duration::from_millis(1);

/// How a world is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How the queues misbehave.
    pub chaos: Chaos,
    /// Seed of everything random.
    pub seed: u64,
    /// The tenant's plan.
    pub plan: Plan,
    /// Messages per second of the number.
    pub per_second: u32,
    /// What the simulator does otherwise than by default.
    pub simulator: Value,
    /// What HELP is answered with.
    pub help_message: Option<String>,
    /// Meta knows every number, and not the connected one alone.
    pub any_number: bool,
    /// The tenant is an agency's sub-account with so many credits.
    pub credits: Option<u64>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            chaos: Chaos::default(),
            seed: 1,
            plan: Plan::default(),
            per_second: 2_000,
            simulator: json!({}),
            help_message: None,
            any_number: false,
            credits: None,
        }
    }
}

/// The product on stores of its own, with a tenant, an account and a number.
#[derive(Debug)]
pub struct World {
    /// The embedded AWS.
    pub embedded: Embedded,
    /// What sending takes.
    pub services: Services,
    /// Meta.
    pub simulator: Simulator,
    /// Runs like any clock, and a test may move it forward.
    pub clock: Clock,
    /// The tenant's owner.
    pub caller: Caller,
    /// The owner of its agency, where it has one.
    pub agency: Option<Caller>,
    /// The account with the connected number.
    pub account: Account,
    /// Where the queues are.
    pub urls: Urls,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) busy: AtomicUsize,
    /// The templates that were created.
    templates: Mutex<Vec<NewTemplate>>,
    /// What its calls pass, in a world without sockets.
    gate: Option<Arc<Gate>>,
    /// Ends with the world.
    _background: JoinSet<()>,
}

impl World {
    /// A world without surprises.
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// A world that is set up differently.
    pub async fn with(setup: Setup) -> Self {
        let clock = Clock::fixed(START.parse().unwrap());
        let mut background = JoinSet::new();
        spawn(&mut background, tick(clock.clone()));
        let embedded = Embedded::memory(setup.chaos, setup.seed, clock.clone()).unwrap();
        Self::on(setup, clock, embedded, Network::Sockets, background).await
    }

    /// A world without sockets, whose every call passes `gate`. Its clock is moved by
    /// whoever runs it.
    pub(crate) async fn behind(gate: &Arc<Gate>, setup: Setup) -> Self {
        let clock = gate.time.clock.clone();
        let embedded = Embedded::memory(setup.chaos, setup.seed, clock.clone()).unwrap();
        let embedded = embedded.through(gate.clone());
        let network = Network::Process(gate.clone());
        Self { gate: Some(gate.clone()), ..Self::on(setup, clock, embedded, network, JoinSet::new()).await }
    }

    /// A world of its own behind `gate` that goes on from where this one is. Of Meta it
    /// keeps the templates.
    pub(crate) async fn again(&self, gate: &Arc<Gate>, setup: Setup) -> Self {
        let clock = gate.time.clock.clone();
        let embedded = self.embedded.copy(setup.chaos, setup.seed, clock.clone()).unwrap();
        let embedded = embedded.through(gate.clone());
        let aws = Aws::from(&embedded);
        // What is made from now on is not what was made before.
        let entropy = Entropy::seeded(setup.seed + 1);
        let sealer = store::Sealer::new(&SEALING_KEY, entropy.clone());
        let base = Base {
            store: Store::new(aws.dynamodb.clone(), TABLE, clock.clone(), entropy, sealer),
            queues: Queues::new(aws.sqs.clone(), self.urls.clone()),
            urls: self.urls.clone(),
            bucket: Bucket::new(aws.s3, BUCKET),
            sqs: aws.sqs,
            embedded,
        };
        let network = Network::Process(gate.clone());
        let mut background = JoinSet::new();
        let (services, simulator) = base.wire(&setup, &network, &mut background).await;
        let templates = self.templates.lock().unwrap().clone();
        for template in &templates {
            services.graph.create_template(self.account.number().unwrap(), template).await.unwrap();
        }
        // Their approval was told before.
        simulator.reset(false);
        let who = (self.caller.clone(), self.account.clone(), self.agency.clone());
        let world = base.with(clock, services, simulator, who, background);
        *world.templates.lock().unwrap() = templates;
        world
    }

    async fn on(
        setup: Setup,
        clock: Clock,
        embedded: Embedded,
        network: Network,
        mut background: JoinSet<()>,
    ) -> Self {
        let _already_on = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let entropy = Entropy::seeded(setup.seed);
        let aws = Aws::from(&embedded);
        let sealer = store::Sealer::new(&SEALING_KEY, entropy.clone());
        let store = aws.store(sealer, clock.clone(), entropy).await.unwrap();
        let (queues, urls) = aws.queues().await.unwrap();
        let bucket = aws.bucket(&urls).await.unwrap();
        let base = Base { store, queues, urls, bucket, sqs: aws.sqs, embedded };
        let (services, simulator) = base.wire(&setup, &network, &mut background).await;
        let who = connect(&services, &setup).await;
        base.with(clock, services, simulator, who, background)
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    /// Calls S3 as somebody who only has a URL.
    pub async fn s3(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        let response = http_service(self.embedded.clone()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    /// Reads a signed URL of S3.
    pub async fn fetch(&self, url: &str) -> (u16, Vec<u8>) {
        let url: http::Uri = url.parse().unwrap();
        let request = Request::get(&url).header("host", url.authority().unwrap().as_str());
        self.s3(request.body(Body::empty()).unwrap()).await
    }

    /// What writes facts down and tells them on.
    pub fn publisher(&self) -> EventPublisher {
        EventPublisher::from(&self.services)
    }

    /// What a worker that is called by hand works off.
    #[expect(clippy::disallowed_methods, reason = "a test calls what a worker calls")]
    pub fn job() -> Unacknowledged<'static> {
        Unacknowledged::of_worker(&[])
    }

    /// The product's functions.
    pub fn apps(&self) -> Apps {
        let limits = Limits { total: Duration::from_millis(400), body: Limits::WEBHOOK.body };
        let pace = CallPace { limits, slow_after: Duration::from_millis(100) };
        let admin_key = Some(ADMIN_KEY.to_owned());
        Apps { services: self.services.clone(), admin_key, pace, patience: Duration::ZERO }
    }

    /// What each function used of the table so far.
    pub fn uses(&self) -> BTreeSet<local::embedded::Use> {
        self.embedded.uses()
    }

    /// The connected number.
    pub fn number(&self) -> SenderId {
        SenderId::number(PHONE_NUMBER_ID)
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        self.caller.tenant_id()
    }
}

/// What a world stands on.
#[derive(Debug)]
struct Base {
    embedded: Embedded,
    store: Store,
    queues: Queues,
    urls: Urls,
    bucket: Bucket,
    sqs: aws_sdk_sqs::Client,
}

impl Base {
    /// What sending takes, and Meta.
    async fn wire(
        &self,
        setup: &Setup,
        network: &Network,
        background: &mut JoinSet<()>,
    ) -> (Services, Simulator) {
        let files = Files::new(self.bucket.clone(), "http://localhost:9000");
        let webhooks = router(&self.store, &self.queues, files.bodies());
        let (simulator, graph) = network.open(setup, webhooks, background).await;
        let (store, queues) = (self.store.clone(), self.queues.clone());
        let outbound = network.outbound();
        (Services { store, graph, outbound, files, queues, schedules: None }, simulator)
    }

    fn with(
        self,
        clock: Clock,
        services: Services,
        simulator: Simulator,
        (caller, account, agency): (Caller, Account, Option<Caller>),
        background: JoinSet<()>,
    ) -> World {
        World {
            embedded: self.embedded,
            services,
            simulator,
            clock,
            caller,
            agency,
            account,
            urls: self.urls,
            sqs: self.sqs,
            busy: AtomicUsize::new(0),
            templates: Mutex::default(),
            gate: None,
            _background: background,
        }
    }
}

/// An agency, and the key of its sub-account.
async fn sub_account(store: &Store, setup: &Setup, credits: u64) -> (Caller, Secret) {
    let new = NewTenant {
        name: "Agenzia".to_owned(),
        email: "agenzia@example.com".to_owned(),
        timezone: Some("Europe/Rome".to_owned()),
        plan: setup.plan.clone(),
    };
    let (tenant, key) = ops::accounts::create_tenant(store, new).await.unwrap();
    ops::agencies::mark(store, tenant.id.as_str(), true).await.unwrap();
    let agency = ops::callers::authenticate(store, Some(&key)).await.unwrap();
    let new = NewSub {
        name: "Bottega".to_owned(),
        email: "bottega@example.com".to_owned(),
        timezone: None,
        plan: None,
        credits,
        settings: SubSettings::default(),
    };
    let (_, key) = ops::agencies::create(store, &agency, new).await.unwrap();
    (agency, key)
}

async fn connect(services: &Services, setup: &Setup) -> (Caller, Account, Option<Caller>) {
    let store = &services.store;
    let new = NewTenant {
        name: "Bottega".to_owned(),
        email: "bottega@example.com".to_owned(),
        timezone: Some("Europe/Rome".to_owned()),
        plan: setup.plan.clone(),
    };
    let (agency, key) = match setup.credits {
        Some(credits) => {
            let (agency, key) = sub_account(store, setup, credits).await;
            (Some(agency), key)
        }
        None => (None, ops::accounts::create_tenant(store, new).await.unwrap().1),
    };
    let caller = ops::callers::authenticate(store, Some(&key)).await.unwrap();
    let tenant = caller.tenant.clone();
    let new =
        AccountSettings { help_message: setup.help_message.clone(), ..AccountSettings::named("Negozio") };
    let account = ops::accounts::create_account(store, &tenant, new).await.unwrap();
    let connection = Connection {
        number: PHONE_NUMBER_ID.to_owned(),
        waba_id: WABA_ID.to_owned(),
        access_token: Secret::new(ACCESS_TOKEN),
        app_secret: Secret::new(APP_SECRET),
        verify_token: VERIFY_TOKEN.to_owned(),
        per_second: setup.per_second,
        tier: None,
        as_default: false,
    };
    let connected =
        messaging::numbers::connect_number(store, &services.graph, &caller, account, connection).await;
    (caller, connected.unwrap().0, agency)
}

/// Lets the clock run, so that a test may also move it.
async fn tick(clock: Clock) {
    let mut told = Instant::now();
    loop {
        tokio::time::sleep(TICK).await;
        let passed = told.elapsed().as_millis();
        told += Duration::from_millis(u64::try_from(passed).unwrap());
        clock.advance_ms(i64::try_from(passed).unwrap());
    }
}

fn spawn(background: &mut JoinSet<()>, task: impl Future<Output = ()> + Send + 'static) {
    background.spawn(task);
}
