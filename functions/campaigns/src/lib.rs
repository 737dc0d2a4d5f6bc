//! Campaigns: media, drafts, launch, control, progress and report; and the public
//! URLs of uploaded media.
//!
//! - Trigger: HTTP.
//! - Routes: [`table`].
//! - Table: campaigns, the due index and files are written; the ledger is read for
//!   counts, and written by cancel and by resume; what there is of reports is read and
//!   asked for; keys, tokens and accounts are read; idempotency keys and request
//!   counts are written.
//! - Bucket: uploaded media; leads to reports.
//! - Queues: campaign (planner, reports), send (wake-ups).

mod sendapp;

use std::time::Duration;

use api_http::{Endpoint, Table, get, post};
use axum::Router;
use axum::extract::FromRef;
use ops::Services;
use sendapp::{control, media, report};
use store::Store;

/// The kinds of items that the function touches: what its policy allows.
pub const KINDS: &[&str] = &[
    "ACCOUNTS",
    "ACTIVE",
    "AUDIT",
    "BLOCKS",
    "CAMPAIGNS",
    "CHANNEL",
    "CONTACTS",
    "CONV",
    "COUNTER",
    "DUE",
    "FILE",
    "IDEM",
    "KEY",
    "LEDGER",
    "LHEAD",
    "RATE",
    "REPORT",
    "RUNNER",
    "SUPPRESS",
    "TEMPLATES",
    "TENANT",
    "TOKEN",
    "USAGE",
];

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

/// Every endpoint of the function.
pub fn table() -> Table<App> {
    let contract: [Endpoint<App>; 3] = [
        post("/api/campaigns/upload_media", media::upload).heavy().body_up_to(UPLOAD_BODY),
        post("/api/campaigns/draft", sendapp::draft),
        post("/api/campaigns/launch", sendapp::launch),
    ];
    let extensions: [Endpoint<App>; 10] = [
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
    Table::new(contract.into_iter().chain(extensions.map(Endpoint::extension)))
}

/// The function's router, without a fallback.
pub fn routes(app: App) -> Router {
    table().router(app)
}
