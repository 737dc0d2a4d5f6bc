//! Faults between us and Meta.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::IntoResponse;
use bytes::Bytes;
use channels::cloud::{Exchange, NoAnswer};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};

use super::gate::{Gate, Process, run_as};
use super::plan::{About, Fault, Shape};

/// As long as the product waits for Meta.
const PATIENCE: Duration = Duration::from_secs(20);
/// As long as API Gateway waits for a function.
const GATEWAY: Duration = Duration::from_secs(29);

impl Gate {
    /// What answers the Graph client: the simulator.
    pub(crate) fn graph(self: Arc<Self>, simulator: Router) -> Exchange {
        BoxCloneSyncService::new(service_fn(move |request: reqwest::Request| {
            let (gate, simulator) = (self.clone(), simulator.clone());
            async move { gate.call_meta(request, simulator).await }
        }))
    }

    async fn call_meta(
        &self,
        request: reqwest::Request,
        simulator: Router,
    ) -> Result<reqwest::Response, NoAnswer> {
        let request: Request<reqwest::Body> = request.try_into().unwrap();
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await.unwrap();
        let is_message = parts.uri.path().ends_with("/messages");
        if is_message {
            self.addresses(&recipient(&body));
        }
        let request = Request::from_parts(parts, Body::from(body.clone()));
        let Some(process) = Process::current() else { return answer(request, simulator).await };
        let (shape, what) = match is_message {
            true => (Shape::Message, "send"),
            false => (Shape::Graph, request.uri().path().rsplit('/').next().unwrap_or_default()),
        };
        let Some(fault) = self.count(&process, shape, what, About::Text(recipient(&body))) else {
            return answer(request, simulator).await;
        };
        match fault {
            Fault::Throttled => Ok(refusal(429, 130_429, "Rate limit hit")),
            Fault::TooMany => Ok(refusal(400, 4, "Application request limit reached")),
            Fault::Refused => Err(NoAnswer::NotSent),
            Fault::Broken => Err(NoAnswer::Lost),
            Fault::Before => process.end().await,
            Fault::Last => {
                answer(request, simulator).await?;
                process.end().await
            }
            Fault::ReplyLost | Fault::RepliesLost | Fault::Twice | Fault::Conflict | Fault::Partly => {
                answer(request, simulator).await?;
                Err(NoAnswer::Lost)
            }
        }
    }

    /// What Meta posts to: the function, past the faults.
    pub(crate) fn webhooks(self: Arc<Self>, function: Router) -> Router {
        Router::new().fallback(move |request: Request<Body>| {
            let (gate, function) = (self.clone(), function.clone());
            async move { gate.take_post(request, function).await }
        })
    }

    async fn take_post(&self, request: Request<Body>, function: Router) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let fault = self.count_by("meta", Shape::Post, "webhook", About::Text(reported(&body)));
        let post = || Request::from_parts(parts.clone(), Body::from(body.clone()));
        let unavailable = || StatusCode::BAD_GATEWAY.into_response();
        match fault {
            Some(Fault::Refused) => unavailable(),
            Some(Fault::Twice) => {
                let first = self.ask(function.clone(), post()).await;
                self.ask(function, post()).await.or(first).unwrap_or_else(unavailable)
            }
            Some(_) => {
                self.ask(function, post()).await;
                unavailable()
            }
            None => self.ask(function, post()).await.unwrap_or_else(unavailable),
        }
    }

    async fn ask(&self, function: Router, request: Request<Body>) -> Option<Response<Body>> {
        let asked = local::embedded::hold(&registry::INBOUND, function.oneshot(request));
        tokio::time::timeout(GATEWAY, run_as(self, "inbound", asked)).await.ok().flatten()?.ok()
    }
}

async fn answer(request: Request<Body>, simulator: Router) -> Result<reqwest::Response, NoAnswer> {
    let answered = tokio::time::timeout(PATIENCE, simulator.oneshot(request)).await;
    let Ok(Ok(response)) = answered else { return Err(NoAnswer::Lost) };
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.map_err(|_| NoAnswer::Lost)?;
    Ok(Response::from_parts(parts, body).into())
}

fn refusal(status: u16, code: u32, message: &str) -> reqwest::Response {
    let error = json!({"message": format!("(#{code}) {message}"), "type": "OAuthException", "code": code});
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(json!({"error": error}).to_string()).unwrap().into()
}

fn recipient(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["to"].as_str().unwrap_or_default().to_owned()
}

/// What a webhook of Meta's is about.
fn reported(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let value = &body["entry"][0]["changes"][0]["value"];
    let lists = ["messages", "statuses"];
    let found = lists.iter().find(|list| value[**list].is_array());
    (*found.unwrap_or(&"other")).to_owned()
}
