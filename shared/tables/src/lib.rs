//! Tables in files: comma-separated values in any encoding, workbooks of Excel and address
//! cards are read as rows of texts; rows are written as comma-separated values and workbooks.
//! Pure: bytes come in and go out.
//!
//! Comma-separated values are read forwards only, a piece at a time, and each record knows
//! where it ends, so that another process can go on there. What cannot be read so is made
//! comma-separated values first ([`to_csv`]).

mod convert;
mod delimited;
mod format;
mod sheet;
mod text;
mod vcard;
mod write;

pub use convert::{is_converted, to_csv};
pub use delimited::{MAX_RECORD, Record, Records, Survey, Surveyed};
pub use format::Format;
pub use text::Charset;
pub use vcard::{ERROR as CARD_ERROR, HEADER as CARD_HEADER};
pub use write::{Csv, TableWriter, Xlsx, neutral, plain};

/// Most columns of a table.
pub const MAX_COLUMNS: usize = 200;
/// Most rows of a table, the header not counted.
pub const MAX_ROWS: u64 = 1_000_000;

/// Why a file is no table that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Unreadable {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    fn too_many_columns(columns: usize) -> Self {
        Self(format!("the file has {columns} columns in a row: at most {MAX_COLUMNS} are read"))
    }

    fn too_many_rows() -> Self {
        Self(format!("the file has more than {MAX_ROWS} rows: split it"))
    }
}
