//! Calls in order, and what was answered.

use std::time::Duration;

use api_http::{Dialect, Route};
use axum::body::Body;
use harness::{Answer, Api, WABA_ID, World};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::routes::routes;

/// Where a user's server is said to be. On virtual time nothing listens there, and the
/// posts are taken all the same.
pub(super) const HOOK: &str = "http://127.0.0.1/hook";

/// The catalog of those stories that have one.
pub(super) const CATALOG: &str = "700700700700700";

/// Calls in order, and what was answered.
pub(super) struct Story<'w> {
    pub(super) world: &'w World,
    pub(super) api: Api,
    /// A heading and a body for each call.
    pub(super) answers: String,
    last: String,
}

impl<'w> Story<'w> {
    pub(super) async fn new(world: &'w World) -> Self {
        // Whoever is written to need not have written first.
        world.set(json!({"enforce_window": false}));
        Self { world, api: Api::of(world).await, answers: String::new(), last: String::new() }
    }

    pub(super) async fn get(&mut self, path: &str) -> Value {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(super) async fn post(&mut self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body).await
    }

    pub(super) async fn put(&mut self, path: &str, body: Value) -> Value {
        self.call(Method::PUT, path, body).await
    }

    pub(super) async fn delete(&mut self, path: &str, body: Value) -> Value {
        self.call(Method::DELETE, path, body).await
    }

    /// The same parameters in the query of a `GET`, and in the body of a `POST`.
    pub(super) async fn get_and_post(&mut self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let pairs: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", in_query(value))).collect();
        self.get(&format!("{path}?{}", pairs.join("&"))).await;
        let body = parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        self.post(path, Value::Object(body.collect())).await
    }

    /// A call by somebody without a key.
    pub(super) async fn keyless(&mut self, method: Method, path: &str) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        self.send(request).await;
    }

    /// A call with the key, and in SendApp's dialect the token, where clients put them.
    async fn call(&mut self, method: Method, path: &str, mut body: Value) -> Value {
        let dialect = route(&method, path).dialect;
        let mut request = Request::builder().method(&method);
        let mut uri = path.to_owned();
        match dialect {
            Dialect::SendApp | Dialect::DmChamp => request = request.header("x-api-key", &self.api.key),
            Dialect::SendApi => request = request.header("authorization", format!("Bearer {}", self.api.key)),
            Dialect::Sendwo if method == Method::GET => {
                let separator = if path.contains('?') { '&' } else { '?' };
                uri = format!("{path}{separator}apiToken={}", self.api.key);
            }
            Dialect::Sendwo => body["apiToken"] = json!(self.api.key),
        }
        if dialect == Dialect::SendApp && method != Method::GET && body.get("token").is_none() {
            body["token"] = json!(self.api.token);
        }
        let sent = if method == Method::GET { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.uri(uri).header("content-type", "application/json");
        self.send(request.body(sent).unwrap()).await
    }

    /// A request as it is given.
    pub(super) async fn send(&mut self, request: Request<Body>) -> Value {
        let route = route(request.method(), request.uri().path());
        let answer = self.api.send(request).await;
        self.tell(&route, &answer)
    }

    /// Writes an answer down.
    pub(super) fn tell(&mut self, route: &Route, answer: &Answer) -> Value {
        let content_type = answer.headers.get("content-type").map(|value| value.to_str().unwrap());
        let (text, body) = match content_type {
            Some("application/json") => (pretty(answer.json()), answer.json()),
            // What a file holds is not for a snapshot.
            other => (other.unwrap_or("no body").to_owned(), Value::Null),
        };
        let heading = format!("{} {} {}", route.method, route.path, answer.status.as_u16());
        // Two methods of one path mostly answer the same.
        let shown = if text == self.last { "as above" } else { &text };
        let gap = if self.answers.is_empty() { "" } else { "\n\n" };
        self.answers.push_str(&format!("{gap}{heading}\n{shown}"));
        self.last = text;
        body
    }

    /// An upload of Sendwo's, with the key as a Bearer token: a file in a field.
    pub(super) async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        (field, (name, mime, bytes)): (&str, (&str, &str, &[u8])),
    ) {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--x--\r\n");
        let request = Request::post(path).header("authorization", format!("Bearer {}", self.api.key));
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        self.send(request.body(Body::from(body)).unwrap()).await;
    }

    /// What a story needs and is not about: it is not written down.
    pub(super) async fn given(&self, path: &str, body: Value) -> Value {
        let answer = self.api.post_as_documented(path, body).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer.json()
    }

    /// The same of a call of Sendwo's.
    pub(super) async fn given_sendwo(&self, path: &str, parameters: &[(&str, &str)]) {
        let pairs: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", in_query(value))).collect();
        let answer = self.api.sendwo(path, &pairs.join("&")).await;
        assert_eq!(answer.json()["status"], "1", "{path}: {answer:?}");
    }

    /// Connects a catalog.
    pub(super) fn stock(&self) {
        let products = json!([
            {"retailer_id": "pane", "name": "Pane di Altamura", "price": 2.5, "description": "Un chilo",
             "image_url": "https://example.com/pane.jpg", "url": "https://example.com/pane", "brand": "Forno"},
            {"retailer_id": "vino", "name": "Vino rosso", "price": 8, "availability": "out of stock"},
        ]);
        let catalog = json!({"id": CATALOG, "name": "Bottega", "waba_id": WABA_ID, "products": products});
        self.world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
    }

    /// Somebody orders from the catalog.
    pub(super) fn order(&self) {
        let items = json!([{"product_retailer_id": "pane", "quantity": 3}, {"product_retailer_id": "vino"}]);
        let order = json!({"from": "393330000001", "name": "Ada", "items": items, "text": "Senza sacchetto"});
        self.world.simulator.order(serde_json::from_value(order).unwrap()).unwrap();
    }

    /// Half a minute in no time, in which the workers work.
    pub(super) async fn later(&self) {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
}

/// The route that serves a path: one with the path as it is, or one with names in it.
pub(super) fn route(method: &Method, path: &str) -> Route {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (mut parts, mut given) = (template.split('/'), path.split('/'));
        template.matches('/').count() == path.matches('/').count()
            && parts.all(|part| given.next().is_some_and(|given| part.starts_with('{') || part == given))
    };
    let mut fitting: Vec<Route> =
        routes().into_iter().filter(|route| route.method == method.as_str() && fits(route.path)).collect();
    fitting.sort_by_key(|route| route.path.matches('{').count());
    *fitting.first().unwrap_or_else(|| panic!("nothing serves {method} {path}"))
}

/// A value as a query has it.
fn in_query(value: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b',' | b'-' | b'_' | b':' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    value.bytes().map(escape).collect()
}

fn pretty(body: Value) -> String {
    serde_json::to_string_pretty(&redacted(body)).unwrap()
}

/// A body without what differs from run to run, and without what looks like a secret to
/// whoever scans repositories for them.
fn redacted(body: Value) -> Value {
    match body {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, redacted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(redacted).collect()),
        Value::String(text) => json!(redacted_text(&text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => body,
    }
}

fn redacted_text(text: &str) -> &str {
    match text {
        _ if text.starts_with("sk_live_") => "[key]",
        _ if text.starts_with("whsec_") => "[secret]",
        // Signed with the machine's time.
        _ if text.contains("X-Amz-Signature") => "[signed url]",
        _ => text,
    }
}
