//! The users' endpoints: registering them, and sending them events.
//!
//! A job of the queue `webhook` is one event for one endpoint. The [`WebhookDispatcher`] claims
//! it, so that it is sent once however often the job comes; calls the endpoint; and
//! writes down what came of it. What fails waits in the table and is sent again on
//! the schedule of Standard Webhooks ([`domain::webhook::next_attempt`]). An endpoint
//! that only fails is down: what comes in waits, and one look at the due time probes
//! it. The first success sends everything that waits.

mod call;
mod deliver;
mod drain;
mod registry;
mod state;
mod verdict;

pub use call::{CallPace, SEQUENCE_HEADER};
pub use deliver::BatchItem;
pub use drain::Drained;
pub use registry::{
    EndpointChange, EndpointStatus, NewEndpoint, ReplayScope, Replayed, change, find, list, register, remove,
    replay, rotate_secret, send_test, unregister,
};

use bodies::Bodies;
use environment::Env;
use outbound::Client;
use queue::Queues;
use store::Store;

/// What sending events takes.
#[derive(Debug, Clone)]
pub struct WebhookDispatcher {
    /// The table.
    pub store: Store,
    /// The bodies that are too long for the table.
    pub bodies: Bodies,
    /// Where to come back later.
    pub queues: Queues,
    /// Calls endpoints.
    pub client: Client,
    /// How long calls may take.
    pub pace: CallPace,
}

impl WebhookDispatcher {
    /// The one of a function: `MEDIA_BUCKET`, `OUTBOUND_ALLOW`.
    ///
    /// # Errors
    /// When a setting is missing or makes no sense; when there is no usable TLS set-up.
    pub fn of(env: &Env, store: Store, queues: Queues) -> Result<Self, environment::Error> {
        let (bodies, client) = (Bodies::of(env)?, Client::of(env)?);
        Ok(Self { store, bodies, queues, client, pace: CallPace::default() })
    }
}
