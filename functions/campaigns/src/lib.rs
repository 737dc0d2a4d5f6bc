//! Campaigns: media, drafts, launch, control, progress and report; the public URLs of
//! uploaded media; and files of contacts, which are here because this function has the
//! bucket.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - What it may reach: `registry::CAMPAIGNS`.

mod sendapp;
mod sendwo;

use std::time::Duration;

use api_http::{ApiEndpoint, Table, delete, get, post};
use axum::Router;
use axum::extract::FromRef;
use contact_files::ContactFiles;
use messaging::Services;
use sendapp::{control, exports, imports, media, report};
use store::Store;

/// Largest body of an upload: the file and what multipart puts around it.
const UPLOAD_BODY: usize = 11 * 1024 * 1024;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct App {
    /// The table, the provider, the files and the queues.
    pub services: Services,
    /// How long a request waits for a report.
    pub patience: Duration,
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

impl FromRef<App> for ContactFiles {
    fn from_ref(app: &App) -> Self {
        let Services { store, queues, files, .. } = app.services.clone();
        Self { store, queues, bucket: files.bucket().clone() }
    }
}

/// Every endpoint of the function.
pub fn table() -> Table<App> {
    let contract: [ApiEndpoint<App>; 3] = [
        post("/api/campaigns/upload_media", media::upload).heavy().body_up_to(UPLOAD_BODY),
        post("/api/campaigns/draft", sendapp::draft),
        post("/api/campaigns/launch", sendapp::launch),
    ];
    let extensions: [ApiEndpoint<App>; 10] = [
        post("/api/campaigns/upload_url", media::announce).heavy(),
        get("/api/campaigns", sendapp::list),
        get("/api/campaigns/{id}", sendapp::show),
        post("/api/campaigns/{id}/pause", control::pause),
        post("/api/campaigns/{id}/resume", control::resume),
        post("/api/campaigns/{id}/cancel", control::cancel),
        post("/api/campaigns/{id}/preflight", control::preflight),
        get("/api/campaigns/{id}/report.csv", report::csv),
        get("/api/campaigns/{id}/report.xlsx", report::xlsx),
        get("/media/{id}/{name}", media::serve),
    ];
    let sisters: [ApiEndpoint<App>; 2] = ["/api/v1/whatsapp/upload/media", "/api/v1/upload/media"]
        .map(|path| post(path, sendwo::upload).heavy().body_up_to(UPLOAD_BODY));
    let files: [ApiEndpoint<App>; 9] = [
        post("/api/contacts/imports", imports::create).heavy().body_up_to(UPLOAD_BODY),
        get("/api/contacts/imports", imports::list),
        get("/api/contacts/imports/{id}", imports::show),
        delete("/api/contacts/imports/{id}", imports::cancel),
        get("/api/contacts/imports/{id}/failed.csv", imports::failed_rows),
        post("/api/contacts/exports", exports::create).heavy(),
        get("/api/contacts/exports", exports::list),
        get("/api/contacts/exports/{id}", exports::show),
        get("/api/contacts/exports/{id}/file", exports::file),
    ];
    let extensions = extensions.into_iter().chain(sisters).chain(files).map(ApiEndpoint::extension);
    Table::new(contract.into_iter().chain(extensions))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
