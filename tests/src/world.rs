use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use channels::cloud::Graph;
use domain::account::Account;
use domain::campaign::{Campaign, Draft};
use domain::contact::NewContact;
use domain::plan::Plan;
use domain::recipient::State;
use domain::template::{NewTemplate, Params, TemplateRequest};
use domain::{AccountId, CampaignId, Clock, ContactId, Entropy, Secret, TenantId};
use http::Request;
use local::Apps;
use local::embedded::{Chaos, Embedded, http_service};
use local::stores::{Aws, BUCKET, TABLE};
use media::Bucket;
use ops::accounts::{AccountSettings, Connection, NewTenant};
use ops::contacts::Imported;
use ops::events::Teller;
use ops::files::Files;
use ops::history::Window;
use ops::webhooks::Pace;
use ops::{Caller, Sender};
use outbound::{Limits, Policy, Resolver};
use queue::{Queues, Urls};
use serde_json::{Value, json};
use simulators::graph::{Config, FaultRule, Inbound, Simulator};
use store::Store;
use store::ledger::Row;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt;

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
/// Where the Graph API is said to be when nothing listens there.
const NOWHERE: &str = "http://graph.invalid/v25.0";
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
        }
    }
}

/// The product on stores of its own, with a tenant, an account and a number.
#[derive(Debug)]
pub struct World {
    /// The embedded AWS.
    pub embedded: Embedded,
    /// What sending takes.
    pub sender: Sender,
    /// Meta.
    pub simulator: Simulator,
    /// Runs like any clock, and a test may move it forward.
    pub clock: Clock,
    /// The tenant's owner.
    pub caller: Caller,
    /// The account with the connected number.
    pub account: Account,
    /// Where the queues are.
    pub urls: Urls,
    /// Calls addresses that users give; this machine is allowed.
    pub outbound: outbound::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) busy: AtomicUsize,
    /// The templates that were created.
    templates: Mutex<Vec<NewTemplate>>,
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
        Self::on(setup, clock, embedded, Network::Process(gate.clone()), JoinSet::new()).await
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
        let (sender, simulator) = base.wire(&setup, &network, &mut background).await;
        let templates = self.templates.lock().unwrap().clone();
        for template in &templates {
            sender.graph.create_template(self.account.whatsapp.as_ref().unwrap(), template).await.unwrap();
        }
        // Their approval was told before.
        simulator.reset(false);
        let who = (self.caller.clone(), self.account.clone());
        let world = base.with(clock, sender, simulator, who, &network, background);
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
        let (sender, simulator) = base.wire(&setup, &network, &mut background).await;
        let who = connect(&sender, &setup).await;
        base.with(clock, sender, simulator, who, &network, background)
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.sender.store
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
    pub fn teller(&self) -> Teller {
        Teller::from(&self.sender)
    }

    /// The product's functions.
    pub fn apps(&self) -> Apps {
        let limits = Limits { total: Duration::from_millis(400), body: Limits::WEBHOOK.body };
        let pace = Pace { limits, slow_after: Duration::from_millis(100) };
        let admin_key = Some(ADMIN_KEY.to_owned());
        Apps {
            sender: self.sender.clone(),
            admin_key,
            outbound: self.outbound.clone(),
            pace,
            patience: Duration::ZERO,
        }
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        self.caller.tenant_id()
    }

    /// Imports contacts as the tenant's owner does.
    pub async fn import(&self, rows: impl IntoIterator<Item = NewContact>) -> Imported {
        let rows = rows.into_iter().map(Ok).collect();
        let limit = self.caller.tenant.plan.contacts;
        ops::contacts::import(&self.teller(), self.tenant(), limit, rows).await.unwrap()
    }

    /// Creates an approved template.
    pub async fn template(&self, name: &str, category: &str, body: &str) {
        let request = TemplateRequest {
            name: name.to_owned(),
            category: category.to_owned(),
            body: Some(body.to_owned()),
            ..TemplateRequest::default()
        };
        let number = self.account.whatsapp.as_ref().unwrap();
        let new = request.build().unwrap();
        let (store, graph) = (self.store(), &self.sender.graph);
        ops::templates::create(store, graph, self.tenant(), number, &new).await.unwrap();
        self.templates.lock().unwrap().push(new);
    }

    /// Drafts a campaign of `template` for everybody; it says the contact's name.
    pub async fn draft(&self, template: &str) -> CampaignId {
        let (campaign, warnings) = self.draft_of(template_draft(template)).await.unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        campaign.id
    }

    /// Drafts a campaign.
    pub async fn draft_of(&self, draft: Draft) -> ops::Result<(Campaign, Vec<String>)> {
        ops::campaigns::draft(&self.sender, &self.caller, &self.account, draft).await
    }

    /// Launches a campaign.
    pub async fn launch(&self, id: CampaignId) {
        ops::campaigns::launch(&self.sender, self.tenant(), id).await.unwrap();
    }

    /// A campaign of a utility template to everybody, launched.
    pub async fn launched(&self) -> CampaignId {
        self.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
        let id = self.draft("avviso").await;
        self.launch(id).await;
        id
    }

    /// A campaign as it is stored.
    pub async fn campaign(&self, id: CampaignId) -> Campaign {
        self.store().campaign(self.tenant(), id).await.unwrap().unwrap().campaign
    }

    /// How many recipients are in each state, by name; checked against the rows.
    pub async fn counts(&self, id: CampaignId) -> BTreeMap<&'static str, u64> {
        let counts = self.store().counts(self.tenant(), id).await.unwrap();
        let counted: BTreeMap<&'static str, u64> = State::ALL
            .into_iter()
            .filter(|state| counts.of(*state) > 0)
            .map(|state| (state.as_str(), counts.of(state)))
            .collect();
        let mut seen = BTreeMap::new();
        for row in self.rows(id).await {
            *seen.entry(row.progress.state.as_str()).or_default() += 1;
        }
        assert_eq!(counted, seen, "counts differ from the rows");
        counted
    }

    /// All recipients of a campaign.
    pub async fn rows(&self, id: CampaignId) -> Vec<Row> {
        let mut rows = Vec::new();
        for head in self.store().heads_of(self.tenant(), id).await.unwrap() {
            let after = domain::ContactId(0);
            let block = self.store().rows_after(self.tenant(), id, head.block, after, 1_000);
            rows.extend(block.await.unwrap());
        }
        rows
    }

    /// Why recipients failed or were skipped, with how many.
    pub async fn reasons(&self, id: CampaignId) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for row in self.rows(id).await {
            if let Some(reason) = row.progress.reason {
                *reasons.entry(reason).or_default() += 1;
            }
        }
        reasons
    }

    /// The texts of a conversation, newest first.
    pub async fn conversation(&self, account: AccountId, contact: ContactId) -> Vec<String> {
        let (store, tenant) = (self.store(), self.tenant());
        let contact = store.contact(tenant, contact).await.unwrap().unwrap();
        let window = Window { take: 100, ..Window::default() };
        let page = ops::history::conversation(store, tenant, &[account], &contact.into(), &window).await;
        page.unwrap().entries.into_iter().map(|entry| entry.text.unwrap_or_default()).collect()
    }

    /// Makes the simulator misbehave.
    pub fn fault(&self, rule: FaultRule) {
        self.simulator.add_faults(vec![rule]).unwrap();
    }

    /// Changes the simulator's settings.
    pub fn set(&self, settings: Value) {
        self.simulator.update_settings(&settings).unwrap();
    }

    /// A person writes to the number.
    pub fn writes(&self, from: &str, text: &str) {
        let inbound = Inbound { from: Some(from.to_owned()), text: Some(json!(text)), ..Inbound::default() };
        self.simulator.inbound(inbound).unwrap();
    }
}

