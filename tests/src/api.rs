//! The API as clients call it; every answer is compared with its document.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use domain::CampaignId;
use http::{HeaderMap, Method, Request, StatusCode};
use local::Apps;
use local::embedded::hold;
use registry::Function;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::documented::wrong_in_answer;
use crate::{World, gateway};

/// May create tenants in tests.
pub const ADMIN_KEY: &str = "fake-admin-key";

/// The product's routes, called as a client calls them.
#[derive(Debug, Clone)]
pub struct Api {
    apps: Apps,
    functions: BTreeMap<&'static str, Router>,
    /// The owner's key.
    pub key: String,
    /// The account's token.
    pub token: String,
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body, once the status is the one that is expected.
    pub fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        self.json()
    }

    /// The field that an error names.
    pub fn field(&self, status: u16) -> String {
        let body = self.expect(status);
        body["field"].as_str().unwrap_or_else(|| panic!("no field: {body}")).to_owned()
    }
}

impl Api {
    /// The API of a world, with a key of its owner.
    pub async fn of(world: &World) -> Self {
        let key = ops::accounts::regenerate_key(world.store(), &world.caller).await.unwrap();
        Self::at(world, key.expose())
    }

    /// The API as the agency of a world's tenant calls it.
    pub async fn of_agency(world: &World) -> Self {
        let agency = world.agency.as_ref().unwrap();
        let key = ops::accounts::regenerate_key(world.store(), agency).await.unwrap();
        Self::at(world, key.expose())
    }

    /// The API of a world that goes on from this one's, with the same key.
    pub(crate) fn on(&self, world: &World) -> Self {
        Self::at(world, &self.key)
    }

    fn at(world: &World, key: &str) -> Self {
        let apps = world.apps();
        let functions = apps.functions().into_iter().map(|(name, routes)| (name, apps.serve(routes)));
        Self {
            functions: functions.collect(),
            apps,
            key: key.to_owned(),
            token: world.account.token.expose().to_owned(),
        }
    }

    /// The same API with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The API as a second tenant calls it.
    pub async fn of_another_tenant(&self) -> Self {
        let body = json!({"name": "Altri", "email": "altri@example.com"}).to_string();
        let request = Request::post("/api/tenants").header("x-admin-key", ADMIN_KEY);
        let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
        let tenant = self.send(request).await.expect(201);
        self.with_key(tenant["apikey"].as_str().unwrap())
    }

    /// The same API with the token of another account.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// A request as it is given, to the function that the gateway asks.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let routes = gateway::routes();
        self.send_to(gateway::asked(request.uri().path(), &routes), request).await
    }

    /// A request to one function alone, which may do what it declares.
    pub async fn send_to(&self, function: &str, request: Request<Body>) -> Answer {
        let entry = Function::named(function).unwrap();
        hold(entry, Self::answer(self.functions[function].clone(), request)).await
    }

    /// A request to all functions together, as the local process serves them.
    pub async fn send_together(&self, request: Request<Body>) -> Answer {
        Self::answer(self.apps.router(), request).await
    }

    async fn answer(router: Router, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let wrong = wrong_in_answer(method.as_str(), &path, parts.status.as_u16(), &body);
        assert!(wrong.is_empty(), "{wrong:#?} in {}", String::from_utf8_lossy(&body));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A request without credentials.
    pub async fn raw(&self, method: Method, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        self.send(request.body(body.into()).unwrap()).await
    }

    /// `GET` with the key in the header.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).header("x-api-key", &self.key).body(Body::empty()).unwrap()).await
    }

    /// A campaign's report, once its file is made: `csv` or `xlsx`.
    pub async fn report(&self, world: &World, id: CampaignId, format: &str) -> Vec<u8> {
        for _ in 0..3 {
            let answer = self.get(&format!("/api/campaigns/{id}/report.{format}")).await;
            if answer.status == StatusCode::FOUND {
                let (status, file) = world.fetch(answer.headers["location"].to_str().unwrap()).await;
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&file));
                return file;
            }
            assert_eq!(answer.expect(202)["status"], "preparing");
            world.drain().await;
        }
        panic!("the report is not made");
    }

    /// `GET` as Sendwo's clients call, with the key in the query.
    pub async fn sendwo(&self, path: &str, query: &str) -> Answer {
        self.raw(Method::GET, &format!("{path}?apiToken={}&{query}", self.key), "", "").await
    }

    /// `GET` as SendAPI's clients call, with a Bearer token.
    pub async fn sendapi(&self, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.key));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// `POST` of JSON in the SendAPI dialect.
    pub async fn post_sendapi(&self, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {}", self.key));
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A JSON body with the key in the header.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-api-key", &self.key)
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// `POST` of JSON with the key in the header.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, &body).await
    }

    /// `POST` of JSON with key and token in the body, as the contract's examples do.
    pub async fn post_as_documented(&self, path: &str, mut body: Value) -> Answer {
        body["apikey"] = json!(self.key);
        body["token"] = json!(self.token);
        self.raw(Method::POST, path, "application/json", body.to_string()).await
    }

    /// A multipart form with one file.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Answer {
        let boundary = "----staffetta-test";
        let mut body = Vec::new();
        for (name, value) in fields {
            let head =
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        let (name, mime, bytes) = file;
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        self.raw(Method::POST, path, &format!("multipart/form-data; boundary={boundary}"), body).await
    }
}
