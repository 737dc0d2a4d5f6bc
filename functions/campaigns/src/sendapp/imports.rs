//! `/api/contacts/imports`

use std::collections::BTreeMap;
use std::time::Duration;

use api_http::{Caller, Given, Input, Object, Reply, Result, Texts, Upload, idempotent, request, text_of};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse, Response};
use contact_files::{
    Announced, Columns, ContactFiles, Import, ImportCounts, ImportOptions, NewImport, Preview, RowError,
    Table,
};
use domain::CallingCode;
use jiff::Timestamp;
use ops::{Code, Error, callers};
use serde::Serialize;
use serde_json::{Map, Value};
use store::transfers::Transfer;

const LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 100;
const DEFAULT_NAME: &str = "contacts.csv";
/// How long a dry run may count rows: the gateway gives up after 30 seconds.
const COUNTING: Duration = Duration::from_secs(20);

request! {
    /// `POST /api/contacts/imports`
    pub(crate) struct NewFile {
        token: Given<String> = named("token"),
        file: Given<Upload> = named("file"),
        filename: Given<String> = named("filename").max_length(255),
        size: Given<u64> = named("size").at_least(1).at_most(104_857_600),
        mapping: Given<Object> = named("mapping"),
        country: Given<CallingCode> = named("country" | "default_country"),
        encoding: Given<String> = named("encoding").max_length(64),
        tags: Given<Texts> = named("tags"),
        dry_run: Given<bool> = named("dry_run" | "dryRun" | "dryrun"),
    }
}

/// `POST /api/contacts/imports`: a file that comes along, or one that is announced by its
/// size and uploaded to the bucket.
pub(crate) async fn create(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input<NewFile>,
) -> Result<Response> {
    idempotent(&files.store, &caller, &input, async {
        let asked = input.read();
        // What is misspelt would import for real, or into another country.
        if let Some(unknown) = input.unknown_name() {
            let message = format!(
                "{unknown} is no option of imports: use file, size, filename, mapping, country, encoding, tags or \
                 dry_run"
            );
            return Err(Error::invalid(&unknown, message).into());
        }
        let (file, size, named) = (asked.file.get()?, asked.size.get()?, asked.filename.get()?);
        let country = asked.country.get()?;
        let account = match asked.token.get()? {
            Some(token) => Some(callers::account(&files.store, &caller, Some(&token)).await?),
            None => None,
        };
        let country = country.or(account.as_ref().and_then(|account| account.default_country));
        let options = ImportOptions {
            mapping: mapping(asked.mapping.get()?.unwrap_or_default())?,
            country: country.map(|country| country.get().to_string()),
            account: account.map(|account| account.id.0),
            tags: asked.tags.get()?.unwrap_or_default(),
            encoding: asked.encoding.get()?.filter(|name| !name.trim().is_empty()),
            is_dry_run: asked.dry_run.or(false)?,
        };
        let options = options.check().map_err(Error::from)?;
        let tenant = caller.tenant_id();
        let Some(Upload { name, bytes, .. }) = file else {
            let missing =
                || Error::invalid("file", "file is required, or size, in bytes, of one to be uploaded");
            let size = size.ok_or_else(missing)?;
            let new = NewImport { file_name: named.unwrap_or_else(|| DEFAULT_NAME.to_owned()), options };
            let announced = contact_files::announce(&files, tenant, &new, size).await?;
            return Ok(Reply::<202, _>(Begun::announced(&announced, now(&files))).into_response());
        };
        let file_name = named.or_else(|| Some(name).filter(|name| !name.is_empty()));
        let new = NewImport { file_name: file_name.unwrap_or_else(|| DEFAULT_NAME.to_owned()), options };
        if new.options.is_dry_run {
            let end = now(&files) + i64::try_from(COUNTING.as_millis()).unwrap_or(i64::MAX);
            let is_over = || now(&files) >= end;
            let options = &new.options;
            let (table, preview) =
                contact_files::preview(&files, tenant, options, &new.file_name, bytes, is_over).await?;
            return Ok(Reply::<200, _>(DryRun::new(&table, preview)).into_response());
        }
        let import = contact_files::create(&files, tenant, &new, bytes).await?;
        Ok(Reply::<202, _>(Begun::of(&import, now(&files))).into_response())
    })
    .await
}

