//! `/v1/whatsapp`: history and contacts.

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
