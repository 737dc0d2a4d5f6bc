//! Where the simulator's webhooks arrive.

use axum::Router;
use bodies::Bodies;
use hmac::{Hmac, Mac};
use messaging::inbound::{Intake, Owners, receive};
use queue::Queues;
use serde_json::{Value, json};
use sha2::Sha256;
use store::Store;

use crate::World;

/// The function that Meta calls.
pub(crate) fn router(store: &Store, queues: &Queues, bodies: Bodies) -> Router {
    let (clock, entropy) = (store.clock().clone(), store.entropy().clone());
    let app = inbound::App::new(store.clone(), queues.clone(), bodies);
    api_http::serve(inbound::routes(app), api_http::Edge { clock, entropy, require_https: false })
}

impl World {
    /// Meta posts a webhook; answers how many accounts got something of it.
    pub async fn meta_posts(&self, body: &[u8], signature: Option<&str>) -> ops::Result<usize> {
        let (store, queues) = (&self.services.store, &self.services.queues);
        let (bodies, owners) = (&self.services.files.bodies(), &Owners::default());
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
