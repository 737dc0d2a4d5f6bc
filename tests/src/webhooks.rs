//! Where the simulator's webhooks arrive.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderMap, StatusCode};
use ops::inbound::{Intake, Owners, receive};
use ops::webhooks::Bodies;
use queue::Queues;
use serde_json::{Value, json};
use sha2::Sha256;
use store::Store;

use crate::World;

/// What taking a webhook needs.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) store: Store,
    pub(crate) queues: Queues,
    pub(crate) bodies: Bodies,
    pub(crate) owners: Arc<Owners>,
}

/// The routes that Meta calls.
pub(crate) fn router(receiver: Receiver) -> Router {
    Router::new().route("/webhooks/meta", post(take)).with_state(receiver)
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    let Receiver { store, queues, bodies, owners } = &receiver;
    match receive(Intake { store, queues, bodies, owners }, &body, signature).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

impl World {
    /// Meta posts a webhook; answers how many accounts got something of it.
    pub async fn meta_posts(&self, body: &[u8], signature: Option<&str>) -> ops::Result<usize> {
        let (store, queues) = (&self.sender.store, &self.sender.queues);
        let (bodies, owners) = (&self.sender.files.bodies(), &Owners::default());
        receive(Intake { store, queues, bodies, owners }, body, signature).await
    }
}

/// A change of a number, with one text from `from`.
pub fn text_change(phone_number_id: &str, from: &str, id: &str, text: &str) -> Value {
    json!({"field": "messages", "value": {
        "metadata": {"phone_number_id": phone_number_id},
        "contacts": [{"wa_id": from, "profile": {"name": "Mario"}}],
        "messages": [{"from": from, "id": id, "timestamp": "1782892800", "type": "text", "text": {"body": text}}],
    }})
}

/// A webhook of business accounts, each with its changes.
pub fn webhook(entries: &[(&str, Vec<Value>)]) -> Value {
    let entries: Vec<Value> =
        entries.iter().map(|(waba, changes)| json!({"id": waba, "changes": changes})).collect();
    json!({"object": "whatsapp_business_account", "entry": entries})
}

/// The `X-Hub-Signature-256` of `body`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}
