//! Contacts and subscribers: create, import, list, find, change and delete; labels.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::CONTACTS`.

mod dmchamp;
mod joining;
mod listed;
mod members;
mod row;
mod sendapi;
mod sendapp;
mod sendwo;

use api_http::{ApiEndpoint, Table, delete, get, get_or_post, post, put};
use axum::Router;
use axum::extract::FromRef;
use ops::events::EventPublisher;
use queue::Queues;
use sendapp::lists;
use sendwo::{change, labels};
use store::Store;

/// Largest body of an import, in bytes.
const IMPORT_BODY: usize = 10 * 1024 * 1024;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// The queues of the endpoints and of the campaign worker.
    pub queues: Queues,
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
    let sendapp: [ApiEndpoint<App>; 5] = [
        get("/api/contacts", sendapp::list),
        post("/api/contacts", sendapp::create),
        post("/api/contacts/bulk", sendapp::import).heavy().body_up_to(IMPORT_BODY),
        delete("/api/contacts/bulk", sendapp::delete_many),
        delete("/api/contacts/{id}", sendapp::delete),
    ];
    let subscribers: [ApiEndpoint<App>; 9] = [
        get_or_post("/api/v1/subscriber/list", sendwo::list),
        get_or_post("/api/v1/subscriber/create", sendwo::create),
        get_or_post("/api/v1/subscriber/get", sendwo::get).extension(),
        get_or_post("/api/v1/subscriber/update", change::update),
        get_or_post("/api/v1/subscriber/assign-labels", change::assign_labels),
        get_or_post("/api/v1/subscriber/remove-labels", change::remove_labels).extension(),
        get_or_post("/api/v1/subscriber/add-note", change::add_note),
        get_or_post("/api/v1/label/list", labels::list),
        get_or_post("/api/v1/label/create", labels::create),
    ];
    // As sister products call them.
    let sisters: [ApiEndpoint<App>; 10] = [
        get_or_post("/api/v1/whatsapp/subscriber/list", sendwo::list),
        get_or_post("/api/v1/whatsapp/subscriber/create", sendwo::create),
        get_or_post("/api/v1/whatsapp/subscriber/get", sendwo::get),
        get_or_post("/api/v1/whatsapp/subscriber/update", change::update),
        get_or_post("/api/v1/whatsapp/subscriber/chat/assign-labels", change::assign_labels),
        get_or_post("/api/v1/whatsapp/subscriber/chat/remove-labels", change::remove_labels),
        get_or_post("/api/v1/whatsapp/subscriber/chat/assign-custom-fields", change::update),
        get_or_post("/api/v1/whatsapp/subscriber/chat/add-notes", change::add_note),
        get_or_post("/api/v1/whatsapp/label/list", labels::list),
        get_or_post("/api/v1/whatsapp/label/create", labels::create),
    ];
    let others: [ApiEndpoint<App>; 3] = [
        get("/v1/whatsapp/contacts", sendapi::list),
        post("/v1/contacts", dmchamp::create),
        get("/v1/contacts", dmchamp::find),
    ];
    let in_lists: [ApiEndpoint<App>; 6] = [
        post("/api/lists", lists::create),
        get("/api/lists", lists::list),
        get("/api/lists/{id}", lists::get),
        delete("/api/lists/{id}", lists::delete),
        post("/api/lists/{id}/contacts", lists::add),
        delete("/api/lists/{id}/contacts", lists::remove),
    ];
    let champs: [ApiEndpoint<App>; 9] = [
        post("/v1/lists/{id}/contacts", dmchamp::lists::add),
        post("/v1/lists", dmchamp::lists::create).extension(),
        get("/v1/lists", dmchamp::lists::list).extension(),
        get("/v1/lists/{id}", dmchamp::lists::get).extension(),
        delete("/v1/lists/{id}", dmchamp::lists::delete).extension(),
        get("/v1/lists/{id}/contacts", dmchamp::lists::members).extension(),
        delete("/v1/lists/{id}/contacts", dmchamp::lists::remove).extension(),
        get("/v1/contacts/{id}", dmchamp::change::get).extension(),
        put("/v1/contacts/{id}", dmchamp::change::put).extension(),
    ];
    let extensions = sisters.into_iter().chain(in_lists).map(ApiEndpoint::extension);
    Table::new(sendapp.into_iter().chain(subscribers).chain(extensions).chain(others).chain(champs))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
