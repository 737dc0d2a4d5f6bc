//! People as they come in, over every way: who somebody is, and what they agreed to.

mod consent;
mod editions;
mod identity;
mod input;
mod limits;
mod moves;
mod phones;
mod renewal;

use std::cell::Cell;

use harness::{APP_SECRET, Answer, Api, PHONE_NUMBER_ID, Setup, WABA_ID, World, sign, webhook};
use http::Method;
use serde_json::{Value, json};

/// A world, its API, and Meta.
struct Street {
    world: World,
    api: Api,
    /// Messages that can never be taken in.
    parked: Cell<u64>,
}

impl Street {
    async fn new() -> Self {
        let simulator = json!({"enforce_window": false, "wa_ids": {"22961234567": "2290161234567"}});
        let world = World::with(Setup { simulator, ..Setup::default() }).await;
        let api = Api::of(&world).await;
        Self { world, api, parked: Cell::default() }
    }

    async fn contact(&self, contact: Value) -> Value {
        self.api.post("/api/contacts", contact).await.expect(201)["contact"].clone()
    }

    /// One change of a field, signed and posted as Meta does.
    async fn meta(&self, field: &str, mut value: Value) {
        value["messaging_product"] = "whatsapp".into();
        value["metadata"] = json!({"phone_number_id": PHONE_NUMBER_ID});
        let body = webhook(&[(WABA_ID, vec![json!({"field": field, "value": value})])]);
        let bytes = body.to_string().into_bytes();
        self.world.meta_posts(&bytes, Some(&sign(APP_SECRET, &bytes))).await.unwrap();
        self.world.drain_parking(self.parked.get()).await;
    }

    /// Somebody whom Meta names by these ids writes a message.
    async fn says(&self, wa_id: Option<&str>, user_id: Option<&str>, mut message: Value) {
        let contact = json!({"profile": {"name": "Profilo"}, "wa_id": wa_id, "user_id": user_id});
        message["from"] = wa_id.into();
        message["from_user_id"] = user_id.into();
        message["timestamp"] = (self.world.clock.now_ms() / 1_000).to_string().into();
        self.meta("messages", json!({"contacts": [contact], "messages": [message]})).await;
    }

    async fn writes(&self, wa_id: Option<&str>, user_id: Option<&str>, id: &str, text: &str) {
        self.says(wa_id, user_id, json!({"id": id, "type": "text", "text": {"body": text}})).await;
    }

    async fn delete(&self, id: u64, status: u16) {
        self.api.json(Method::DELETE, &format!("/api/contacts/{id}"), &json!({})).await.expect(status);
    }

    async fn found(&self, search: &str) -> Vec<Value> {
        let query: String = url_encoded(search);
        let list = self.api.get(&format!("/api/contacts?search={query}")).await.expect(200);
        list["contacts"].as_array().unwrap().clone()
    }

    /// The only contact that a search finds.
    async fn only(&self, search: &str) -> Value {
        let found = self.found(search).await;
        assert_eq!(found.len(), 1, "{search}: {found:?}");
        found[0].clone()
    }

    /// Changes the account.
    async fn set(&self, mut settings: Value) -> Answer {
        settings["token"] = self.api.token.clone().into();
        self.api.post("/api/accounts/settings", settings).await
    }

    /// The status and code of a text to somebody.
    async fn send(&self, number: &str) -> (u16, Value) {
        let token = &self.api.token;
        let body = json!({"token": token, "number": number, "type": "freetext", "message": "ciao"});
        let answer = self.api.post("/api/whatsapp-meta/send", body).await;
        (answer.status.as_u16(), answer.json()["code"].clone())
    }

    async fn is_opted_out(&self, number: &str) -> bool {
        self.send(number).await == (422, "opted_out".into())
    }
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
