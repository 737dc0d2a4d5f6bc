//! `/api/integrations`: what other platforms post, and what the owner sees of it.

mod bodies;
mod kinds;
mod log;
mod secrets;
mod senders;
mod try_body;
mod webhook;

use axum::body::Body;
use harness::{ADMIN_KEY, Answer, Api, World};
use http::Request;
use serde_json::{Value, json};

type Header = (&'static str, &'static str);

const JSON: Header = ("content-type", "application/json");
const FORM: Header = ("content-type", "application/x-www-form-urlencoded");

/// The API with an account whose numbers are Italian.
async fn italy() -> (World, Api) {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let body = json!({"name": "Integrazioni", "default_country": "39"});
    let created = api.post("/api/create_accounts", body).await.expect(200);
    let api = api.with_token(created["token"].as_str().unwrap());
    (world, api)
}

/// The API of another tenant.
async fn other_tenant(api: &Api) -> Api {
    let body = json!({"name": "Altri", "email": "altri@example.com"});
    let request = Request::post("/api/tenants").header("x-admin-key", ADMIN_KEY);
    let request = request.header(JSON.0, JSON.1).body(Body::from(body.to_string())).unwrap();
    api.with_key(api.send(request).await.expect(201)["apikey"].as_str().unwrap())
}

fn request(token: &str, query: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let uri = format!("/api/integrations/webhook/{token}{query}");
    let request =
        headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
    request.body(body.into()).unwrap()
}

/// A post to the account's address.
async fn post(api: &Api, query: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    api.send(request(&api.token, query, headers, body)).await
}

/// The reason why a post was ignored.
async fn ignored(api: &Api, query: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> String {
    let answer = post(api, query, headers, body).await.expect(200);
    assert_eq!(answer["status"], "ignored", "{answer}");
    answer["reason"].as_str().unwrap().to_owned()
}

/// Every contact with a tag, as `name | phone | email`.
async fn tagged(api: &Api, tag: &str) -> Vec<String> {
    let list = api.get(&format!("/api/contacts?tag={tag}")).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let one = |c: &Value| format!("{} | {} | {}", text(&c["name"]), text(&c["phone"]), text(&c["email"]));
    list["contacts"].as_array().unwrap().iter().map(one).collect()
}

async fn total(api: &Api) -> u64 {
    api.get("/api/contacts").await.expect(200)["total"].as_u64().unwrap()
}

/// The account's calls, newest first.
async fn calls(api: &Api) -> Vec<Value> {
    let log = api.get(&format!("/api/integrations/log?token={}", api.token)).await.expect(200);
    log["calls"].as_array().unwrap().clone()
}
