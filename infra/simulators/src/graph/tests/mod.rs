//! The simulator through its router, with a clock that stands still.

mod catalogs;
mod control;
mod delivery;
mod media;
mod messages;
mod meta_examples;
mod restart;
mod templates;
mod templates_rich;

use axum::body::Body;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Clock, Config, Simulator};

const NUMBER: &str = "106540352242922";
const ACCOUNT: &str = "102290129340398";
const PERSON: &str = "393331234567";
/// 2026-01-01T00:00:00Z
const START_MS: u64 = 1_767_225_600_000;

/// A simulator with its clock.
struct Bench {
    simulator: Simulator,
    clock: Clock,
}

fn config() -> Config {
    Config { clock: Clock::manual(START_MS), seed: Some(7), ..Config::new("secret", "verify") }
}

impl Bench {
    fn new() -> Self {
        Self::with(config())
    }

    fn with(config: Config) -> Self {
        let clock = config.clock.clone();
        Self { simulator: Simulator::new(config).unwrap(), clock }
    }

    /// A bench without limits, for tests about something else.
    fn unlimited() -> Self {
        let bench = Self::new();
        bench.set(json!({ "enforce_window": false, "throughput_per_second": null, "pair_limit": false }));
        bench
    }

    fn set(&self, settings: Value) {
        self.simulator.update_settings(&settings).unwrap();
    }

    async fn request(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        let response = self.simulator.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, "Bearer token")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::HOST, "graph.test");
        let (status, bytes) = self.request(request.body(Body::from(body.to_string())).unwrap()).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, Value::Null).await
    }

    async fn send(&self, body: Value) -> (u16, Value) {
        self.call(Method::POST, &format!("/v23.0/{NUMBER}/messages"), body).await
    }

    /// The code of the refusal, 0 when the message is accepted.
    async fn send_code(&self, body: Value) -> u64 {
        let (status, answer) = self.send(body).await;
        if status == 200 { 0 } else { answer["error"]["code"].as_u64().unwrap() }
    }

    async fn create_template(&self, body: Value) -> (u16, Value) {
        self.call(Method::POST, &format!("/v23.0/{ACCOUNT}/message_templates"), body).await
    }

    /// Creates a template and lets it be approved.
    async fn approved(&self, body: Value) {
        let (status, answer) = self.create_template(body).await;
        assert_eq!(status, 200, "{answer}");
        self.clock.advance(1_000);
    }
}

/// A message of one type with the fields every message has.
fn message(kind: &str, content: Value) -> Value {
    let mut message = json!({ "messaging_product": "whatsapp", "to": PERSON, "type": kind });
    message[kind] = content;
    message
}

fn text(body: &str) -> Value {
    message("text", json!({ "body": body }))
}

fn template(name: &str, components: Value) -> Value {
    message("template", json!({ "name": name, "language": { "code": "en_US" }, "components": components }))
}

fn code(answer: &Value) -> u64 {
    answer["error"]["code"].as_u64().unwrap_or_default()
}
