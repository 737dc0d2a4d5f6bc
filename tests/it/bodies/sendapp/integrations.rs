//! What other platforms post, and what the owner sees of it.

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::bodies::compare;
use crate::bodies::story::Story;

const ADA: &str = r#"{"name": "Ada", "email": "ada@example.com", "city": "Torino"}"#;

/// What another platform posts: it has no key.
async fn posted(story: &mut Story<'_>, path: &str, body: &'static str) {
    let request = Request::post(path).header("content-type", "application/json");
    story.send(request.body(Body::from(body)).unwrap()).await;
}

#[test]
fn integrations() {
    compare("sendapp-integrations", async |story| {
        let (token, key) = (story.api.token.clone(), story.api.key.clone());
        let address = format!("/api/integrations/webhook/{token}");
        story.get(&address).await;
        posted(story, &format!("{address}?source=crm"), ADA).await;
        // The log is in the order of time.
        story.later().await;
        posted(story, &format!("{address}?source=crm"), r#"{"city": "Torino"}"#).await;
        story.later().await;
        posted(story, &address, "not JSON").await;
        posted(story, "/api/integrations/webhook/nobody-has-this", ADA).await;
        let request = Request::post(format!("/api/integrations/try?token={token}&source=crm"));
        let request = request.header("content-type", "application/json").header("x-api-key", key);
        story.send(request.body(Body::from(ADA)).unwrap()).await;
        story.get(&format!("/api/integrations/log?token={token}")).await;
        story.get("/api/integrations/log").await;
        story.keyless(Method::POST, "/api/integrations/try").await;
    });
}

#[test]
fn secrets() {
    compare("sendapp-integration-secrets", async |story| {
        let path = "/api/integrations/secrets";
        story.post(path, json!({"shop": "shopify", "secret": "fake-shop-secret"})).await;
        story.post(path, json!({"shop": "bazaar", "secret": "fake-shop-secret"})).await;
        let token = story.api.token.clone();
        story.get(&format!("{path}?token={token}")).await;
        story.delete(path, json!({"shop": "shopify"})).await;
        story.delete(path, json!({})).await;
    });
}
