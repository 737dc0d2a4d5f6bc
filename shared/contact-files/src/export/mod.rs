//! Exports: contacts as a file.

mod run;

pub use run::run;

use std::time::Duration;

use domain::{ReportFormat, TenantId};
use ops::{Error, Result};
use queue::CampaignJob;
use serde::{Deserialize, Serialize};
use store::contacts::ContactFilter;
use store::transfers::{Transfer, TransferKey, Way};

use crate::parts::PartFile;
use crate::{ContactFiles, FileState, found};

/// How long the address of a file can be read from.
const READ_VALID: Duration = Duration::from_secs(5 * 60);

/// Which contacts a file has, and how it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportOptions {
    /// Part of the name, phone or e-mail.
    pub search: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// Only contacts that have a phone.
    pub with_phone: bool,
    /// Only contacts that have an e-mail address.
    pub with_email: bool,
    /// `csv` or `xlsx`.
    pub format: String,
}

impl ExportOptions {
    fn filter(&self) -> ContactFilter {
        ContactFilter {
            search: self.search.clone(),
            tag: self.tag.clone(),
            with_phone: self.with_phone,
            with_email: self.with_email,
            ..ContactFilter::default()
        }
    }

    fn format(&self) -> ReportFormat {
        ReportFormat::parse(&self.format).unwrap_or(ReportFormat::Csv)
    }
}

/// An export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// How far it is.
    pub state: FileState,
    /// What it has.
    pub options: ExportOptions,
    /// The next block of contacts.
    pub block: u64,
    /// Rows that were written.
    pub rows: u64,
    /// The file under way.
    pub(crate) draft: Option<PartFile>,
    /// What its writer goes on from.
    pub(crate) writer: Option<String>,
    /// The finished file.
    pub file: Option<String>,
    /// When it was asked for, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it ended.
    pub finished_ms: Option<i64>,
}

/// Begins an export.
///
/// # Errors
/// [`ops::Code::InvalidField`] names `format`.
pub async fn create(
    files: &ContactFiles,
    tenant: &TenantId,
    options: ExportOptions,
) -> Result<Transfer<Export>> {
    ReportFormat::parse(&options.format)?;
    let id = files.store.entropy().ulid(files.store.clock().now()).to_string();
    let export = Export {
        state: FileState::Queued,
        options,
        block: 0,
        rows: 0,
        draft: None,
        writer: None,
        file: None,
        created_ms: files.store.clock().now_ms(),
        finished_ms: None,
    };
    files.store.create_transfer(TransferKey { way: Way::Export, tenant, id: &id }, &export).await?;
    files.queues.campaign(job(tenant, &id, 1), 0).await?;
    Ok(Transfer { id, leg: 0, take: 0, is_stopped: false, state: export })
}

fn job(tenant: &TenantId, id: &str, leg: u64) -> CampaignJob {
    CampaignJob::Export { tenant: tenant.to_string(), id: id.to_owned(), leg }
}

/// One export.
///
/// # Errors
/// [`ops::Code::NotFound`]
pub async fn export(files: &ContactFiles, tenant: &TenantId, id: &str) -> Result<Transfer<Export>> {
    let found: Transfer<Export> = found(&files.store, Way::Export, tenant, id).await?;
    if files.is_forgotten(&found, found.state.state, found.state.created_ms) {
        files.queues.campaign(job(tenant, id, 1), 0).await?;
    }
    Ok(found)
}

/// The newest exports; those before `before`, when that is given.
///
/// # Errors
/// [`ops::Code::Unavailable`] when the database does not answer.
pub async fn exports(
    files: &ContactFiles,
    tenant: &TenantId,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<Transfer<Export>>> {
    Ok(files.store.transfers(Way::Export, tenant, before, limit).await?)
}

/// Where the file of an export can be read for a short while.
///
/// # Errors
/// [`ops::Code::NotFound`] when there is none yet, or none any more.
pub async fn file_url(files: &ContactFiles, tenant: &TenantId, id: &str) -> Result<String> {
    let found = export(files, tenant, id).await?;
    let none = || Error::not_found("id", "the file is not made yet");
    let (object, format) = (found.state.file.as_ref().ok_or_else(none)?, found.state.options.format());
    let name = format!("contacts-{}.{}", found.id, format.as_str());
    files.bucket.presign_report(object, format.mime(), &name, READ_VALID).await.map_err(bodies::unavailable)
}
