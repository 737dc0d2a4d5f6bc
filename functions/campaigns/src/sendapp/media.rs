//! `/api/campaigns/upload_media`, and the public URLs it answers.

use api_http::{Caller, Input, Reply, Result};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::media::MediaKind;
use ops::{Error, Sender, callers};
use serde::Serialize;

/// A file never changes under its id.
const CACHE: &str = "public, max-age=604800, immutable";

#[derive(Serialize)]
pub(crate) struct Uploaded {
    status: &'static str,
    url: String,
}

/// `POST /api/campaigns/upload_media`
pub(crate) async fn upload(
    State(sender): State<Sender>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Uploaded>> {
    let token = input.fields().text("token")?;
    callers::account(&sender.store, &caller, token.as_deref()).await?;
    let file = input.file("file");
    let file =
        file.ok_or_else(|| Error::invalid("file", "file is required, as a part of multipart/form-data"))?;
    let (claimed, bytes) = (file.content_type.as_deref(), file.bytes.clone());
    let url = sender.files.upload(&sender.store, caller.tenant_id(), &file.name, claimed, bytes).await?;
    Ok(Reply(Uploaded { status: "success", url }))
}

/// `GET /media/{id}/{name}`: for providers and browsers; the id is the secret.
pub(crate) async fn serve(State(sender): State<Sender>, input: Input) -> Result<Response> {
    let (file, bytes) = sender.files.read(&sender.store, input.path("id")).await?;
    let headers = [
        ("content-type", file.mime.clone()),
        ("content-disposition", format!("{}; filename=\"{}\"", disposition(&file.mime), file.name)),
        ("cache-control", CACHE.to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// Documents are downloaded: what a browser would run never runs under our name.
fn disposition(mime: &str) -> &'static str {
    match MediaKind::of_mime(mime) {
        Some(MediaKind::Image | MediaKind::Video | MediaKind::Audio) => "inline",
        Some(MediaKind::Document) | None => "attachment",
    }
}