fn now(files: &ContactFiles) -> i64 {
    files.store.clock().now_ms()
}

/// The fields by the names of columns; a column without one is left out.
fn mapping(given: Object) -> Result<BTreeMap<String, String>> {
    let wrong = || Error::invalid("mapping", "mapping must be an object of fields by columns");
    let text = |(name, field): (String, Value)| match text_of(&field) {
        Some(field) => Ok((name, field)),
        None if field.is_null() => Ok((name, String::new())),
        None => Err(wrong()),
    };
    Ok(given.into_iter().map(text).collect::<std::result::Result<_, _>>()?)
}

#[derive(Serialize)]
struct ListedColumn<'a> {
    column: &'a str,
    field: String,
}

fn columns(columns: &Columns) -> Vec<ListedColumn<'_>> {
    columns
        .all
        .iter()
        .map(|column| ListedColumn { column: &column.name, field: column.field.word() })
        .collect()
}

#[derive(Serialize)]
struct ListedTable<'a> {
    encoding: &'a str,
    delimiter: char,
    header: bool,
    /// Rows above the table.
    skipped_rows: u64,
    columns: Vec<ListedColumn<'a>>,
}

impl<'a> From<&'a Table> for ListedTable<'a> {
    fn from(table: &'a Table) -> Self {
        Self {
            encoding: &table.charset,
            delimiter: table.delimiter,
            header: table.columns.has_header,
            skipped_rows: table.columns.skipped,
            columns: columns(&table.columns),
        }
    }
}

#[derive(Serialize)]
struct DryRun<'a> {
    status: &'static str,
    dry_run: bool,
    rows: u64,
    #[serde(flatten)]
    table: ListedTable<'a>,
    created: u64,
    updated: u64,
    failed: u64,
    /// Rows that the counts are of.
    counted: u64,
    complete: bool,
    preview: Value,
}

impl<'a> DryRun<'a> {
    fn new(table: &'a Table, preview: Preview) -> Self {
        let ImportCounts { read, created, updated, failed, .. } = preview.counts;
        Self {
            status: "success",
            dry_run: true,
            rows: table.rows,
            table: ListedTable::from(table),
            created,
            updated,
            failed,
            counted: read,
            complete: preview.is_complete,
            preview: serde_json::to_value(preview.rows).unwrap_or_default(),
        }
    }
}

/// An import, as answers show it.
#[derive(Serialize)]
pub(crate) struct ListedImport<'a> {
    id: &'a str,
    state: &'static str,
    file_name: &'a str,
    size: u64,
    dry_run: bool,
    /// Rows of the file, once it was looked at.
    rows: Option<u64>,
    rows_read: u64,
    created: u64,
    updated: u64,
    failed: u64,
    warnings: u64,
    /// Rows a second.
    rate: Option<f64>,
    /// Seconds.
    time_left: Option<u64>,
    /// Why it failed.
    error: Option<&'a str>,
    errors: Vec<ListedError<'a>>,
    /// Where the failed rows are.
    failed_rows: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<ListedTable<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Value>,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Serialize)]
struct ListedError<'a> {
    row: u64,
    field: &'a str,
    message: &'a str,
}

impl<'a> From<&'a RowError> for ListedError<'a> {
    fn from(error: &'a RowError) -> Self {
        Self { row: error.row, field: &error.field, message: &error.message }
    }
}

pub(super) fn time(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or_default())
}

