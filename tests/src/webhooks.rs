//! Where the simulator's webhooks arrive.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderMap, StatusCode};
use ops::inbound::{Owners, receive};
use queue::Queues;
use sha2::Sha256;
use store::Store;

/// What taking a webhook needs.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) store: Store,
    pub(crate) queues: Queues,
    pub(crate) owners: Arc<Owners>,
}

/// The routes that Meta calls.
pub(crate) fn router(receiver: Receiver) -> Router {
    Router::new().route("/webhooks/meta", post(take)).with_state(receiver)
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    match receive(&receiver.store, &receiver.queues, &receiver.owners, &body, signature).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

/// The `X-Hub-Signature-256` of `body`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}
