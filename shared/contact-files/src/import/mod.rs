//! Imports: what is known of them, and what callers do with them.

mod failures;
mod run;

pub use run::run;

use std::time::Duration;

use bytes::Bytes;
use domain::TenantId;
use media::{ExpectedUpload, Presigned};
use ops::{Code, Error, Result};
use queue::CampaignJob;
use serde::{Deserialize, Serialize};
use store::transfers::{Transfer, TransferKey, Way};

use crate::options::{ImportCounts, ImportOptions};
use crate::preview::Preview;
use crate::reading::{Table, look_at};
use crate::source::Source;
use crate::{ContactFiles, FileState, Stopped, found};

/// Largest file of a request, in bytes.
pub const MAX_FILE: usize = 10 * 1024 * 1024;
/// Largest file that is uploaded to the bucket, in bytes.
pub const MAX_UPLOAD: u64 = 100 * 1024 * 1024;
/// How long a presigned upload may begin.
const UPLOAD_VALID: Duration = Duration::from_secs(60 * 60);
/// How long the address of a file can be read from.
const READ_VALID: Duration = Duration::from_secs(5 * 60);
/// What an upload is sent as: its content says what it is.
const MIME: &str = "application/octet-stream";
/// Failed rows whose reasons are told; the file has all of them.
const TOLD_ERRORS: usize = 20;

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// Its number, counted from 1, the header not counted.
    pub row: u64,
    /// The field that is wrong.
    pub field: String,
    /// The reason.
    pub message: String,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// How far it is.
    pub state: FileState,
    /// The name of its file.
    pub file_name: String,
    /// Its size in bytes.
    pub size: u64,
    /// How it is done.
    pub options: ImportOptions,
    /// The object that is read.
    pub object: String,
    /// How its file is read, once it was looked at.
    pub table: Option<Table>,
    /// Where the next row begins, in bytes.
    pub offset: u64,
    /// Rows before that, empty ones included.
    pub row: u64,
    /// What became of them.
    pub counts: ImportCounts,
    /// When somebody began with the rows behind `offset`, in milliseconds since 1970: they
    /// may be imported already.
    pub begun_ms: Option<i64>,
    /// The first failed rows.
    pub errors: Vec<RowError>,
    /// The objects with failed rows, by the number of the row before each.
    pub pieces: Vec<u64>,
    /// The object with all failed rows, once there is one.
    pub failed_rows: Option<String>,
    /// What a dry run would do.
    pub preview: Option<Preview>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for, began and ended, in milliseconds since 1970.
    pub created_ms: i64,
    /// When its file was first looked at.
    pub started_ms: Option<i64>,
    /// When it ended.
    pub finished_ms: Option<i64>,
}

impl Import {
    fn new(new: &NewImport, size: u64, object: String, now_ms: i64) -> Self {
        Self {
            state: FileState::Queued,
            file_name: new.file_name.clone(),
            size,
            options: new.options.clone(),
            object,
            table: None,
            offset: 0,
            row: 0,
            counts: ImportCounts::default(),
            begun_ms: None,
            errors: Vec::new(),
            pieces: Vec::new(),
            failed_rows: None,
            preview: None,
            error: None,
            created_ms: now_ms,
            started_ms: None,
            finished_ms: None,
        }
    }

    /// With what its file is like.
    fn looked_at(&mut self, table: Table) {
        self.offset = table.start;
        self.table = Some(table);
    }

    /// Rows a second since it began, up to `now_ms`.
    pub fn rate(&self, now_ms: i64) -> Option<f64> {
        let took = self.finished_ms.unwrap_or(now_ms) - self.started_ms?;
        (self.counts.read > 0).then(|| self.counts.read as f64 * 1_000.0 / took.max(1) as f64)
    }

