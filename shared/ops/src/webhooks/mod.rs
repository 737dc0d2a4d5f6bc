//! The users' endpoints: registering them, and sending them events.
//!
//! A job of the queue `webhook` is one event for one endpoint. The [`WebhookDispatcher`] claims
//! it, so that it is sent once however often the job comes; calls the endpoint; and
//! writes down what came of it. What fails waits in the table and is sent again on
//! the schedule of Standard Webhooks ([`domain::webhook::next_attempt`]). An endpoint
//! that only fails is down: what comes in waits, and one look at the due time probes
//! it. The first success sends everything that waits.

mod bodies;
mod call;
mod deliver;
mod drain;
mod registry;

pub use bodies::Bodies;
pub use call::{Pace, SEQUENCE_HEADER};
pub use deliver::Parcel;
pub use drain::{Drained, wake};
pub(crate) use registry::check_url;
pub use registry::{
    Again, Change, New, Replayed, Status, change, find, list, register, remove, replay, rotate_secret,
    send_test, unregister,
};

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
    pub pace: Pace,
}
