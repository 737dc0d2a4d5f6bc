//! What answers by itself: bot flows, and who leads a conversation.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::ASSISTANT`.

mod sendapp;
mod sendwo;

use api_http::{ApiEndpoint, Table, delete, get, get_or_post, post};
use axum::Router;
use axum::extract::FromRef;
use ops::events::EventPublisher;
use queue::Queues;
use sendapp::{conversation, flows, runs};
use store::Store;

/// Largest body with a flow, in bytes: what is too large for a flow is told as that.
const FLOW_BODY: usize = 2 * 1024 * 1024;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// The queues of the endpoints and of the inbound worker.
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
    let extensions: [ApiEndpoint<App>; 10] = [
        get("/api/flows", flows::list),
        post("/api/flows", flows::create).body_up_to(FLOW_BODY),
        post("/api/flows/validate", flows::validate).body_up_to(FLOW_BODY),
        get("/api/flows/{id}", flows::show),
        post("/api/flows/{id}", flows::update).body_up_to(FLOW_BODY),
        delete("/api/flows/{id}", flows::delete),
        post("/api/flows/{id}/start", runs::start),
        get("/api/flows/{id}/runs", runs::list),
        post("/api/conversation/{id}/handover", conversation::hand_over),
        post("/api/conversation/{id}/resume", conversation::resume),
    ];
    let sendwo = [
        get_or_post("/api/v1/whatsapp/trigger-bot-flow", sendwo::trigger),
        get_or_post("/api/v1/whatsapp/trigger-bot", sendwo::trigger).extension(),
        get_or_post("/api/v1/whatsapp/bot-flow/list", sendwo::list).extension(),
    ];
    Table::new(extensions.map(ApiEndpoint::extension).into_iter().chain(sendwo))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
