//! Numbers and custom channels.

use harness::{APP_SECRET, VERIFY_TOKEN, WABA_ID};
use serde_json::json;

use crate::bodies::compare;
use crate::bodies::story::HOOK;

const NUMBER: &str = "200200200200200";

#[test]
fn senders() {
    compare("sendapp-senders", async |story| {
        let number = json!({"phone_number_id": NUMBER, "waba_id": WABA_ID, "access_token": "EAA-test",
                            "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN});
        story.post("/api/accounts/connect_meta", number).await;
        story.post("/api/accounts/connect_meta", json!({"phone_number_id": NUMBER})).await;
        story.get("/api/senders").await;
        story.post("/api/senders/default", json!({"sender": NUMBER})).await;
        story.post("/api/senders/default", json!({"sender": "300300300300300"})).await;
        story.delete(&format!("/api/senders/{NUMBER}"), json!({})).await;
        story.delete(&format!("/api/senders/{NUMBER}"), json!({})).await;
    });
}

#[test]
fn channels() {
    compare("sendapp-channels", async |story| {
        story.post("/api/channels", json!({"name": "LiveChat", "url": HOOK})).await;
        story.post("/api/channels", json!({"name": "livechat", "url": HOOK, "rate": 20})).await;
        story.post("/api/channels", json!({"name": "x", "url": "https://10.0.0.1/x"})).await;
        story.post("/api/channels", json!({"url": HOOK})).await;
        story.get("/api/channels").await;
        story.delete("/api/channels/LiveChat", json!({})).await;
        story.delete("/api/channels/LiveChat", json!({})).await;
    });
}
