//! What the outside posts to us.
//!
//! - Trigger: HTTP.
//! - Routes: `GET` and `POST /webhooks/meta`, which feed the queue `inbound`;
//!   integrations and custom channels: [`table`].
//! - What it may reach: `registry::INBOUND`.

mod dmchamp;
mod meta;
mod sendapp;

use std::sync::Arc;

use api_http::{ApiEndpoint, Table, delete, get, post};
use axum::Router;
use axum::extract::FromRef;
use axum::routing;
use bodies::Bodies;
use domain::intake::MAX_BODY;
use messaging::inbound::Owners;
use ops::events::EventPublisher;
use queue::Queues;
use store::Store;

/// Where Meta posts to.
pub const META: &str = "/webhooks/meta";

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    store: Store,
    queues: Queues,
    bodies: Bodies,
    owners: Arc<Owners>,
}

impl App {
    /// The function on these stores.
    pub fn new(store: Store, queues: Queues, bodies: Bodies) -> Self {
        Self { store, queues, bodies, owners: Arc::default() }
    }
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

/// Every endpoint of a dialect.
pub fn table() -> Table<App> {
    let webhook: ApiEndpoint<App> = post("/api/integrations/webhook/{token}", sendapp::receive);
    let try_body: ApiEndpoint<App> = post("/api/integrations/try", sendapp::try_body);
    let extensions: [ApiEndpoint<App>; 6] = [
        try_body.raw_body_up_to(MAX_BODY),
        get("/api/integrations/webhook/{token}", sendapp::probe),
        get("/api/integrations/log", sendapp::log),
        get("/api/integrations/secrets", sendapp::secrets),
        post("/api/integrations/secrets", sendapp::set_secret),
        delete("/api/integrations/secrets", sendapp::remove_secret),
    ];
    let extensions = extensions.map(ApiEndpoint::extension);
    let custom: [ApiEndpoint<App>; 2] = [
        post("/v1/incoming_custom_channel_message", dmchamp::receive),
        post("/v1/incoming-custom-channel-message", dmchamp::receive).extension(),
    ];
    Table::new([webhook.raw_body_up_to(MAX_BODY)].into_iter().chain(extensions).chain(custom))
}

/// The function's routes.
pub fn routes(app: App) -> Router {
    let meta = Router::new().route(META, routing::get(meta::verify).post(meta::receive));
    meta.with_state(app.clone()).merge(table().router(app))
}
