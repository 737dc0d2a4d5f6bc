//! `/api/campaigns/upload_media`, and the public URLs it answers.

use api_http::{Caller, Given, Input, Reply, Required, Result, Upload, account_of_token, request};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse, Response};
use messaging::Services;
use ops::{Error, plans};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The address behind a redirect lives for five minutes.
const CACHE: &str = "private, max-age=60";

#[derive(Serialize)]
pub(crate) struct Uploaded {
    status: &'static str,
    url: String,
}

request! {
    /// `POST /api/campaigns/upload_media`
    pub(crate) struct UploadMedia {
        token: Required<String> = named("token"),
        file: Given<Upload> = named("file").required(),
    }
}

/// `POST /api/campaigns/upload_media`
pub(crate) async fn upload(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<UploadMedia>,
) -> Result<Reply<200, Uploaded>> {
    let asked = input.read();
    account_of_token(&services.store, &caller, asked.token).await?;
    let missing = || Error::invalid("file", "file is required, as a part of multipart/form-data");
    let Upload { name, content_type, bytes, .. } = asked.file.get()?.ok_or_else(missing)?;
    let claimed = content_type.as_deref();
    plans::count_upload(&services.store, &caller).await?;
    let file = services.files.upload(&services.store, caller.tenant_id(), &name, claimed, bytes).await?;
    Ok(Reply(Uploaded { status: "success", url: file.url }))
}

request! {
    /// `POST /api/campaigns/upload_url`
    pub(crate) struct AnnounceMedia {
        token: Required<String> = named("token"),
        filename: Required<String> = named("filename"),
        content_type: Required<String> = named("content_type"),
        size: Given<u64> = named("size").required().at_least(1).at_most(100_000_000),
    }
}

/// `POST /api/campaigns/upload_url`: for files above what an upload through the
/// API takes. The content goes straight to the bucket.
pub(crate) async fn announce(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<AnnounceMedia>,
) -> Result<Reply<200, Value>> {
    let asked = input.read();
    account_of_token(&services.store, &caller, asked.token).await?;
    let (name, content_type) = (asked.filename.get()?, asked.content_type.get()?);
    let size = asked.size.get()?.ok_or_else(|| Error::invalid("size", "size is required, in bytes"))?;
    let files = &services.files;
    plans::count_upload(&services.store, &caller).await?;
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
