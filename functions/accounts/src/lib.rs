//! Tenants and what they own: profile, plan, usage, accounts and their tokens, keys and
//! operators; the plans that there are; agencies, their sub-accounts, and credits.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::ACCOUNTS`.

mod dmchamp;
mod metered;
mod sendapi;
mod sendapp;
mod sendwo;

use api_http::{ApiEndpoint, Table, get, get_or_post, post};
use axum::Router;
use axum::extract::FromRef;
use ops::AdminKey;
use ops::events::EventPublisher;
use queue::Queues;
use sendapp::{credits, operators, plans, subaccounts, tenants};
use store::Store;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// The queue of the campaign worker.
    pub queues: Queues,
    /// What creates tenants; without it nobody may.
    pub admin_key: AdminKey,
}

impl FromRef<App> for EventPublisher {
    fn from_ref(app: &App) -> Self {
        Self { store: app.store.clone(), queues: app.queues.clone() }
    }
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
    let of_agencies: [ApiEndpoint<App>; 13] = [
        post("/api/tenants/{id}/agency", subaccounts::mark),
        get("/api/subaccounts", subaccounts::list),
        post("/api/subaccounts", subaccounts::create),
        get("/api/subaccounts/prices", subaccounts::prices),
        post("/api/subaccounts/prices", subaccounts::set_prices),
        get("/api/subaccounts/{id}", subaccounts::get),
        post("/api/subaccounts/{id}/settings", subaccounts::change),
        post("/api/subaccounts/{id}/disable", subaccounts::disable),
        post("/api/subaccounts/{id}/enable", subaccounts::enable),
        post("/api/subaccounts/{id}/credits", subaccounts::grant_credits).header_key(),
        get("/api/subaccounts/{id}/history", credits::of_sub_account),
        get("/api/credits", credits::balance),
        get("/api/credits/history", credits::list),
    ];
    let sendapi: [ApiEndpoint<App>; 1] = [get("/v1/account/usage", sendapi::usage)];
    let dmchamp = [post("/v1/subaccounts/credits", dmchamp::grant_credits).header_key()];
    let extensions = extensions.into_iter().chain(of_agencies).map(ApiEndpoint::extension);
    Table::new(contract.into_iter().chain(sendwo).chain(extensions).chain(sendapi).chain(dmchamp))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
