//! Bot flows, and who leads a conversation.

use harness::{PHONE_NUMBER_ID, phone};
use serde_json::{Value, json};

use crate::bodies::compare;

fn welcome() -> Value {
    json!({
        "name": "Benvenuto", "triggers": [{"on": "keyword", "words": ["ciao"]}], "start": "name",
        "steps": {
            "name": {"do": "ask", "text": "Come ti chiami?", "save": "name", "next": "bye"},
            "bye": {"do": "message", "text": "Piacere, {{vars.name}}"},
        },
    })
}

#[test]
fn flows() {
    compare("sendapp-flows", async |story| {
        let made = story.post("/api/flows", json!({"flow": welcome()})).await;
        let id = made["flow"]["id"].as_str().unwrap().to_owned();
        story
            .post("/api/flows", json!({"flow": {"name": "x", "start": "a", "steps": {"a": {"do": "wait"}}}}))
            .await;
        story.post("/api/flows/validate", json!({"flow": welcome()})).await;
        story.post("/api/flows/validate", json!({})).await;
        story.get("/api/flows").await;
        let one = format!("/api/flows/{id}");
        story.get(&one).await;
        story.post(&one, json!({"flow": welcome(), "account_id": 1, "version": 1})).await;
        story.post(&one, json!({"flow": welcome(), "account_id": 0, "version": 1})).await;
        let token = story.api.token.clone();
        let number = phone(1);
        let start = json!({"token": token, "number": number, "vars": {"lang": "it"}});
        story.post(&format!("{one}/start"), start.clone()).await;
        story.post("/api/flows/nope/start", start).await;
        story.get(&format!("{one}/runs")).await;
        story.post("/api/conversation/1/handover", json!({"token": token})).await;
        story.post("/api/conversation/1/resume", json!({"token": token})).await;
        story.post("/api/conversation/99/resume", json!({"token": token})).await;
        let sendwo = [("phoneNumberId", PHONE_NUMBER_ID), ("to", &number), ("flowId", &id)];
        for path in ["trigger-bot-flow", "trigger-bot"] {
            story.get_and_post(&format!("/api/v1/whatsapp/{path}"), &sendwo).await;
        }
        let unknown = [("phoneNumberId", PHONE_NUMBER_ID), ("to", &number), ("bot_flow_unique_id", "nope")];
        story.get_and_post("/api/v1/whatsapp/trigger-bot-flow", &unknown).await;
        story.get_and_post("/api/v1/whatsapp/bot-flow/list", &[]).await;
        story.delete(&one, json!({})).await;
        story.get(&one).await;
    });
}
