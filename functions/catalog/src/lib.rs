//! Catalogs that are connected to WhatsApp, their products, and what customers order.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::CATALOG`.

mod sendapp;
mod sendwo;
mod shown;

use api_http::{ApiEndpoint, Table, get, get_or_post, post};
use axum::Router;
use axum::extract::FromRef;
use messaging::Services;
use store::Store;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table, Meta's API, what tells customers, and the queue of the campaign worker.
    pub services: Services,
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.services.store.clone()
    }
}

impl FromRef<App> for Services {
    fn from_ref(app: &App) -> Self {
        app.services.clone()
    }
}

/// Every endpoint of the function.
pub fn table() -> Table<App> {
    let contract: [ApiEndpoint<App>; 3] = [
        get_or_post("/api/v1/catalog/list", sendwo::list),
        get_or_post("/api/v1/catalog/sync", sendwo::sync).heavy(),
        get_or_post("/api/v1/catalog/order/list", sendwo::orders),
    ];
    let extensions: [ApiEndpoint<App>; 2] = [
        get_or_post("/api/v1/catalog/order/update", sendwo::update),
        get_or_post("/api/v1/catalog/product/list", sendwo::products),
    ];
    // As sister products call them.
    let sisters: [ApiEndpoint<App>; 4] = [
        get_or_post("/api/v1/whatsapp/catalog/list", sendwo::list),
        get_or_post("/api/v1/whatsapp/catalog/sync", sendwo::sync).heavy(),
        get_or_post("/api/v1/whatsapp/catalog/order/list", sendwo::orders),
        get_or_post("/api/v1/whatsapp/catalog/order/status-change", sendwo::update),
    ];
    let sendapp: [ApiEndpoint<App>; 6] = [
        get("/api/catalogs", sendapp::list),
        post("/api/catalogs/{id}/sync", sendapp::sync).heavy(),
        get("/api/catalogs/{id}/products", sendapp::products),
        get("/api/orders", sendapp::orders),
        get("/api/orders/{id}", sendapp::order),
        post("/api/orders/{id}", sendapp::update),
    ];
    let extensions = extensions.into_iter().chain(sisters).chain(sendapp).map(ApiEndpoint::extension);
    Table::new(contract.into_iter().chain(extensions))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
