//! Sending: by single requests, by campaigns, by ourselves; over every channel, with the
//! files and templates that go with it; and what providers report of it.
//!
//! Operations take just what they use; [`Services`] bundles what sending takes.

pub mod answering;
pub mod campaigns;
pub mod catalogs;
pub mod custom;
mod delivery;
mod error;
pub mod files;
pub mod flows;
pub mod inbound;
pub mod messages;
pub mod numbers;
pub mod orders;
mod routes;
pub mod sending;
pub mod template_call;
pub mod templates;
pub mod verification;

use channels::cloud::Graph;
use environment::Env;
use files::Files;
use ops::events::EventPublisher;
use queue::Queues;
use schedules::Schedules;
use store::Store;

/// What operations run on: the table, the ways out, the files and the queues.
#[derive(Debug, Clone)]
pub struct Services {
    /// The table.
    pub store: Store,
    /// Meta's API.
    pub graph: Graph,
    /// Calls addresses that users give: custom channels and endpoints.
    pub outbound: outbound::Client,
    /// Uploaded files.
    pub files: Files,
    /// The queues.
    pub queues: Queues,
    /// One-time schedules, where there are any: without them the sweep finds what is due.
    pub schedules: Option<Schedules>,
}

impl Services {
    /// Those of a function: `META_GRAPH_URL`, `OUTBOUND_ALLOW` and what [`Files::of`] takes.
    ///
    /// # Errors
    /// When a setting is missing or makes no sense; when there is no usable TLS set-up.
    pub fn of(env: &Env, store: Store, queues: Queues) -> Result<Self, environment::Error> {
        let (graph, outbound, files) = (Graph::of(env)?, outbound::Client::of(env)?, Files::of(env)?);
        Ok(Self { store, graph, outbound, files, queues, schedules: None })
    }
}

impl From<&Services> for EventPublisher {
    fn from(services: &Services) -> Self {
        Self { store: services.store.clone(), queues: services.queues.clone() }
    }
}
