//! Endpoints, and what was delivered to them.

use serde_json::json;

use crate::bodies::compare;
use crate::bodies::story::HOOK;

#[test]
fn webhooks() {
    compare("sendapp-webhooks", async |story| {
        let new = json!({"name": "crm", "url": HOOK, "events": ["contact.created", "message.status"]});
        story.post("/api/webhooks", new).await;
        story.post("/api/webhooks", json!({"name": "crm"})).await;
        story.post("/api/webhooks", json!({"url": HOOK, "events": ["sunrise"]})).await;
        story.get("/api/webhooks").await;
        story.get("/api/webhooks/1").await;
        story.get("/api/webhooks/9").await;
        story.post("/api/webhooks/1", json!({"name": "CRM", "enabled": false})).await;
        story.post("/api/webhooks/1", json!({"enabled": true})).await;
        story.post("/api/webhooks/1/rotate_secret", json!({})).await;
        for kind in ["whatsapp-meta", "sms"] {
            let path = format!("/api/{kind}/set_webhook");
            story.post(&path, json!({"url": HOOK})).await;
            story.post(&path, json!({})).await;
            story.delete(&path, json!({})).await;
        }
        story.delete("/api/webhooks/1", json!({})).await;
        story.delete("/api/webhooks/1", json!({})).await;
        story.get("/api/webhooks/events").await;
    });
}

#[test]
fn deliveries() {
    compare("sendapp-deliveries", async |story| {
        story.given("/api/webhooks", json!({"name": "crm", "url": HOOK})).await;
        story.post("/api/webhooks/1/test", json!({})).await;
        story.given("/api/contacts", json!({"name": "Ada", "email": "ada@example.com"})).await;
        story.later().await;
        story.get("/api/webhooks/1/deliveries").await;
        story.get("/api/webhooks/1/deliveries/2").await;
        story.get("/api/webhooks/1/deliveries/99").await;
        story.get("/api/webhooks/9/deliveries").await;
        story.post("/api/webhooks/1/replay", json!({"delivery_id": 2})).await;
        story.post("/api/webhooks/1/replay", json!({"delivery_id": 99})).await;
        story.post("/api/webhooks/1/replay", json!({})).await;
        story.post("/api/webhooks/9/test", json!({})).await;
    });
}