    /// How long it will take, in seconds.
    pub fn time_left(&self, now_ms: i64) -> Option<u64> {
        let left = self.table.as_ref()?.rows.checked_sub(self.row).filter(|_| !self.state.is_over())?;
        Some((left as f64 / self.rate(now_ms)?).ceil() as u64)
    }

    fn tell(&mut self, error: RowError) {
        if self.errors.len() < TOLD_ERRORS {
            self.errors.push(error);
        }
    }
}

/// A file to be imported.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// Its name.
    pub file_name: String,
    /// How.
    pub options: ImportOptions,
}

/// An import that waits for its file.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The import.
    pub import: Transfer<Import>,
    /// The request that uploads the file.
    pub upload: Presigned,
    /// How long that request may be made.
    pub valid: Duration,
}

/// Begins the import of a file that came with the request. It was looked at: what is no
/// table is refused.
///
/// # Errors
/// [`Code::InvalidField`] names `file` or `mapping`; [`Code::TooLarge`].
pub async fn create(
    files: &ContactFiles,
    tenant: &TenantId,
    new: &NewImport,
    bytes: Bytes,
) -> Result<Transfer<Import>> {
    if bytes.len() > MAX_FILE {
        let message = format!("file may have at most {MAX_FILE} bytes: announce larger ones by their size");
        return Err(Error { field: Some("file".to_owned()), ..Error::new(Code::TooLarge, message) });
    }
    let size = bytes.len() as u64;
    let reading = look_at(&Source::Memory(bytes.clone()), &new.options).await.map_err(refused)?;
    let id = files.store.entropy().ulid(files.store.clock().now()).to_string();
    let mut import = Import::new(new, size, id.clone(), files.store.clock().now_ms());
    import.looked_at(reading.table);
    files.bucket.put_import(&id, reading.converted.unwrap_or(bytes)).await.map_err(bodies::unavailable)?;
    let of = TransferKey { way: Way::Import, tenant, id: &id };
    files.store.create_transfer(of, &import).await?;
    files.queues.campaign(job(tenant, &id, 1), 0).await?;
    Ok(Transfer { id, leg: 0, take: 0, is_stopped: false, state: import })
}

fn refused(stopped: Stopped) -> Error {
    match stopped {
        Stopped::Wrong(why) => {
            Error::invalid(if why.starts_with("mapping") { "mapping" } else { "file" }, why)
        }
        Stopped::Failed(error) => error,
        Stopped::Replaced | Stopped::Cancelled => store::Error::Conflict.into(),
    }
}

/// Announces a file that is uploaded to the bucket: its import begins when it is there.
///
/// # Errors
/// [`Code::InvalidField`] names `size`; [`Code::Unavailable`] when a store does not answer.
pub async fn announce(
    files: &ContactFiles,
    tenant: &TenantId,
    new: &NewImport,
    size: u64,
) -> Result<Announced> {
    if !(1..=MAX_UPLOAD).contains(&size) {
        return Err(Error::invalid("size", format!("size must be 1 to {MAX_UPLOAD} bytes")));
    }
    let id = files.store.entropy().ulid(files.store.clock().now());
    // The name of an upload is hexadecimal; so many digits are an id, too.
    let (upload, id) = (format!("{:032x}", u128::from(id)), id.to_string());
    let expected = ExpectedUpload { id: &upload, mime: MIME, size };
    let presigned = files.bucket.presign_upload(expected, UPLOAD_VALID).await.map_err(bodies::unavailable)?;
    let mut import = Import::new(new, size, upload.clone(), files.store.clock().now_ms());
    import.state = FileState::AwaitingUpload;
    let of = TransferKey { way: Way::Import, tenant, id: &id };
    files.store.create_transfer(of, &import).await?;
    files.store.expect_import(tenant, &upload, &id).await?;
    let import = Transfer { id, leg: 0, take: 0, is_stopped: false, state: import };
    Ok(Announced { import, upload: presigned, valid: UPLOAD_VALID })
}

