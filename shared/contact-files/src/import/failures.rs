//! Failed rows: a piece for each block, put together at the end.

use domain::TenantId;
use media::Bucket;
use tables::{Csv, TableWriter, neutral};

use super::Import;
use crate::Stopped;
use crate::columns::{Column, Columns};
use crate::field::Field;
use crate::parts::PartFile;
use crate::reading::TableRow;

const MIME: &str = "text/csv; charset=utf-8";

fn piece_name(tenant: &TenantId, id: &str, row: u64) -> String {
    format!("{tenant}/import-{id}-{row}.csv")
}

/// The failed rows of a block: what they were, and why they failed.
pub(super) struct Failures(Csv);

impl Failures {
    pub(super) fn new() -> Self {
        Self(Csv::resume("").unwrap_or_else(|| Csv::begin(&[], "")))
    }

    pub(super) fn add(&mut self, columns: &Columns, row: &TableRow, reason: &str) {
        let width = columns.all.len().max(row.cells.len());
        // A row that is sent again is no longer what could not be read.
        let is_kept = |at: usize| columns.all.get(at).is_none_or(|column| column.field != Field::Unreadable);
        let cell =
            |at: usize| row.cells.get(at).filter(|_| is_kept(at)).map(|cell| neutral(cell).into_owned());
        let cell = |at: usize| cell(at).unwrap_or_default();
        let line: Vec<String> = (0..width).map(cell).chain([reason.to_owned()]).collect();
        self.0.write(&line);
    }

    /// Stores them, when there are any, as the piece behind `row`.
    pub(super) async fn store(
        self,
        bucket: &Bucket,
        tenant: &TenantId,
        id: &str,
        import: &mut Import,
        row: u64,
    ) -> Result<(), Stopped> {
        let bytes = self.0.end();
        if !bytes.is_empty() {
            bucket.put_report(&piece_name(tenant, id, row), MIME, bytes).await?;
            import.pieces.push(row);
        }
        Ok(())
    }
}

/// Puts the pieces together, under the names of the columns; answers the object.
pub(super) async fn join(
    bucket: &Bucket,
    tenant: &TenantId,
    id: &str,
    import: &Import,
) -> Result<Option<String>, Stopped> {
    let Some(table) = import.table.as_ref().filter(|_| !import.pieces.is_empty()) else { return Ok(None) };
    let names: Vec<String> = table.columns.all.iter().map(Column::header).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["reason"]).collect();
    let object = format!("{tenant}/import-{id}-failed.csv");
    let mut file = PartFile::begin(object.clone());
    file.write(Csv::begin(&names, "").end());
    for row in &import.pieces {
        let piece = bucket.get_report(&piece_name(tenant, id, *row)).await?;
        file.write(piece.map(Vec::from).unwrap_or_default());
        file.flush(bucket, MIME).await?;
    }
    file.finish(bucket, MIME).await?;
    Ok(Some(object))
}

/// Removes pieces that were put together.
pub(super) async fn forget(
    bucket: &Bucket,
    tenant: &TenantId,
    id: &str,
    pieces: &[u64],
) -> Result<(), Stopped> {
    for row in pieces {
        bucket.delete_report(&piece_name(tenant, id, *row)).await?;
    }
    Ok(())
}
