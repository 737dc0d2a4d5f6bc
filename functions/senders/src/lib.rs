//! What messages leave from: the numbers of accounts, and custom channels.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::SENDERS`.

mod sendapp;

use api_http::{ApiEndpoint, Table, delete, get, post};
use axum::Router;
use axum::extract::FromRef;
use channels::cloud::Graph;
use sendapp::{channels as custom, connect, list};
use store::Store;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// Meta's API, which confirms numbers.
    pub graph: Graph,
    /// Where custom channels lead, which is checked.
    pub outbound: outbound::Client,
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.store.clone()
    }
}

/// Every endpoint of the function.
pub fn table() -> Table<App> {
    let extensions: [ApiEndpoint<App>; 7] = [
        post("/api/accounts/connect_meta", connect::connect),
        get("/api/senders", list::list),
        post("/api/senders/default", list::choose),
        delete("/api/senders/{id}", list::remove),
        get("/api/channels", custom::list),
        post("/api/channels", custom::register),
        delete("/api/channels/{name}", custom::remove),
    ];
    Table::new(extensions.map(ApiEndpoint::extension))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
