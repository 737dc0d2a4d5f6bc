//! Accounts, operators, keys and tenants.

use axum::body::Body;
use harness::ADMIN_KEY;
use http::{Method, Request};
use serde_json::{Value, json};

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
async fn admin(story: &mut Story<'_>, path: &str, key: &str, body: Value) -> Value {
    let request = if body.is_null() { Request::get(path) } else { Request::post(path) };
    let request = request.header("x-admin-key", key).header("content-type", "application/json");
    let sent = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    story.send(request.body(sent).unwrap()).await
}

async fn create_tenant(story: &mut Story<'_>, key: &str, body: Value) -> Value {
    admin(story, "/api/tenants", key, body).await
}

#[test]
fn plans() {
    compare("sendapp-plans", async |story| {
        let growth = json!({"name": "Growth", "price": 4_900, "validity": 30, "messages_per_minute": 60,
                            "messages_per_day": 5_000, "contacts": 5_000, "modules": "broadcast, Live Chat"});
        admin(story, "/api/plans", ADMIN_KEY, growth.clone()).await;
        admin(story, "/api/plans", ADMIN_KEY, json!({"name": "Growth", "visible": false})).await;
        admin(story, "/api/plans", ADMIN_KEY, json!({"id": 9, "name": "Free"})).await;
        admin(story, "/api/plans", ADMIN_KEY, json!({"name": "Free", "modules": ["fax"]})).await;
        admin(story, "/api/plans", ADMIN_KEY, json!({})).await;
        admin(story, "/api/plans", "guessed", growth.clone()).await;
        admin(story, "/api/plans", ADMIN_KEY, growth).await;
        admin(story, "/api/plans", ADMIN_KEY, Value::Null).await;
        let body = json!({"name": "Altri", "email": "altri@example.com"});
        let made = create_tenant(story, ADMIN_KEY, body).await;
        let path = format!("/api/tenants/{}/plan", made["tenant"]["id"].as_str().unwrap());
        admin(story, &path, ADMIN_KEY, json!({"plan_id": 1})).await;
        admin(story, &path, ADMIN_KEY, json!({"plan_id": 7})).await;
        admin(story, "/api/tenants/nobody/plan", ADMIN_KEY, json!({"plan_id": 1})).await;
        admin(story, &path, "guessed", json!({"plan_id": 1})).await;
    });
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
