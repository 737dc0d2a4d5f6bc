//! The whole product in one process: its functions as one router, its workers as tasks.

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use channels::cloud::Graph;
use dispatch::{CallPace, WebhookDispatcher};
use domain::{Clock, Entropy};
use messaging::Services;
use messaging::files::Files;
use ops::AdminKey;
use outbound::{Client, Policy, Resolver};
use store::Sealer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::demo::{self, Credentials};
use crate::embedded::{Embedded, serve};
use crate::settings::Settings;
use crate::simulator;
use crate::stores::{Aws, sealing_key, secret};
use crate::workers::{Stop, Workers};

/// How long a stop waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);

/// Every function of the product, as one router.
#[derive(Debug, Clone)]
pub struct Apps {
    /// What the functions share.
    pub services: Services,
    /// May create tenants.
    pub admin_key: Option<String>,
    /// How long such calls may take.
    pub pace: CallPace,
    /// How long a request waits for a report.
    pub patience: Duration,
}

impl Apps {
    fn of(services: Services, settings: &Settings) -> Self {
        let (admin_key, patience) = (settings.admin_key.clone(), messaging::campaigns::PATIENCE);
        Self { services, admin_key, pace: CallPace::default(), patience }
    }

    /// The routes of each function.
    pub fn functions(&self) -> [(&'static str, Router); 9] {
        let Services { store, graph, outbound, queues, files, .. } = self.services.clone();
        let admin_key = AdminKey::fixed(self.admin_key.clone().map(domain::Secret::new));
        [
            ("contacts", contacts::routes(contacts::App { store: store.clone(), queues: queues.clone() })),
            (
                "accounts",
                accounts::routes(accounts::App { store: store.clone(), queues: queues.clone(), admin_key }),
            ),
            (
                "campaigns",
                campaigns::routes(campaigns::App {
                    services: self.services.clone(),
                    patience: self.patience,
                }),
            ),
            ("assistant", assistant::routes(assistant::App { store: store.clone(), queues: queues.clone() })),
            ("catalog", catalog::routes(catalog::App { services: self.services.clone() })),
            ("messages", messages::routes(messages::App { services: self.services.clone() })),
            ("inbound", inbound::routes(inbound::App::new(store.clone(), queues, files.bodies()))),
            ("senders", senders::routes(senders::App { store, graph, outbound })),
            ("webhooks", webhooks::routes(webhooks::App { dispatcher: self.dispatcher() })),
        ]
    }

    /// What sends events to the users' endpoints.
    pub fn dispatcher(&self) -> WebhookDispatcher {
        let Services { store, outbound: client, files, queues, .. } = self.services.clone();
        WebhookDispatcher { store, bodies: files.bodies(), queues, client, pace: self.pace }
    }

    /// The routes of all functions, as they are served.
    pub fn router(&self) -> Router {
        let all = self.functions().into_iter().fold(Router::new(), |all, (_, routes)| all.merge(routes));
        self.serve(all)
    }

    /// Serves routes as Lambda does.
    pub fn serve(&self, routes: Router) -> Router {
        let (clock, entropy) = (self.services.store.clock().clone(), self.services.store.entropy().clone());
        api_http::serve(routes, api_http::Edge { clock, entropy, require_https: false })
    }
}

/// Runs the product until Ctrl-C or SIGTERM.
///
/// # Errors
/// One line that says what is wrong: a taken port, a folder in use, a setting.
pub async fn run(settings: Settings) -> Result<(), Box<dyn Error>> {
    let listener = listen(settings.port, "STAFFETTA_PORT").await?;
    let for_simulator = match settings.meta {
        Some(_) => None,
        None => Some(listen(settings.simulator_port, "STAFFETTA_SIMULATOR_PORT").await?),
    };
    let for_aws = match settings.aws_endpoint {
        Some(_) => None,
        None => Some(listen(settings.aws_port, "STAFFETTA_AWS_PORT").await?),
    };
    make_home(&settings)?;
    let _lock = lock(&settings)?;
    let entropy = Entropy::system();
    let aws = Aws::of(&settings).await?;
    let key = sealing_key(&settings.home, &entropy)?;
    if let Some(embedded) = &aws.embedded {
        embedded.set_secret(secret(&key));
    }
    let sealer = Sealer::new(&key, entropy.clone());
    let store = aws.store(sealer, Clock::System, entropy.clone()).await?;
    let (queues, urls) = aws.queues().await?;
    let files = Files::new(aws.bucket(&urls).await?, settings.url());
    let files = files.linking(Policy::fetches(settings.allow.clone()));
    let graph = Graph::new(&settings.graph_url())?;
    let outbound = Client::new(Policy::webhooks(settings.allow.clone()), Resolver::System)?;
    let services = Services { store: store.clone(), graph, outbound, files, queues, schedules: None };
    let credentials = demo::seed(&settings, &store, &entropy).await?;

    let stop = Stop::default();
    let mut tasks = JoinSet::new();
    if let Some(listener) = for_simulator {
        let simulator = simulator::of(&settings, &credentials)?;
        let stopped = stop.clone().stopped();
        tasks.spawn(async move {
            if let Err(error) = simulator.serve(listener, stopped).await {
                tracing::error!(%error, "the simulator ended");
            }
        });
    }
    if let (Some(embedded), Some(listener)) = (aws.embedded.clone(), for_aws) {
        tasks.spawn(serve_aws(embedded, listener, stop.clone()));
    }
    let apps = Apps::of(services, &settings);
    tasks.spawn(Workers::new(aws.sqs.clone(), urls, apps.clone(), stop.clone()).run());
    banner(&settings, &credentials);
    tasks.spawn(serve_requests(listener, apps.router(), stop.clone()));
    tasks.spawn(stop_on_signal(stop.clone()));
    ended(tasks, stop).await;
    Ok(())
}

/// Serves requests until the process stops, or stops it when they cannot be served any more.
async fn serve_requests(listener: TcpListener, router: Router, stop: Stop) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stop.clone().stopped());
    if let Err(error) = served.await {
        tracing::error!(%error, "requests are not served any more");
    }
    stop.stop();
}

