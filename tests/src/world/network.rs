//! How the parts of a world reach each other.

use std::sync::{Arc, LazyLock};

use axum::Router;
use channels::cloud::Graph;
use outbound::{Policy, Resolver};
use serde_json::json;
use simulators::graph::{Config, Simulator};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{ACCESS_TOKEN, APP_SECRET, PHONE_NUMBER_ID, Setup, VERIFY_TOKEN, WABA_ID, spawn};
use crate::faults::Gate;

/// Where the Graph API is said to be when nothing listens there.
const NOWHERE: &str = "http://graph.invalid/v25.0";

/// Clients that are made once: each reads the machine's certificates.
static GRAPH: LazyLock<Graph> = LazyLock::new(|| Graph::new(NOWHERE).unwrap());
static OUTBOUND: LazyLock<outbound::Client> = LazyLock::new(outbound);

fn outbound() -> outbound::Client {
    let policy = Policy::webhooks("127.0.0.1, localhost".parse().unwrap());
    outbound::Client::new(policy, Resolver::System).unwrap()
}

/// How the parts of a world reach each other.
#[derive(Debug)]
pub(super) enum Network {
    /// Over ports of this machine.
    Sockets,
    /// By calls in the process, past a gate.
    Process(Arc<Gate>),
}

impl Network {
    /// Meta, which posts to `webhooks`, and the client that calls it.
    pub(super) async fn open(
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
    pub(super) fn outbound(&self) -> outbound::Client {
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
        phone_number_id: (!setup.any_number).then(|| PHONE_NUMBER_ID.to_owned()),
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

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}
