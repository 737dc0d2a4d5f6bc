//! A server of the user's, to which events are sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use domain::webhook::{SigningSecret, verify};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::documented;

/// What the server answers.
#[derive(Debug, Clone)]
pub enum Mood {
    /// This status, with these headers.
    Answers(u16, Vec<(&'static str, String)>),
    /// 200, after this time.
    Slow(Duration),
    /// Nothing, ever.
    Hangs,
    /// 500 to whatever contains this, 200 to the rest.
    ChokesOn(String),
    /// 200, with this body.
    Says(String),
}

/// An event as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Whether it was answered with 2xx.
    pub taken: bool,
}

impl Received {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether this secret signed it, at the time that it says.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let secret: SigningSecret = secret.parse().unwrap();
        let timestamp = self.header("webhook-timestamp");
        let now = Timestamp::from_second(timestamp.parse().unwrap()).unwrap();
        let signatures = self.header("webhook-signature");
        verify(&secret, self.header("webhook-id"), timestamp, signatures, &self.body, now).is_ok()
    }
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    received: Mutex<Vec<Received>>,
    undocumented: Mutex<Vec<String>>,
}

/// The server; it ends with this.
#[derive(Debug)]
pub struct Hook {
    /// Where it listens.
    pub url: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

impl Hook {
    /// A server that takes everything.
    pub async fn new() -> Self {
        let mood = Mutex::new(Mood::Answers(200, Vec::new()));
        let shared = Arc::new(Shared { mood, received: Mutex::default(), undocumented: Mutex::default() });
        let router = Router::new().route("/hook", post(take)).layer(DefaultBodyLimit::disable());
        let router = router.with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, _server: server }
    }

    /// Lets it answer otherwise.
    pub fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// Lets it answer this status.
    pub fn answer(&self, status: u16) {
        self.set(Mood::Answers(status, Vec::new()));
    }

    /// Lets it answer 200 with this body.
    pub fn answer_with(&self, body: &str) {
        self.set(Mood::Says(body.to_owned()));
    }

    /// Every event that came, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Every event that was taken, in order.
    pub fn taken(&self) -> Vec<Received> {
        self.received().into_iter().filter(|received| received.taken).collect()
    }
}

/// Whatever came must have been as the document says, in every test.
impl Drop for Hook {
    fn drop(&mut self) {
        let undocumented = self.shared.undocumented.lock().unwrap();
        if !std::thread::panicking() {
            assert!(undocumented.is_empty(), "{undocumented:#?}");
        }
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let mood = shared.mood.lock().unwrap().clone();
    let (status, more) = match &mood {
        Mood::Answers(status, headers) => (*status, headers.clone()),
        Mood::ChokesOn(text) if String::from_utf8_lossy(&body).contains(text) => (500, Vec::new()),
        Mood::Slow(_) | Mood::Hangs | Mood::ChokesOn(_) | Mood::Says(_) => (200, Vec::new()),
    };
    let taken = (200..300).contains(&status) && !matches!(mood, Mood::Hangs);
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let wrong = documented::wrong_in_post(header("webhook-event"), header("webhook-id"), &body);
    shared.undocumented.lock().unwrap().extend(wrong);
    shared.received.lock().unwrap().push(Received { headers, body, taken });
    match mood {
        Mood::Hangs => std::future::pending().await,
        Mood::Slow(time) => tokio::time::sleep(time).await,
        Mood::Says(text) => return text.into_response(),
        Mood::Answers(..) | Mood::ChokesOn(_) => {}
    }
    let status = StatusCode::from_u16(status).unwrap();
    let mut response = (status, "the receiver's answer").into_response();
    for (name, value) in more {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
