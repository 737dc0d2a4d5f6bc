//! Files of contacts, in and out: imports of tables and address cards, exports of lists.
//!
//! A file that comes in is looked at once (`reading`): what it is, how many rows it has and
//! what its columns hold. Then its rows are imported block by block, each as
//! `ops::contacts::import` has it; what is not comma-separated values is made that first, so
//! that every import goes on at a byte of its file. Failed rows go into a file beside it.

mod columns;
mod export;
mod field;
mod header;
mod identities;
mod import;
mod label;
mod options;
mod parts;
mod preview;
mod reading;
mod row;
mod source;

pub use columns::{Column, Columns};
pub use export::{Export, ExportOptions, create as create_export, file_url as export_url, run as run_export};
pub use export::{export, exports};
pub use field::Field;
pub use import::{
    Announced, Import, MAX_FILE, MAX_UPLOAD, NewImport, RowError, announce, cancel, create, failed_rows_url,
    import, imports, run as run_import, uploaded,
};
pub use options::{ImportCounts, ImportOptions};
pub use preview::{Preview, PreviewedRow, preview};
pub use reading::{Reading, Table};

use domain::TenantId;
use media::Bucket;
use ops::events::EventPublisher;
use queue::Queues;
use serde::{Deserialize, Serialize};
use store::Store;
use store::transfers::{Transfer, TransferKey, Way};

/// A job that did not come within this does not come, in milliseconds.
const FORGOTTEN_MS: i64 = 60_000;

/// What imports and exports run on.
#[derive(Debug, Clone)]
pub struct ContactFiles {
    /// The table.
    pub store: Store,
    /// The queues of the campaign worker and of endpoints.
    pub queues: Queues,
    /// Where the files are.
    pub bucket: Bucket,
}

impl ContactFiles {
    fn publisher(&self) -> EventPublisher {
        EventPublisher { store: self.store.clone(), queues: self.queues.clone() }
    }

    /// Whether nobody is on the way to a file that waits: what asked for it broke off before
    /// it queued the job. Whoever looks at it queues it then; one job more does no harm.
    fn is_forgotten<T>(&self, file: &Transfer<T>, state: FileState, created_ms: i64) -> bool {
        let waited_ms = self.store.clock().now_ms() - created_ms;
        state == FileState::Queued && file.leg == 0 && waited_ms > FORGOTTEN_MS
    }
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It was announced and has not come.
    AwaitingUpload,
    /// It waits for a worker.
    Queued,
    /// It is looked at.
    Reading,
    /// Its rows are worked off.
    Running,
    /// It is done.
    Finished,
    /// It could not be done; `error` says why.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl FileState {
    /// As answers print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingUpload => "awaiting_upload",
            Self::Queued => "queued",
            Self::Reading => "reading",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens.
    pub fn is_over(self) -> bool {
        match self {
            Self::Finished | Self::Failed | Self::Cancelled => true,
            Self::AwaitingUpload | Self::Queued | Self::Reading | Self::Running => false,
        }
    }
}

/// Why a run ends before its file does.
#[derive(Debug)]
enum Stopped {
    /// Another run has the file.
    Replaced,
    /// Somebody asked to stop.
    Cancelled,
    /// The file cannot be worked off.
    Wrong(String),
    /// A store did not answer.
    Failed(ops::Error),
}

impl From<store::Error> for Stopped {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict => Self::Replaced,
            other @ (store::Error::Unavailable { .. }
            | store::Error::Refused { .. }
            | store::Error::Contended
            | store::Error::Corrupt { .. }
            | store::Error::Sealed) => Self::Failed(other.into()),
        }
    }
}

impl From<media::Error> for Stopped {
    fn from(error: media::Error) -> Self {
        Self::Failed(bodies::unavailable(error))
    }
}

impl From<ops::Error> for Stopped {
    fn from(error: ops::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<tables::Unreadable> for Stopped {
    fn from(unreadable: tables::Unreadable) -> Self {
        Self::Wrong(unreadable.0)
    }
}

/// A file by its id.
async fn found<T: serde::de::DeserializeOwned>(
    store: &Store,
    way: Way,
    tenant: &TenantId,
    id: &str,
) -> ops::Result<Transfer<T>> {
    let what = match way {
        Way::Import => "import",
        Way::Export => "export",
    };
    let unknown = || ops::Error::not_found("id", format!("there is no {what} with this id"));
    // An id that is none would be no key either.
    let is_id = id.len() == 26 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id {
        return Err(unknown());
    }
    store.transfer(TransferKey { way, tenant, id }).await?.ok_or_else(unknown)
}