/// A campaign of `template` for everybody.
fn template_draft(template: &str) -> Draft {
    Draft {
        name: format!("Campagna {template}"),
        channel: "whatsapp".to_owned(),
        message_type: "template".to_owned(),
        template_name: Some(template.to_owned()),
        template_params: Params::default(),
        ..Draft::default()
    }
}

impl World {
    /// A draft of `template` for everybody, to be changed.
    pub fn template_draft(&self, template: &str) -> Draft {
        template_draft(template)
    }

    /// A draft of free text for everybody, to be changed.
    pub fn text_draft(&self, text: &str) -> Draft {
        Draft {
            message_type: "text".to_owned(),
            template_name: None,
            message: Some(text.to_owned()),
            ..template_draft("testo")
        }
    }
}

/// Clients that are made once: each reads the machine's certificates.
static GRAPH: LazyLock<Graph> = LazyLock::new(|| Graph::new(NOWHERE).unwrap());
static OUTBOUND: LazyLock<outbound::Client> = LazyLock::new(outbound);

fn outbound() -> outbound::Client {
    let policy = Policy::webhooks("127.0.0.1, localhost".parse().unwrap());
    outbound::Client::new(policy, Resolver::System).unwrap()
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
    ) -> (Sender, Simulator) {
        let files = Files::new(self.bucket.clone(), "http://localhost:9000");
        let webhooks = router(&self.store, &self.queues, files.bodies());
        let (simulator, graph) = network.open(setup, webhooks, background).await;
        let (store, queues) = (self.store.clone(), self.queues.clone());
        (Sender { store, graph, files, queues }, simulator)
    }

    fn with(
        self,
        clock: Clock,
        sender: Sender,
        simulator: Simulator,
        (caller, account): (Caller, Account),
        network: &Network,
        background: JoinSet<()>,
    ) -> World {
        World {
            embedded: self.embedded,
            sender,
            simulator,
            clock,
            caller,
            account,
            urls: self.urls,
            outbound: network.outbound(),
            sqs: self.sqs,
            busy: AtomicUsize::new(0),
            templates: Mutex::default(),
            _background: background,
        }
    }
}

