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

/// Makes the tenant of a story an agency.
pub(crate) async fn make_agency(story: &mut Story<'_>) {
    let id = story.world.tenant().to_string();
    let told = std::mem::take(&mut story.answers);
    admin(story, &format!("/api/tenants/{id}/agency"), ADMIN_KEY, json!({})).await;
    story.answers = told;
}

#[test]
fn credits() {
    compare("sendapp-credits", async |story| {
        let id = story.world.tenant().to_string();
        let path = format!("/api/tenants/{id}/agency");
        story.get("/api/subaccounts").await;
        story.get("/api/credits").await;
        admin(story, &path, ADMIN_KEY, json!({})).await;
        admin(story, "/api/tenants/nobody/agency", ADMIN_KEY, json!({})).await;
        admin(story, &path, "guessed", json!({})).await;
        let prices = json!({"default": 1, "whatsapp": {"marketing": 5, "utility": 2}});
        story.post("/api/subaccounts/prices", json!({"prices": prices})).await;
        story.post("/api/subaccounts/prices", json!({"prices": {"default": 1.5}})).await;
        story.get("/api/subaccounts/prices").await;
        let new =
            json!({"name": "Panificio", "email": "pane@example.com", "credits": 3, "recharge_threshold": 2});
        let made = story.post("/api/subaccounts", new.clone()).await;
        story.post("/api/subaccounts", new).await;
        story.post("/api/subaccounts", json!({"name": "Forno", "email": "x"})).await;
        story.get("/api/subaccounts").await;
        let sub = format!("/api/subaccounts/{}", made["subaccount"]["id"].as_str().unwrap());
        story.get(&sub).await;
        story.get("/api/subaccounts/nobody").await;
        story
            .post(&format!("{sub}/settings"), json!({"recharge_amount": 100, "prices": {"default": 2}}))
            .await;
        story.post(&format!("{sub}/settings"), json!({"prices": {"whatsapp": {"news": 1}}})).await;
        let grant = json!({"amount": 10, "description": "Ricarica", "idempotency_key": "r-1"});
        story.post(&format!("{sub}/credits"), grant).await;
        story.post(&format!("{sub}/credits"), json!({"amount": 11, "idempotency_key": "r-1"})).await;
        story.post(&format!("{sub}/credits"), json!({"amount": 0})).await;
        story.get(&format!("{sub}/history?limit=10")).await;
        let agency = story.api.clone();
        story.api = agency.with_key(made["apikey"].as_str().unwrap());
        story.get("/api/credits").await;
        story.get("/api/credits/history?limit=1").await;
        story.get("/api/credits/history?before=x").await;
        story.api = agency.clone();
        story.post(&format!("{sub}/disable"), json!({})).await;
        story.api = agency.with_key(made["apikey"].as_str().unwrap());
        story.get("/api/credits").await;
        story.api = agency;
        story.post(&format!("{sub}/enable"), json!({})).await;
        story.keyless(Method::GET, "/api/credits").await;
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