impl<'a> ListedImport<'a> {
    fn new(import: &'a Transfer<Import>, now_ms: i64) -> Self {
        let Transfer { id, is_stopped, state: of, .. } = import;
        let counts = of.counts;
        Self {
            id,
            state: if *is_stopped && !of.state.is_over() { "cancelling" } else { of.state.as_str() },
            file_name: &of.file_name,
            size: of.size,
            dry_run: of.options.is_dry_run,
            rows: of.table.as_ref().map(|table| table.rows),
            rows_read: counts.read,
            created: counts.created,
            updated: counts.updated,
            failed: counts.failed,
            warnings: counts.warnings,
            rate: of.rate(now_ms).map(|rate| (rate * 10.0).round() / 10.0),
            time_left: of.time_left(now_ms),
            error: of.error.as_deref(),
            errors: of.errors.iter().map(ListedError::from).collect(),
            failed_rows: of.failed_rows.as_ref().map(|_| format!("/api/contacts/imports/{id}/failed.csv")),
            table: of.table.as_ref().map(ListedTable::from),
            preview: of.preview.as_ref().and_then(|preview| serde_json::to_value(&preview.rows).ok()),
            created_at: time(of.created_ms),
            started_at: of.started_ms.map(time),
            finished_at: of.finished_ms.map(time),
        }
    }
}

#[derive(Serialize)]
struct Begun<'a> {
    status: &'static str,
    import: ListedImport<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
}

impl<'a> Begun<'a> {
    fn of(import: &'a Transfer<Import>, now_ms: i64) -> Self {
        let import = ListedImport::new(import, now_ms);
        Self { status: "success", import, upload_url: None, method: None, headers: None, expires_in: None }
    }

    fn announced(announced: &'a Announced, now_ms: i64) -> Self {
        let headers = &announced.upload.headers;
        let headers = headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        Self {
            upload_url: Some(&announced.upload.url),
            method: Some("PUT"),
            headers: Some(headers.collect()),
            expires_in: Some(announced.valid.as_secs()),
            ..Self::of(&announced.import, now_ms)
        }
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    status: &'static str,
    imports: Vec<ListedImport<'a>>,
    next: Option<&'a str>,
}

request! {
    /// `GET /api/contacts/imports`, `GET /api/contacts/exports`
    pub(crate) struct ListFiles {
        before: Given<String> = named("before"),
        limit: Given<u64> = named("limit"),
    }
}

impl ListFiles {
    /// What the page is behind, and how many it has.
    pub(super) fn page(self) -> Result<(Option<String>, usize)> {
        let limit = self.limit.get()?.unwrap_or(LIMIT).clamp(1, MAX_LIMIT);
        Ok((self.before.get()?, usize::try_from(limit).unwrap_or(1)))
    }
}

/// `GET /api/contacts/imports`
pub(crate) async fn list(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input<ListFiles>,
) -> Result<Reply<200, Value>> {
    let (before, limit) = input.read().page()?;
    let found = contact_files::imports(&files, caller.tenant_id(), before.as_deref(), limit).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.id.as_str());
    let now_ms = now(&files);
    let mut imports: Vec<ListedImport<'_>> =
        found.iter().map(|import| ListedImport::new(import, now_ms)).collect();
    // A list tells how they are doing; what is in each is told of one.
    imports.iter_mut().for_each(|import| (import.table, import.preview) = (None, None));
    value(&Listed { status: "success", imports, next })
}

pub(super) fn value(answer: &impl Serialize) -> Result<Reply<200, Value>> {
    let internal = |_| Error::new(Code::Internal, "internal error");
    Ok(Reply(serde_json::to_value(answer).map_err(internal)?))
}

/// `GET /api/contacts/imports/{id}`
pub(crate) async fn show(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let found = contact_files::import(&files, caller.tenant_id(), input.path("id")).await?;
    value(&Begun::of(&found, now(&files)))
}

/// `DELETE /api/contacts/imports/{id}`
pub(crate) async fn cancel(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let found = contact_files::cancel(&files, caller.tenant_id(), input.path("id")).await?;
    value(&Begun::of(&found, now(&files)))
}

/// `GET /api/contacts/imports/{id}/failed.csv`
pub(crate) async fn failed_rows(
    State(files): State<ContactFiles>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    let url = contact_files::failed_rows_url(&files, caller.tenant_id(), input.path("id")).await?;
    Ok(lead_to(url))
}

/// A redirect that nobody else is shown.
pub(super) fn lead_to(url: String) -> Response {
    (StatusCode::FOUND, [(LOCATION, url), (CACHE_CONTROL, "private, no-store".to_owned())]).into_response()
}
