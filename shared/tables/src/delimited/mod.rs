//! Values with a delimiter between them (RFC 4180, and what programs make of it).

mod records;
mod survey;

pub use records::{MAX_RECORD, Record, Records};
pub use survey::{Survey, Surveyed};
