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

#[test]
fn lists() {
    compare("dmchamp-lists", async |story| {
        let ada = json!({"firstName": "Ada", "lastName": "Neri", "phoneNumber": phone(1), "tags": ["vip"]});
        let ada = story.post("/v1/contacts", ada).await["contactId"].clone();
        let path = format!("/v1/contacts/{}", ada.as_str().unwrap());
        story.post("/v1/lists", json!({"name": "Clienti"})).await;
        story.post("/v1/lists", json!({"listName": "clienti"})).await;
        story.post("/v1/lists", json!({"name": " "})).await;
        story.post("/v1/lists/1/contacts", json!({"contactId": ada})).await;
        story
            .post("/v1/lists/1/contacts", json!({"phones": [phone(1), phone(9)], "contactIds": ["abc"]}))
            .await;
        story.post("/v1/lists/1/contacts", json!({"contactId": "abc123xyz"})).await;
        story.post("/v1/lists/1/contacts", json!({})).await;
        story.post("/v1/lists/9/contacts", json!({"contactId": ada})).await;
        story.get("/v1/lists").await;
        story.get("/v1/lists/1").await;
        story.get("/v1/lists/1/contacts?limit=10").await;
        story.put(&path, json!({"first_name": "Adele", "tags": "oro", "email": "ada@example.com"})).await;
        story.put(&path, json!({"addLists": ["7"]})).await;
        story.put("/v1/contacts/99", json!({"firstName": "Ada"})).await;
        story.get(&path).await;
        story.delete("/v1/lists/1/contacts", json!({"contact_id": ada})).await;
        story.delete("/v1/lists/1", json!({})).await;
        story.delete("/v1/lists/1", json!({})).await;
        story.keyless(Method::GET, "/v1/lists").await;
    });
}

#[test]
fn credits() {
    compare("dmchamp-credits", async |story| {
        super::sendapp::make_agency(story).await;
        let sub = json!({"name": "Panificio", "email": "pane@example.com", "credits": 42});
        story.given("/api/subaccounts", sub).await;
        let grant = json!({"email": "pane@example.com", "amount": 500, "description": "Auto-recharge via webhook",
                           "idempotency_key": "recharge-1"});
        let path = "/v1/subaccounts/credits";
        story.post(path, grant.clone()).await;
        story.post(path, grant).await;
        let other = json!({"email": "pane@example.com", "amount": 501, "idempotency_key": "recharge-1"});
        story.post(path, other).await;
        story.post(path, json!({"email": "pane@example.com", "amount": -5})).await;
        story.post(path, json!({"email": "nobody@example.com", "amount": 5})).await;
        story.keyless(Method::POST, path).await;
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
