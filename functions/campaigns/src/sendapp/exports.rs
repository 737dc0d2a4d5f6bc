//! `/api/contacts/exports`

use api_http::{Caller, Given, Input, Reply, Result, idempotent, request};
use axum::extract::State;
use axum::response::Response;
use contact_files::{ContactFiles, Export, ExportOptions};
use ops::Error;
use serde::Serialize;
use serde_json::Value;
use store::transfers::Transfer;

use super::imports::{ListFiles, lead_to, time, value};

request! {
    /// `POST /api/contacts/exports`
    pub(crate) struct NewExport {
        search: Given<String> = named("search"),
        tag: Given<String> = named("tag"),
        with_phone: Given<bool> = named("with_phone"),
        with_email: Given<bool> = named("with_email"),
        format: Given<String> = named("format").one_of(&["csv", "xlsx"]),
    }
}

#[derive(Serialize)]
struct ListedExport<'a> {
    id: &'a str,
    state: &'static str,
    format: &'a str,
    /// Contacts that were written.
    rows: u64,
    /// Where the file is.
    file: Option<String>,
    created_at: String,
    finished_at: Option<String>,
}

impl<'a> From<&'a Transfer<Export>> for ListedExport<'a> {
    fn from(export: &'a Transfer<Export>) -> Self {
        let Transfer { id, state: of, .. } = export;
        Self {
            id,
            state: of.state.as_str(),
            format: &of.options.format,
            rows: of.rows,
            file: of.file.as_ref().map(|_| format!("/api/contacts/exports/{id}/file")),
            created_at: time(of.created_ms),
            finished_at: of.finished_ms.map(time),
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    status: &'static str,
    export: ListedExport<'a>,
}

/// `POST /api/contacts/exports`
pub(crate) async fn create(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input<NewExport>,
) -> Result<Response> {
    idempotent(&files.store, &caller, &input, async {
        let asked = input.read();
        // A filter that nobody knows would let everybody out.
        if let Some(unknown) = input.unknown_name() {
            let message =
                format!("{unknown} is no filter of exports: use search, tag, with_phone or with_email");
            return Err(Error::invalid(&unknown, message).into());
        }
        let options = ExportOptions {
            search: asked.search.get()?.map(|text| text.trim().to_owned()),
            tag: asked.tag.get()?.map(|tag| tag.trim().to_owned()),
            with_phone: asked.with_phone.or(false)?,
            with_email: asked.with_email.or(false)?,
            format: asked.format.or("csv".to_owned())?.trim().to_ascii_lowercase(),
        };
        let export = contact_files::create_export(&files, caller.tenant_id(), options).await?;
        let Reply(shown) = value(&Shown { status: "success", export: ListedExport::from(&export) })?;
        Ok(Reply::<202, Value>(shown))
    })
    .await
}

#[derive(Serialize)]
struct Listed<'a> {
    status: &'static str,
    exports: Vec<ListedExport<'a>>,
    next: Option<&'a str>,
}

/// `GET /api/contacts/exports`
pub(crate) async fn list(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input<ListFiles>,
) -> Result<Reply<200, Value>> {
    let (before, limit) = input.read().page()?;
    let found = contact_files::exports(&files, caller.tenant_id(), before.as_deref(), limit).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.id.as_str());
    value(&Listed { status: "success", exports: found.iter().map(ListedExport::from).collect(), next })
}

/// `GET /api/contacts/exports/{id}`
pub(crate) async fn show(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let found = contact_files::export(&files, caller.tenant_id(), input.path("id")).await?;
    value(&Shown { status: "success", export: ListedExport::from(&found) })
}

/// `GET /api/contacts/exports/{id}/file`
pub(crate) async fn file(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    let url = contact_files::export_url(&files, caller.tenant_id(), input.path("id")).await?;
    Ok(lead_to(url))
}