/// Stops the process on a signal: whoever is told so first tells the others.
async fn stop_on_signal(stop: Stop) {
    tokio::select! {
        () = signal() => {
            println!("staffetta stops: waves under way are finished first");
            stop.stop();
        }
        () = stop.clone().stopped() => {}
    }
}

/// Waits until the process is stopped, and then, not for ever, for what is under way.
async fn ended(mut tasks: JoinSet<()>, stop: Stop) {
    stop.stopped().await;
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        tracing::warn!("some work was still under way; it is taken up at the next start");
    }
}

/// Waits for Ctrl-C, or, where there is one, for what service managers send.
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _interrupted = tokio::signal::ctrl_c().await;
}

async fn serve_aws(embedded: Embedded, listener: TcpListener, stop: Stop) {
    tokio::select! {
        ended = serve(embedded, listener) => drop(ended),
        () = stop.stopped() => {}
    }
}

fn make_home(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let home = settings.home.display();
    let unusable =
        |error| format!("cannot use the folder {home}: {error} (set STAFFETTA_HOME to another one)");
    Ok(fs::create_dir_all(&settings.home).map_err(unusable)?)
}

async fn listen(port: u16, setting: &str) -> Result<TcpListener, Box<dyn Error>> {
    let taken = |error| format!("cannot listen on 127.0.0.1:{port}: {error} (set {setting} to another port)");
    Ok(TcpListener::bind(("127.0.0.1", port)).await.map_err(taken)?)
}

/// Two processes on the same state would send twice.
fn lock(settings: &Settings) -> Result<File, Box<dyn Error>> {
    let file = File::create(settings.home.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let home = settings.home.display();
            Err(format!("{home} is in use by another process (set STAFFETTA_HOME to another folder)").into())
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn banner(settings: &Settings, credentials: &Credentials) {
    let (url, key) = (&credentials.url, &credentials.apikey);
    println!("Staffetta {}", env!("CARGO_PKG_VERSION"));
    println!("  state       {}", settings.home.display());
    println!("  credentials {}", Credentials::path(settings).display());
    match &credentials.simulator_url {
        Some(simulator) => println!("  WhatsApp    simulated at {simulator}"),
        None => println!("  WhatsApp    {}", settings.graph_url()),
    }
    println!("  AWS         {}", settings.aws_endpoint.clone().unwrap_or_else(|| settings.aws_url()));
    println!();
    println!("  curl '{url}/api/account' -H 'X-API-Key: {key}'");
    println!();
    println!("staffetta is ready on {url}");
}
