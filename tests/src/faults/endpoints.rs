//! Faults between us and what users run: endpoints, and custom channels.

use std::sync::Arc;

use outbound::Failure;
use serde_json::Value;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::gate::{Event, Gate, Posted, Process};
use super::plan::{About, Fault, Shape};

impl Gate {
    /// What answers for users' endpoints and channels: they take everything.
    pub(crate) fn endpoints(self: Arc<Self>) -> outbound::Exchange {
        BoxCloneSyncService::new(service_fn(move |request: reqwest::Request| {
            let gate = self.clone();
            async move {
                match request.headers().contains_key("webhook-event") {
                    true => gate.call_endpoint(request).await,
                    false => gate.call_channel(request).await,
                }
            }
        }))
    }

    async fn call_endpoint(&self, request: reqwest::Request) -> Result<reqwest::Response, Failure> {
        let event = Event { id: id_of(&request), body: body_of(&request) };
        let Some(process) = Process::current() else { return Ok(answer(200, &[])) };
        match self.count(&process, Shape::Event, "event", About::Text(event.id.clone())) {
            Some(Fault::Refused) => Err(Failure::Connect),
            Some(Fault::Before) => process.end().await,
            Some(Fault::Last) => {
                self.took(event);
                process.end().await
            }
            Some(_) => {
                self.took(event);
                Err(Failure::Timeout)
            }
            None => {
                self.took(event);
                Ok(answer(200, &[]))
            }
        }
    }

    /// A message on a custom channel.
    async fn call_channel(&self, request: reqwest::Request) -> Result<reqwest::Response, Failure> {
        let body: Value = serde_json::from_str(&body_of(&request)).unwrap_or_default();
        let to = body["to"].as_str().unwrap_or_default().to_owned();
        let posted = Posted { to: to.clone(), reference: id_of(&request), at_ms: self.time.clock.now_ms() };
        self.addresses(&to);
        let taken = || {
            let body = format!(r#"{{"id": "chat-{}"}}"#, posted.to);
            Ok(reqwest::Response::from(http::Response::new(body)))
        };
        let Some(process) = Process::current() else { return taken() };
        match self.count(&process, Shape::Message, "post", About::Text(to)) {
            Some(Fault::Throttled) => Ok(answer(429, &[])),
            Some(Fault::TooMany) => Ok(answer(503, &[("retry-after", "5")])),
            Some(Fault::Refused) => Err(Failure::Connect),
            Some(Fault::Broken) => Err(Failure::Reset),
            Some(Fault::Before) => process.end().await,
            Some(Fault::Last) => {
                self.posted(posted.clone());
                process.end().await
            }
            Some(_) => {
                self.posted(posted.clone());
                Err(Failure::Timeout)
            }
            None => {
                self.posted(posted.clone());
                taken()
            }
        }
    }
}

fn id_of(request: &reqwest::Request) -> String {
    let id = request.headers().get("webhook-id").and_then(|id| id.to_str().ok());
    id.unwrap_or_default().to_owned()
}

fn body_of(request: &reqwest::Request) -> String {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    String::from_utf8_lossy(body).into_owned()
}

fn answer(status: u16, headers: &[(&str, &str)]) -> reqwest::Response {
    let response = http::Response::builder().status(status);
    let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
    reqwest::Response::from(response.body("").unwrap())
}
