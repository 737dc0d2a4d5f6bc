//! Tenants and what they own: profile, plan, usage, accounts and their tokens, keys and
//! operators; the plans that there are.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::ACCOUNTS`.

mod sendapp;
mod sendwo;

use api_http::{ApiEndpoint, Table, get, get_or_post, post};
use axum::Router;
use axum::extract::FromRef;
use ops::AdminKey;
use sendapp::{operators, plans, tenants};
use store::Store;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
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
    let contract: [ApiEndpoint<App>; 3] = [
        get("/api/account", sendapp::account),
        get("/api/get_tokens", sendapp::tokens),
        post("/api/create_accounts", sendapp::create),
    ];
    let extensions: [ApiEndpoint<App>; 12] = [
        post("/api/get_tokens", sendapp::tokens),
        post("/api/account/regenerate_key", operators::regenerate_key),
        get("/api/operators", operators::list),
        post("/api/operators", operators::create),
        post("/api/operators/{id}/disable", operators::disable),
        post("/api/operators/{id}/enable", operators::enable),
        post("/api/accounts/settings", sendapp::change),
        post("/api/tenants", tenants::create),
        post("/api/tenants/{id}/plan", tenants::give_plan),
        get("/api/plans", plans::list),
        post("/api/plans", plans::define),
        get_or_post("/api/v1/whatsapp/account/connect", sendwo::connect),
    ];
    let sendwo: [ApiEndpoint<App>; 5] = [
        get_or_post("/api/v1/user/myInfo", sendwo::my_info),
        get_or_post("/api/v1/user/usage/log", sendwo::usage_log),
        get_or_post("/api/v1/user/package/list", sendwo::packages),
        get_or_post("/api/v1/user/module/list", sendwo::modules),
        get_or_post("/api/v1/whatsapp/connect/account/list", sendwo::connected),
    ];
    Table::new(contract.into_iter().chain(sendwo).chain(extensions.map(ApiEndpoint::extension)))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
