//! What the outside posts to us.
//!
//! Trigger: HTTP. Routes: `GET` and `POST /webhooks/meta`. Reads the owners of
//! numbers, feeds the queue `inbound`.

mod meta;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use ops::inbound::Owners;
use queue::Queues;
use store::Store;

/// The kinds of items that the function touches: what its policy allows.
pub const KINDS: &[&str] = &["ACCOUNTS", "PHONEID", "TENANT", "VERIFY", "WABA"];

/// Where Meta posts to.
pub const META: &str = "/webhooks/meta";

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    store: Store,
    queues: Queues,
    owners: Arc<Owners>,
}

impl App {
    /// The function on these stores.
    pub fn new(store: Store, queues: Queues) -> Self {
        Self { store, queues, owners: Arc::default() }
    }
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.store.clone()
    }
}

/// The function's routes.
pub fn routes(app: App) -> Router {
    Router::new().route(META, get(meta::verify).post(meta::receive)).with_state(app)
}
