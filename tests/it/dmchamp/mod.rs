//! The DM Champ contract: custom channels, lists, and changes of contacts.

mod incoming;
mod lists;
mod send;

use harness::{Api, Hook, World};
use serde_json::{Value, json};

/// A world with the channel `My-Channel`; its receiver, and its secret.
async fn with_channel() -> (World, Api, Hook, String) {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let secret = register(&api, "My-Channel", &hook).await;
    (world, api, hook, secret)
}

async fn register(api: &Api, name: &str, hook: &Hook) -> String {
    let body = json!({"name": name, "url": hook.url, "rate": 1000});
    api.post("/api/channels", body).await.expect(201)["secret"].as_str().unwrap().to_owned()
}

async fn send(api: &Api, data: Value) -> harness::Answer {
    api.post("/v1/send_custom_channel_message", json!({"customData": data})).await
}

/// An incoming message, with what is to differ.
fn incoming(sid: &str, more: Value) -> Value {
    let mut data = json!({"messageSid": sid, "fromId": "customer-1", "toId": "shop", "body": "Buongiorno"});
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"customData": data})
}

async fn receive(api: &Api, body: Value) -> harness::Answer {
    api.post("/v1/incoming_custom_channel_message", body).await
}

/// The code and the message of a refusal.
fn refusal(answer: &harness::Answer, status: u16) -> (String, String) {
    let body = answer.expect(status);
    let text = |name: &str| body["error"][name].as_str().unwrap().to_owned();
    (text("code"), text("message"))
}

/// The conversation of a contact, newest first.
async fn conversation(api: &Api, contact: &Value) -> Vec<Value> {
    let query = format!("subscriberId={}", contact.as_str().unwrap());
    let page = api.sendwo("/api/v1/whatsapp/conversation", &query).await.expect(200);
    page["message"].as_array().unwrap().clone()
}
