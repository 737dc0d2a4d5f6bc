//! Meta's webhook.

use api_http::ApiError;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use messaging::inbound::{Intake, Verification};
use ops::{Code, Error};
use serde::Deserialize;

use crate::App;

/// Meta's payloads go up to 3 MB.
const MAX_BODY: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
pub(crate) struct Hub {
    #[serde(default, rename = "hub.mode")]
    mode: String,
    #[serde(default, rename = "hub.verify_token")]
    token: String,
    #[serde(default, rename = "hub.challenge")]
    challenge: String,
}

/// `GET /webhooks/meta`: answers the bare challenge.
pub(crate) async fn verify(State(app): State<App>, Query(hub): Query<Hub>) -> Result<String, ApiError> {
    let Hub { mode, token, challenge } = hub;
    Ok(messaging::inbound::verify(&app.store, Verification { mode, token, challenge }).await?)
}

/// `POST /webhooks/meta`: 200 once everything in it is queued.
pub(crate) async fn receive(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let too_large = |_| Error::new(Code::TooLarge, "the body may have at most 4 MB");
    let body = to_bytes(body, MAX_BODY).await.map_err(too_large)?;
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    let App { store, queues, bodies, owners } = &app;
    messaging::inbound::receive(Intake { store, queues, bodies, owners }, &body, signature).await?;
    Ok(StatusCode::OK)
}
