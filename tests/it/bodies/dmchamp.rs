//! `/v1`: contacts, and messages of custom channels.

use harness::phone;
use http::Method;
use serde_json::{Value, json};

use super::compare;
use super::story::HOOK;

#[test]
fn contacts() {
    compare("dmchamp-contacts", async |story| {
        let ada = json!({"firstName": "Ada", "lastName": "Neri", "phoneNumber": phone(1),
                         "email": "ada@example.com", "tags": ["vip"]});
        story.post("/v1/contacts", ada.clone()).await;
        story.post("/v1/contacts", ada).await;
        story.post("/v1/contacts", json!({"firstName": "Ada"})).await;
        story.get("/v1/contacts?email=ada@example.com").await;
        story.get("/v1/contacts?email=nobody@example.com").await;
        story.get("/v1/contacts").await;
        story.keyless(Method::GET, "/v1/contacts").await;
    });
}

/// What a caller of a custom channel says.
fn data(more: Value) -> Value {
    let mut data =
        json!({"fromId": "customer-1", "toId": "shop", "customChannel": "My-Channel", "body": "Ciao"});
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"customData": data})
}

#[test]
fn messages() {
    compare("dmchamp-messages", async |story| {
        story.given("/api/channels", json!({"name": "My-Channel", "url": HOOK})).await;
        let send = "/v1/send_custom_channel_message";
        let sent = story.post(send, data(json!({"firstName": "Jane", "email": "jane@example.com"}))).await;
        story.post("/v1/send-custom-channel-message", data(json!({}))).await;
        story.post(send, data(json!({"body": null}))).await;
        story.post(send, data(json!({"customChannel": "third"}))).await;
        story.keyless(Method::POST, send).await;
        let receive = "/v1/incoming_custom_channel_message";
        let delivered = json!({"messageSid": sent["id"], "status": "delivered", "body": null});
        story.post(receive, data(delivered)).await;
        story.post(receive, data(json!({"messageSid": "m-1"}))).await;
        story.post("/v1/incoming-custom-channel-message", data(json!({"messageSid": "m-1"}))).await;
        story.post(receive, data(json!({}))).await;
        story.post(receive, data(json!({"messageSid": "m-2", "campaignId": "99"}))).await;
    });
}
