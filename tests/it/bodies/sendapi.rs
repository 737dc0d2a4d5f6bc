//! `/v1/whatsapp`: history and contacts; `/v1/account`, `/v1/phone` and `/v1/verify`.

use harness::{person, phone};
use http::Method;
use serde_json::json;

use super::compare;

#[test]
fn history() {
    compare("sendapi", async |story| {
        story.world.import([person(1), person(2)]).await;
        story.world.writes(&phone(1), "Buongiorno");
        story.later().await;
        let text = json!({"number": phone(1), "type": "freetext", "message": "Ciao!"});
        let sent = story.given("/api/whatsapp-meta/send", text).await;
        story.later().await;
        story.get("/v1/whatsapp/messages").await;
        story.get("/v1/whatsapp/messages?direction=sideways").await;
        story.get("/v1/whatsapp/messages?session_id=nobody").await;
        story.keyless(Method::GET, "/v1/whatsapp/messages").await;
        story.get(&format!("/v1/whatsapp/messages/{}", sent["id"].as_str().unwrap())).await;
        story.get("/v1/whatsapp/messages/wamid.x").await;
        story.get("/v1/whatsapp/contacts?limit=1").await;
        story.get("/v1/whatsapp/contacts?page=0").await;
    });
}

#[test]
fn usage_and_phones() {
    compare("sendapi-account", async |story| {
        story.world.import([person(1)]).await;
        story.get("/v1/account/usage").await;
        story.keyless(Method::GET, "/v1/account/usage").await;
        story.post("/v1/phone/validate", json!({"phone": "+39 339 123 4567"})).await;
        story.get("/v1/phone/validate?phone=02%2036618300&country=IT").await;
        story.post("/v1/phone/validate", json!({"phone": "12"})).await;
        story.post("/v1/phone/validate", json!({"phone": ["+393391234567"]})).await;
        story.post("/v1/phone/validate", json!({})).await;
        story.keyless(Method::POST, "/v1/phone/validate").await;
    });
}

#[test]
fn codes() {
    compare("sendapi-verify", async |story| {
        let to = phone(1);
        // Without a template for codes only an SMS would do.
        story.post("/v1/verify/send", json!({"to": to})).await;
        let template = json!({"name": "codice", "category": "AUTHENTICATION", "language": "it"});
        story.given("/api/whatsapp-meta/create_template", template).await;
        story.later().await;
        story.post("/v1/verify/send", json!({"to": to})).await;
        story.post("/v1/verify/check", json!({"to": to, "code": "000000"})).await;
        let sent = story.world.simulator.messages(None, usize::MAX).pop().unwrap();
        let code = sent.body["template"]["components"][0]["parameters"][0]["text"].clone();
        story.post("/v1/verify/check", json!({"to": to, "code": code})).await;
        story.post("/v1/verify/check", json!({"to": to, "code": code})).await;
        story.post("/v1/verify/check", json!({"to": to, "code": "12"})).await;
        story.post("/v1/verify/check", json!({"to": to})).await;
        story.post("/v1/verify/send", json!({"to": to, "channel": "sms"})).await;
        story.post("/v1/verify/send", json!({"to": to, "channel": "pigeon"})).await;
        story.post("/v1/verify/send", json!({"to": to, "template": "saldi"})).await;
        story.post("/v1/verify/send", json!({"to": to, "ip": "here"})).await;
        story.post("/v1/verify/send", json!({"to": to, "session_id": 99})).await;
        story.post("/v1/verify/send", json!({"to": "+39899123456"})).await;
        story.post("/v1/verify/send", json!({})).await;
        story.keyless(Method::POST, "/v1/verify/send").await;
        story.keyless(Method::POST, "/v1/verify/check").await;
    });
}
