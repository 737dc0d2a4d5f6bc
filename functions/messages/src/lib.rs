//! Single messages, the templates they use, what became of them, and who wants
//! no more.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - Table: messages, conversations, suppressions, usage, templates and provider
//!   media ids are written; keys, tokens, accounts, contacts, campaigns and their
//!   ledger are read; idempotency keys and request counts are written.
//! - Queues: none; sending is one call to the provider.

mod sendapi;
mod sendapp;
mod sendwo;
mod times;

use api_http::{Endpoint, Table, delete, get, get_or_post, post};
use axum::Router;
use axum::extract::FromRef;
use ops::Sender;
use store::Store;

/// The kinds of items that the function touches: what its policy allows.
pub const KINDS: &[&str] = &[
    "ACCOUNTS",
    "CAMPAIGNS",
    "CONTACTS",
    "CONV",
    "COUNTER",
    "FILE",
    "HOOK",
    "IDEM",
    "IDENT",
    "KEY",
    "LEDGER",
    "MEDIAID",
    "MSG",
    "OUTBOX",
    "RATE",
    "RUNNER",
    "SLOT",
    "SUPPRESS",
    "TEMPLATES",
    "TENANT",
    "TOKEN",
    "USAGE",
    "WAMID",
];

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table, the provider and the files.
    pub sender: Sender,
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.sender.store.clone()
    }
}

impl FromRef<App> for Sender {
    fn from_ref(app: &App) -> Self {
        app.sender.clone()
    }
}

/// Every endpoint of the function.
pub fn table() -> Table<App> {
    let sendapp: [Endpoint<App>; 7] = [
        post("/api/whatsapp-meta/send", sendapp::send),
        get("/api/whatsapp-meta/get_templates", sendapp::templates::list),
        post("/api/whatsapp-meta/get_templates", sendapp::templates::list).extension(),
        post("/api/whatsapp-meta/create_template", sendapp::templates::create).heavy(),
        get("/api/suppressions", sendapp::suppressions::list).extension(),
        post("/api/suppressions", sendapp::suppressions::add).extension(),
        delete("/api/suppressions", sendapp::suppressions::remove).extension(),
    ];
    let sendwo: [Endpoint<App>; 5] = [
        get_or_post("/api/v1/whatsapp/send-text-message", sendwo::send_text),
        get_or_post("/api/v1/whatsapp/send", sendwo::send_text).extension(),
        get_or_post("/api/v1/whatsapp/conversation", sendwo::history::conversation),
        get_or_post("/api/v1/whatsapp/get/conversation", sendwo::history::conversation).extension(),
        get_or_post("/api/v1/whatsapp/message/delivery-status", sendwo::history::delivery_status),
    ];
    let sendapi: [Endpoint<App>; 2] =
        [get("/v1/whatsapp/messages", sendapi::list), get("/v1/whatsapp/messages/{id}", sendapi::show)];
    Table::new(sendapp.into_iter().chain(sendwo).chain(sendapi))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
