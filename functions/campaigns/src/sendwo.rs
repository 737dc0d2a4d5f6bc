//! `/api/v1/whatsapp/upload/media`, as sister products call it.

use api_http::{ApiError, Caller, Given, Input, Reply, Result, Upload, request};
use axum::extract::State;
use domain::Invalid;
use domain::media::MediaKind;
use messaging::Services;
use ops::{callers, plans};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Uploaded {
    status: &'static str,
    message: &'static str,
    media_id: String,
    media_type: Option<&'static str>,
    media_name: String,
    media_url: String,
    /// The same.
    url: String,
}

request! {
    /// `upload/media`
    pub(crate) struct UploadMedia {
        number: Given<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
        file: Given<Upload> = named("media_file" | "mediaFile" | "file" | "media").required(),
    }
}

/// `upload/media`: the file's id and address, for sends.
pub(crate) async fn upload(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<UploadMedia>,
) -> Result<Reply<200, Uploaded>> {
    let UploadMedia { number, file } = input.read();
    let (store, by_number, by_file) = (&services.store, number.name(), file.name());
    if let Some(number) = number.get()? {
        let found = callers::account_of_number(store, &caller, Some(&number)).await;
        found.map_err(|error| ApiError(error).renamed("phone_number_id", by_number))?;
    }
    let missing =
        || Invalid::new(by_file, format!("{by_file} is required, as a part of multipart/form-data"));
    let Upload { name, content_type, bytes, .. } = file.get()?.ok_or_else(missing)?;
    plans::count_upload(store, &caller).await?;
    let done = services.files.upload(store, caller.tenant_id(), &name, content_type.as_deref(), bytes).await;
    let file = done.map_err(|error| ApiError(error).renamed("file", by_file))?;
    Ok(Reply(Uploaded {
        status: "1",
        message: "Upload successful.",
        media_id: file.id,
        media_type: file.kind.map(MediaKind::as_str),
        media_name: file.name,
        media_url: file.url.clone(),
        url: file.url,
    }))
}
