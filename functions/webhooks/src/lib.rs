//! Where our users want events sent, what they were sent, and sending it again.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::WEBHOOKS`.

mod sendapp;
mod sendwo;

use api_http::{ApiEndpoint, Table, delete, get, get_or_post, post};
use axum::Router;
use axum::extract::FromRef;
use dispatch::WebhookDispatcher;
use store::Store;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table, the bucket, the queue, and what calls users' URLs.
    pub dispatcher: WebhookDispatcher,
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.dispatcher.store.clone()
    }
}

impl FromRef<App> for WebhookDispatcher {
    fn from_ref(app: &App) -> Self {
        app.dispatcher.clone()
    }
}

/// Every endpoint of the function.
pub fn table() -> Table<App> {
    let contract: [ApiEndpoint<App>; 6] = [
        post("/api/whatsapp-meta/set_webhook", sendapp::register::set_meta),
        delete("/api/whatsapp-meta/set_webhook", sendapp::register::unset_meta),
        post("/api/sms/set_webhook", sendapp::register::set_sms),
        delete("/api/sms/set_webhook", sendapp::register::unset_sms),
        get_or_post("/api/v1/webhook/workflow/list", sendwo::list),
        get_or_post("/api/v1/webhook/workflow/create", sendwo::create),
    ];
    let extensions: [ApiEndpoint<App>; 13] = [
        get("/api/webhooks", sendapp::list),
        post("/api/webhooks", sendapp::register::create),
        get("/api/webhooks/events", sendapp::events),
        get("/api/webhooks/{id}", sendapp::show),
        post("/api/webhooks/{id}", sendapp::change),
        delete("/api/webhooks/{id}", sendapp::remove),
        get("/api/webhooks/{id}/deliveries", sendapp::deliveries::list),
        get("/api/webhooks/{id}/deliveries/{delivery_id}", sendapp::deliveries::show),
        post("/api/webhooks/{id}/replay", sendapp::deliveries::replay).heavy(),
        post("/api/webhooks/{id}/test", sendapp::deliveries::test).heavy(),
        post("/api/webhooks/{id}/rotate_secret", sendapp::rotate_secret),
        get_or_post("/api/v1/webhook/workflow/update", sendwo::update),
        get_or_post("/api/v1/webhook/workflow/delete", sendwo::delete),
    ];
    Table::new(contract.into_iter().chain(extensions.map(ApiEndpoint::extension)))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