/// How the parts of a world reach each other.
#[derive(Debug)]
enum Network {
    /// Over ports of this machine.
    Sockets,
    /// By calls in the process, past a gate.
    Process(Arc<Gate>),
}

impl Network {
    /// Meta, which posts to `webhooks`, and the client that calls it.
    async fn open(
        &self,
        setup: &Setup,
        webhooks: Router,
        background: &mut JoinSet<()>,
    ) -> (Simulator, Graph) {
        let gate = match self {
            Self::Process(gate) => gate,
            Self::Sockets => {
                let (listener, address) = listen().await;
                spawn(background, async move { axum::serve(listener, webhooks).await.unwrap() });
                let posts_to = Posts { url: format!("{address}/webhooks/meta"), ..Posts::default() };
                let simulator = simulator(setup, posts_to);
                let (listener, address) = listen().await;
                let served = simulator.clone().serve(listener, std::future::pending());
                spawn(background, async move { served.await.unwrap() });
                return (simulator, Graph::new(&format!("{address}/v25.0")).unwrap());
            }
        };
        let url = "http://staffetta.invalid/webhooks/meta".to_owned();
        let receiver = Some(gate.clone().webhooks(webhooks));
        let simulator = simulator(setup, Posts { url, receiver, clock: gate.time.simulator.clone() });
        let posting = simulator.clone();
        spawn(background, async move { posting.run_webhooks().await });
        let graph = GRAPH.clone().through(gate.clone().graph(simulator.router()));
        (simulator, graph)
    }

    /// What calls the users' addresses; a client's connections belong to its runtime.
    fn outbound(&self) -> outbound::Client {
        match self {
            Self::Sockets => outbound(),
            Self::Process(gate) => OUTBOUND.clone().through(gate.clone().endpoints()),
        }
    }
}

/// How the simulator posts its webhooks.
#[derive(Debug)]
struct Posts {
    url: String,
    /// Takes them in this process.
    receiver: Option<Router>,
    clock: simulators::graph::Clock,
}

impl Default for Posts {
    fn default() -> Self {
        Self { url: String::new(), receiver: None, clock: simulators::graph::Clock::system() }
    }
}

fn simulator(setup: &Setup, posts: Posts) -> Simulator {
    let config = Config {
        webhook_url: Some(posts.url),
        receiver: posts.receiver,
        clock: posts.clock,
        access_token: Some(ACCESS_TOKEN.to_owned()),
        phone_number_id: Some(PHONE_NUMBER_ID.to_owned()),
        waba_id: Some(WABA_ID.to_owned()),
        seed: Some(setup.seed),
        ..Config::new(APP_SECRET, VERIFY_TOKEN)
    };
    let simulator = Simulator::new(config).unwrap();
    let fast = json!({
        "throughput_per_second": 0, "pair_limit": false, "approve_after_ms": 0, "sent_after_ms": 0,
        "delivered_after_ms": 0, "flush_after_ms": 0, "retry_first_ms": 5,
    });
    simulator.update_settings(&fast).unwrap();
    simulator.update_settings(&setup.simulator).unwrap();
    simulator
}

async fn connect(sender: &Sender, setup: &Setup) -> (Caller, Account) {
    let store = &sender.store;
    let new = NewTenant {
        name: "Bottega".to_owned(),
        email: "bottega@example.com".to_owned(),
        timezone: Some("Europe/Rome".to_owned()),
        plan: setup.plan.clone(),
    };
    let (tenant, key) = ops::accounts::create_tenant(store, new).await.unwrap();
    let caller = ops::callers::authenticate(store, Some(&key)).await.unwrap();
    let new =
        AccountSettings { help_message: setup.help_message.clone(), ..AccountSettings::named("Negozio") };
    let account = ops::accounts::create_account(store, &tenant, new).await.unwrap();
    let connection = Connection {
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        waba_id: WABA_ID.to_owned(),
        access_token: Secret::new(ACCESS_TOKEN),
        app_secret: Secret::new(APP_SECRET),
        verify_token: VERIFY_TOKEN.to_owned(),
        per_second: setup.per_second,
        tier: None,
    };
    let connected = ops::accounts::connect_number(store, &sender.graph, &caller, account, connection).await;
    (caller, connected.unwrap())
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
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
