//! The way from a request to its answer: the network, or what a test puts there.

use reqwest::{Client, Request, Response};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

/// Answers the calls of a [`Graph`](super::Graph).
pub type Exchange = BoxCloneSyncService<Request, Response, NoAnswer>;

/// Why a call has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It was never sent: there was no connection.
    #[error("the provider could not be reached")]
    NotSent,
    /// It may have been received.
    #[error("the provider did not answer")]
    Lost,
}

/// Calls over the network.
pub(super) fn network(client: Client) -> Exchange {
    BoxCloneSyncService::new(client.map_err(|error| match error.is_connect() {
        true => NoAnswer::NotSent,
        false => NoAnswer::Lost,
    }))
}
