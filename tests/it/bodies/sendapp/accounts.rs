//! Accounts, operators, keys and tenants.

use axum::body::Body;
use harness::ADMIN_KEY;
use http::{Method, Request};
use serde_json::json;

use crate::bodies::compare;
use crate::bodies::story::Story;

#[test]
fn accounts() {
    compare("sendapp-accounts", async |story| {
        story.get("/api/account").await;
        story.keyless(Method::GET, "/api/account").await;
        story.get("/api/get_tokens").await;
        story.post("/api/create_accounts", json!({"name": "Secondo", "default_country": "39"})).await;
        story.post("/api/create_accounts", json!({})).await;
        story.post("/api/get_tokens", json!({})).await;
        story.post("/api/accounts/settings", json!({"help_message": "Sempre aperti"})).await;
        story.post("/api/accounts/settings", json!({"token": "nobody-has-this"})).await;
    });
}

#[test]
fn operators() {
    compare("sendapp-operators", async |story| {
        let made = story.post("/api/operators", json!({"name": "Bruno"})).await;
        let id = made["operator"]["id"].as_str().unwrap();
        story.post("/api/operators", json!({})).await;
        story.post(&format!("/api/operators/{id}/disable"), json!({})).await;
        story.get("/api/operators").await;
        story.post(&format!("/api/operators/{id}/enable"), json!({})).await;
        story.post("/api/operators/nobody/disable", json!({})).await;
        story.post("/api/account/regenerate_key", json!({})).await;
    });
}

/// A call of whoever runs the installation.
async fn create_tenant(story: &mut Story<'_>, key: &str, body: serde_json::Value) {
    let request = Request::post("/api/tenants").header("x-admin-key", key);
    let request = request.header("content-type", "application/json");
    story.send(request.body(Body::from(body.to_string())).unwrap()).await;
}

#[test]
fn tenants() {
    compare("sendapp-tenants", async |story| {
        let plan = json!({"name": "Base", "contacts": 1_000});
        let body = json!({"name": "Altri", "email": "altri@example.com", "plan": plan});
        create_tenant(story, ADMIN_KEY, body.clone()).await;
        create_tenant(story, ADMIN_KEY, json!({"name": "Altri"})).await;
        create_tenant(story, "guessed", body).await;
    });
}