/// Begins the import that an upload was announced for; answers whether there is one.
///
/// # Errors
/// [`Code::NotFound`] when the upload is gone; [`Code::Unavailable`]: try again.
pub async fn uploaded(files: &ContactFiles, upload: &str) -> Result<bool> {
    let Some((tenant, id)) = files.store.expected_import(upload).await? else { return Ok(false) };
    let of = TransferKey { way: Way::Import, tenant: &tenant, id: &id };
    let Some(found) = files.store.transfer::<Import>(of).await? else { return Ok(false) };
    if found.state.state != FileState::AwaitingUpload || found.is_stopped {
        files.bucket.drop_upload(upload).await.map_err(bodies::unavailable)?;
        return Ok(true);
    }
    let start = files.bucket.start_of_upload(upload, 1).await.map_err(bodies::unavailable)?;
    if let Some(start) = start {
        // Whoever has the address may upload something else: what is read does not change.
        let to = media::Destination::Imports;
        files.bucket.move_upload(upload, &start.etag, MIME, to).await.map_err(bodies::unavailable)?;
    }
    // The job first: whoever comes again after it is lost finds the import waiting still.
    files.queues.campaign(job(&tenant, &id, 1), 0).await?;
    let mut import = found.state;
    import.state = FileState::Queued;
    match files.store.save_transfer(of, found.take, &import).await {
        // A worker has it already.
        Ok(_) | Err(store::Error::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

fn job(tenant: &TenantId, id: &str, leg: u64) -> CampaignJob {
    CampaignJob::Import { tenant: tenant.to_string(), id: id.to_owned(), leg }
}

/// One import.
///
/// # Errors
/// [`Code::NotFound`]
pub async fn import(files: &ContactFiles, tenant: &TenantId, id: &str) -> Result<Transfer<Import>> {
    let found: Transfer<Import> = found(&files.store, Way::Import, tenant, id).await?;
    if files.is_forgotten(&found, found.state.state, found.state.created_ms) {
        files.queues.campaign(job(tenant, id, 1), 0).await?;
    }
    Ok(found)
}

/// The newest imports; those before `before`, when that is given.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn imports(
    files: &ContactFiles,
    tenant: &TenantId,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<Transfer<Import>>> {
    Ok(files.store.transfers(Way::Import, tenant, before, limit).await?)
}

/// Stops an import behind the block that is under way: what was imported stays.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Conflict`] when it is over.
pub async fn cancel(files: &ContactFiles, tenant: &TenantId, id: &str) -> Result<Transfer<Import>> {
    let was = import(files, tenant, id).await?;
    if was.state.state.is_over() {
        let message = format!("the import is {} already", was.state.state.as_str());
        return Err(Error::conflict(message));
    }
    let of = TransferKey { way: Way::Import, tenant, id: &was.id };
    let mut found = files.store.stop_transfer::<Import>(of).await?;
    // Nobody is at work at it who could end it.
    if found.state.state == FileState::AwaitingUpload {
        found.state.state = FileState::Cancelled;
        found.state.finished_ms = Some(files.store.clock().now_ms());
        found = files.store.save_transfer(of, found.take, &found.state).await?;
    }
    Ok(found)
}

/// Where the failed rows can be read for a short while.
///
/// # Errors
/// [`Code::NotFound`] when there are none, or the import is under way.
pub async fn failed_rows_url(files: &ContactFiles, tenant: &TenantId, id: &str) -> Result<String> {
    let found = import(files, tenant, id).await?;
    let none = || {
        Error::not_found(
            "id",
            "the import has no failed rows that can be read: it is under way, or none failed",
        )
    };
    let object = found.state.failed_rows.as_ref().ok_or_else(none)?;
    let name = format!("import-{}-failed.csv", found.id);
    let mime = "text/csv; charset=utf-8";
    files.bucket.presign_report(object, mime, &name, READ_VALID).await.map_err(bodies::unavailable)
}
