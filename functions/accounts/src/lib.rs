//! Tenants and what they own: profile, plan, usage, accounts and their tokens,
//! keys, operators, connected numbers and what else messages leave from.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - Table: tenants, keys, tokens, accounts, numbers and audit items are written;
//!   usage, block heads and custom channels are read; request counts are written.
//! - Queues: none.

mod sendapp;

use api_http::{Endpoint, Table, delete, get, post};
use axum::Router;
use axum::extract::FromRef;
use channels::cloud::Graph;
use ops::AdminKey;
use sendapp::{operators, senders, tenants};
use store::Store;

/// The kinds of items that the function touches: what its policy allows.
pub const KINDS: &[&str] = &[
    "ACCOUNTS", "AUDIT", "BLOCKS", "CHANNEL", "COUNTER", "IDEM", "KEY", "KEYS", "PHONEID", "RATE", "RUNNER",
    "TENANT", "TOKEN", "USAGE", "VERIFY", "WABA",
];

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// Meta's API, which confirms numbers.
    pub graph: Graph,
    /// What creates tenants; without it nobody may.
    pub admin_key: AdminKey,
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.store.clone()
    }
}

/// Every endpoint of the function.
pub fn table() -> Table<App> {
    let contract: [Endpoint<App>; 3] = [
        get("/api/account", sendapp::account),
        get("/api/get_tokens", sendapp::tokens),
        post("/api/create_accounts", sendapp::create),
    ];
    let extensions: [Endpoint<App>; 12] = [
        post("/api/get_tokens", sendapp::tokens),
        post("/api/account/regenerate_key", operators::regenerate_key),
        get("/api/operators", operators::list),
        post("/api/operators", operators::create),
        post("/api/operators/{id}/disable", operators::disable),
        post("/api/operators/{id}/enable", operators::enable),
        post("/api/accounts/settings", sendapp::change),
        post("/api/accounts/connect_meta", sendapp::connect),
        get("/api/senders", senders::list),
        post("/api/senders/default", senders::choose),
        delete("/api/senders/{id}", senders::remove),
        post("/api/tenants", tenants::create),
    ];
    Table::new(contract.into_iter().chain(extensions.map(Endpoint::extension)))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
