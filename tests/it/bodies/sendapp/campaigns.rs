//! Campaigns, their files and reports.

use axum::body::Body;
use harness::person;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::bodies::compare;
use crate::bodies::story::{Story, route};

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13];

/// People, and a template for them.
async fn shop(story: &Story<'_>) {
    story.world.import((1..4).map(person)).await;
    story.world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
}

fn draft(more: Value) -> Value {
    let mut draft = json!({"name": "Novità", "channel": "whatsapp", "message_type": "template",
                           "template_name": "avviso", "template_params": ["{name}"]});
    draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    draft
}

#[test]
fn campaigns() {
    compare("sendapp-campaigns", async |story| {
        shop(story).await;
        story.post("/api/campaigns/draft", draft(json!({}))).await;
        story.post("/api/campaigns/draft", json!({"name": "Novità", "channel": "whatsapp"})).await;
        story.post("/api/campaigns/draft", draft(json!({"template_name": "manca"}))).await;
        story.post("/api/campaigns/1/preflight", json!({})).await;
        story.get("/api/campaigns/1").await;
        story.post("/api/campaigns/launch", json!({"campaign_id": 1})).await;
        story.post("/api/campaigns/launch", json!({"campaign_id": 9})).await;
        story.post("/api/campaigns/1/pause", json!({})).await;
        story.post("/api/campaigns/1/resume", json!({})).await;
        story.later().await;
        story.get("/api/campaigns/1").await;
        story.post("/api/campaigns/1/pause", json!({})).await;
        story.post("/api/campaigns/1/resume", json!({"only": "failed"})).await;
        let later = draft(json!({"scheduled_at": "2026-07-02T10:00:00Z"}));
        story.post("/api/campaigns/draft", later).await;
        story.post("/api/campaigns/launch", json!({"campaign_id": 3})).await;
        story.post("/api/campaigns/launch", json!({"campaign_id": 2})).await;
        story.post("/api/campaigns/2/cancel", json!({})).await;
        story.get("/api/campaigns").await;
        story.get("/api/campaigns/9").await;
    });
}

#[test]
fn reports() {
    compare("sendapp-reports", async |story| {
        shop(story).await;
        story.given("/api/campaigns/draft", draft(json!({}))).await;
        story.given("/api/campaigns/launch", json!({"campaign_id": 1})).await;
        story.later().await;
        for format in ["csv", "xlsx"] {
            story.get(&format!("/api/campaigns/1/report.{format}")).await;
            story.later().await;
            story.get(&format!("/api/campaigns/1/report.{format}")).await;
        }
        story.get("/api/campaigns/9/report.csv").await;
    });
}

#[test]
fn files() {
    compare("sendapp-files", async |story| {
        let upload = "/api/campaigns/upload_media";
        for (name, bytes) in [("foto.png", PNG), ("foto.png", b"MZ\x90\x00")] {
            let fields = [("apikey", story.api.key.as_str()), ("token", story.api.token.as_str())];
            let answer = story.api.upload(upload, &fields, (name, "image/png", bytes)).await;
            let body = story.tell(&route(&Method::POST, upload), &answer);
            let Some(url) = body["url"].as_str() else { continue };
            let path = url.strip_prefix("http://localhost:9000").unwrap();
            story.send(Request::get(path).body(Body::empty()).unwrap()).await;
        }
        story.get("/media/nothing/foto.png").await;
        let announced = json!({"filename": "a.pdf", "content_type": "application/pdf", "size": 9_000_000});
        story.post("/api/campaigns/upload_url", announced).await;
        story.post("/api/campaigns/upload_url", json!({"filename": "a.pdf"})).await;
    });
}
