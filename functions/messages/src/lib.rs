//! Single messages, the templates they use, the custom channels they go over, what
//! became of them, and who wants no more; one-time codes, and what numbers are.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::MESSAGES`.

mod dmchamp;
mod products;
mod sendapi;
mod sendapp;
mod sendwo;
mod times;

use api_http::{ApiEndpoint, Table, delete, get, get_or_post, post};
use axum::Router;
use axum::extract::FromRef;
use messaging::Services;
use sendwo::{content, history, template};
use store::Store;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table, the providers and the files.
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
    let sendapp: [ApiEndpoint<App>; 7] = [
        post("/api/whatsapp-meta/send", sendapp::send),
        get("/api/whatsapp-meta/get_templates", sendapp::templates::list),
        post("/api/whatsapp-meta/get_templates", sendapp::templates::list).extension(),
        post("/api/whatsapp-meta/create_template", sendapp::templates::create).heavy(),
        get("/api/suppressions", sendapp::suppressions::list).extension(),
        post("/api/suppressions", sendapp::suppressions::add).extension(),
        delete("/api/suppressions", sendapp::suppressions::remove).extension(),
    ];
    let sendwo: [ApiEndpoint<App>; 5] = [
        get_or_post("/api/v1/whatsapp/send-text-message", sendwo::send_text),
        get_or_post("/api/v1/whatsapp/send-interactive-buttons", content::send_buttons),
        get_or_post("/api/v1/whatsapp/send-media", content::send_media),
        get_or_post("/api/v1/whatsapp/conversation", history::conversation),
        get_or_post("/api/v1/whatsapp/message/delivery-status", history::delivery_status),
    ];
    let products: [ApiEndpoint<App>; 3] = [
        get_or_post("/api/v1/whatsapp/send-product", sendwo::products::send_product),
        get_or_post("/api/v1/whatsapp/send-product-list", sendwo::products::send_products),
        get_or_post("/api/v1/whatsapp/send-catalog", sendwo::products::send_catalog),
    ];
    // As sister products call them.
    let sisters: [ApiEndpoint<App>; 8] = [
        get_or_post("/api/v1/whatsapp/send", template::send),
        get_or_post("/api/v1/whatsapp/send/template", template::send_template),
        get_or_post("/api/v1/whatsapp/send/interactive-buttons", content::send_buttons),
        get_or_post("/api/v1/whatsapp/send/file", content::send_media),
        get_or_post("/api/v1/whatsapp/get/conversation", history::conversation),
        get_or_post("/api/v1/whatsapp/get/message-status", history::delivery_status),
        get_or_post("/api/v1/whatsapp/get/template/list", template::list),
        get_or_post("/api/v1/whatsapp/template/list", template::list),
    ];
    let ours = products.into_iter().chain(sisters).map(ApiEndpoint::extension);
    let sendwo = sendwo.into_iter().chain(ours);
    let sendapi: [ApiEndpoint<App>; 6] = [
        get("/v1/whatsapp/messages", sendapi::list),
        get("/v1/whatsapp/messages/{id}", sendapi::show),
        post("/v1/phone/validate", sendapi::phone::validate),
        get("/v1/phone/validate", sendapi::phone::validate).extension(),
        post("/v1/verify/send", sendapi::verify::send),
        post("/v1/verify/check", sendapi::verify::check),
    ];
    let dmchamp: [ApiEndpoint<App>; 2] = [
        post("/v1/send_custom_channel_message", dmchamp::send_custom_channel_message),
        post("/v1/send-custom-channel-message", dmchamp::send_custom_channel_message).extension(),
    ];
    Table::new(sendapp.into_iter().chain(sendwo).chain(sendapi).chain(dmchamp))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
