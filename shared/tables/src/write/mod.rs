//! Tables written forwards only, so that what is written can be handed over in parts and
//! another process can go on behind each of them.

mod csv;
mod neutral;
mod xlsx;
mod zip;

pub use self::csv::Csv;
pub use self::neutral::{neutral, plain};
pub use self::xlsx::Xlsx;
#[cfg(test)]
pub(crate) use self::zip::Zip;

/// Writes rows in one format.
pub trait TableWriter: Send {
    /// Begins a file with the names of its columns; `title` is what its sheets are called.
    fn begin(header: &[&str], title: &str) -> Self;
    /// Goes on behind a part, from what [`TableWriter::state`] said; `None` when it cannot.
    fn resume(state: &str) -> Option<Self>
    where
        Self: Sized;
    /// Writes a row.
    fn write<T: AsRef<str>>(&mut self, row: &[T]);
    /// About how many bytes the next part has by now.
    fn bytes(&self) -> usize;
    /// Ends the part.
    fn part(&mut self) -> Vec<u8>;
    /// What it takes to go on behind the part that was just ended.
    fn state(&self) -> String;
    /// Ends the file; the last part.
    fn end(self) -> Vec<u8>;
}
