//! `/api/campaigns/upload_media`, and the public URLs it answers.

use api_http::{Caller, Input, Reply, Result, account_of_token};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse, Response};
use messaging::Services;
use ops::Error;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The address behind a redirect lives for five minutes.
const CACHE: &str = "private, max-age=60";

#[derive(Serialize)]
pub(crate) struct Uploaded {
    status: &'static str,
    url: String,
}

/// `POST /api/campaigns/upload_media`
pub(crate) async fn upload(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Uploaded>> {
    account_of_token(&services.store, &caller, input.fields()).await?;
    let file = input.file("file");
    let file =
        file.ok_or_else(|| Error::invalid("file", "file is required, as a part of multipart/form-data"))?;
    let (claimed, bytes) = (file.content_type.as_deref(), file.bytes.clone());
    let url = services.files.upload(&services.store, caller.tenant_id(), &file.name, claimed, bytes).await?;
    Ok(Reply(Uploaded { status: "success", url }))
}

/// `POST /api/campaigns/upload_url`: for files above what an upload through the
/// API takes. The content goes straight to the bucket.
pub(crate) async fn announce(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let fields = input.fields();
    account_of_token(&services.store, &caller, fields).await?;
    let (name, content_type) = (fields.required("filename")?, fields.required("content_type")?);
    let size = fields.integer("size")?.ok_or_else(|| Error::invalid("size", "size is required, in bytes"))?;
    let files = &services.files;
    let announced = files.announce(&services.store, caller.tenant_id(), &name, &content_type, size).await?;
    let headers: Map<String, Value> =
        announced.upload.headers.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    Ok(Reply(json!({
        "status": "success",
        "url": announced.url,
        "upload_url": announced.upload.url,
        "method": "PUT",
        "headers": headers,
        "expires_in": announced.valid.as_secs(),
    })))
}

/// `GET /media/{id}/{name}`: for providers and browsers; the id is the secret.
/// Leads to where the file can be read for some minutes.
pub(crate) async fn serve(State(services): State<Services>, input: Input) -> Result<Response> {
    let url = services.files.read_url(&services.store, input.path("id")).await?;
    let headers = [(LOCATION, url), (CACHE_CONTROL, CACHE.to_owned())];
    Ok((StatusCode::FOUND, headers).into_response())
}
