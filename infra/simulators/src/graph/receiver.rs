//! The way to the receiver of webhooks.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use bytes::Bytes;
use http::Request;
use tower::ServiceExt;

use super::errors::Error;

pub(super) enum Receiver {
    /// The server at the webhook's URL.
    Server(reqwest::Client),
    /// A function of this process.
    Process(Router),
}

impl Receiver {
    pub(super) fn new(function: Option<Router>) -> Result<Self, Error> {
        if let Some(function) = function {
            return Ok(Self::Process(function));
        }
        // Webhooks go to the configured receiver and nowhere else.
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Ok(Self::Server(client.build().map_err(Error::Client)?))
    }

    /// Sends a request; its answer's body when that is 2xx.
    pub(super) async fn ask(&self, request: Request<Bytes>, timeout: Duration) -> Option<Bytes> {
        let asked = async {
            match self {
                Self::Server(client) => {
                    let request = request.try_into().ok()?;
                    let response = client.execute(request).await.map_err(reqwest::Error::without_url);
                    let response = response.inspect_err(|error| {
                        tracing::debug!(%error, "a webhook was not answered");
                    });
                    let response = response.ok().filter(|response| response.status().is_success())?;
                    // The body is read so that the connection can be used again.
                    response.bytes().await.ok()
                }
                Self::Process(function) => {
                    let response = function.clone().oneshot(request.map(Body::from)).await.ok()?;
                    let is_success = response.status().is_success();
                    to_bytes(response.into_body(), usize::MAX).await.ok().filter(|_| is_success)
                }
            }
        };
        tokio::time::timeout(timeout, asked).await.ok().flatten()
    }
}
