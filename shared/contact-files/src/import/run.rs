//! Importing a file, block by block.

use std::collections::BTreeMap;

use domain::{Invalid, TenantId};
use jiff::Timestamp;
use ops::Result;
use ops::contacts::{self, Imported};
use store::transfers::{Transfer, TransferKey, Way};

use super::failures::{Failures, forget, join};
use super::{Import, RowError, job};
use crate::preview::of_import;
use crate::reading::{Table, TableRecords, TableRow, look_at};
use crate::row::{Rows, contact, is_blank};
use crate::source::Source;
use crate::{ContactFiles, FileState, Stopped};

/// Rows that are imported together.
const BLOCK: usize = 2_500;

/// Imports a file from where it is, block by block, until it is done or `out_of_time` says
/// so; then the job follows itself. Of two copies of a job the one that came last goes on,
/// and the other ends with its block: rows that both imported are merged into themselves,
/// and count once.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn run(
    files: &ContactFiles,
    tenant: &TenantId,
    id: &str,
    leg: u64,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let of = TransferKey { way: Way::Import, tenant, id };
    let taken: Transfer<Import> = match files.store.take_transfer(of, leg).await {
        Ok(taken) => taken,
        // The import is beyond this job, or gone.
        Err(store::Error::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if taken.state.state.is_over() {
        return Ok(());
    }
    let mut run = Run { files, of, take: taken.take, import: taken.state, is_stopped: taken.is_stopped };
    let ended = match run.work(leg, generation, out_of_time).await {
        Ok(()) => Ok(()),
        Err(Stopped::Cancelled) => run.finish(FileState::Cancelled).await,
        Err(Stopped::Wrong(why)) => {
            run.import.error = Some(why);
            run.finish(FileState::Failed).await
        }
        Err(stopped) => Err(stopped),
    };
    match ended {
        Ok(()) | Err(Stopped::Replaced) => Ok(()),
        Err(Stopped::Failed(error)) => Err(error),
        Err(Stopped::Cancelled | Stopped::Wrong(_)) => Ok(()),
    }
}

struct Run<'a> {
    files: &'a ContactFiles,
    of: TransferKey<'a>,
    take: u64,
    import: Import,
    is_stopped: bool,
}

impl Run<'_> {
    async fn work(
        &mut self,
        leg: u64,
        generation: u32,
        out_of_time: impl Fn() -> bool,
    ) -> std::result::Result<(), Stopped> {
        let table = self.table().await?;
        if self.import.options.is_dry_run {
            let (files, tenant) = (self.files, self.of.tenant);
            let asked = (&self.import.options, self.import.file_name.as_str());
            let preview = of_import(files, tenant, asked, &table, self.source(), out_of_time).await?;
            self.import.counts = preview.counts;
            self.import.row = table.rows;
            self.import.preview = Some(preview);
            return self.finish(FileState::Finished).await;
        }
        let mut records = TableRecords::new(self.source(), &table, self.import.offset);
        if self.import.row == 0 && self.import.offset == table.start {
            records.skip(&table).await?;
        }
        let plan = self.files.store.tenant(self.of.tenant).await?;
        let limit = plan.and_then(|tenant| tenant.plan.contacts);
        // Rows that somebody may have imported who is gone.
        let mut since = self.import.begun_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        if since.is_none() {
            self.import.begun_ms = Some(self.files.store.clock().now_ms());
            self.save().await?;
        }
        loop {
            let block: Vec<TableRow> = records.block(BLOCK).await?.into();
            let Some(end) = block.last().map(|row| row.end) else {
                return self.finish(FileState::Finished).await;
            };
            self.block(&table, &block, limit, since.take()).await?;
            (self.import.offset, self.import.row) = (end, self.import.row + block.len() as u64);
            let is_over = out_of_time();
            self.import.begun_ms = (!is_over).then(|| self.files.store.clock().now_ms());
            self.save().await?;
            if is_over {
                let next = job(self.of.tenant, self.of.id, leg + 1);
                return Ok(self
                    .files
                    .queues
                    .campaign(next, generation + 1)
                    .await
                    .map_err(ops::Error::from)?);
            }
        }
    }

    /// How the file is read: whoever comes first finds out.
    async fn table(&mut self) -> std::result::Result<Table, Stopped> {
        if self.import.started_ms.is_none() {
            self.import.started_ms = Some(self.files.store.clock().now_ms());
            self.import.state = FileState::Reading;
            self.save().await?;
        }
        if self.is_stopped {
            return Err(Stopped::Cancelled);
        }
        if self.import.table.is_none() {
            let reading = look_at(&self.source(), &self.import.options).await?;
            if let Some(csv) = reading.converted {
                let object = format!("{}.csv", self.import.object);
                self.files.bucket.put_import(&object, csv).await?;
                self.import.object = object;
            }
            self.import.looked_at(reading.table);
        }
        self.import.state = FileState::Running;
        let table = self.import.table.clone();
        table.ok_or_else(|| Stopped::Wrong("the file was not looked at".to_owned()))
    }

    /// Imports a block, and keeps what failed.
    async fn block(
        &mut self,
        table: &Table,
        block: &[TableRow],
        limit: Option<u64>,
        since: Option<Timestamp>,
    ) -> std::result::Result<(), Stopped> {
        let first = self.import.row;
        let options = self.import.options.clone();
        let file_name = self.import.file_name.clone();
        let rows = Rows::new(&table.columns, &options, &file_name, self.files.store.clock().now());
        let filled: Vec<(u64, &TableRow)> =
            (first + 1..).zip(block).filter(|(_, row)| !is_blank(row)).collect();
        let read = filled.iter().map(|(_, row)| contact(&rows, row)).collect();
        let publisher = self.files.publisher();
        let Imported { created, updated, errors, warnings } =
            contacts::import_again(&publisher, self.of.tenant, limit, read, since).await?;
        let counts = &mut self.import.counts;
        counts.read += filled.len() as u64;
        counts.created += created;
        counts.updated += updated;
        counts.failed += errors.len() as u64;
        counts.warnings += warnings.len() as u64;
        let errors: BTreeMap<usize, Invalid> = errors.into_iter().collect();
        let mut failures = Failures::new();
        for (index, Invalid { field, message }) in errors {
            let Some((number, row)) = filled.get(index) else { continue };
            failures.add(&table.columns, row, &message);
            self.import.tell(RowError { row: *number, field, message });
        }
        failures.store(&self.files.bucket, self.of.tenant, self.of.id, &mut self.import, first).await
    }

    /// Writes down how far it is.
    async fn save(&mut self) -> std::result::Result<(), Stopped> {
        let saved = self.files.store.save_transfer(self.of, self.take, &self.import).await?;
        match saved.is_stopped && self.import.state != FileState::Reading {
            true => Err(Stopped::Cancelled),
            false => Ok(()),
        }
    }

    async fn finish(&mut self, state: FileState) -> std::result::Result<(), Stopped> {
        let (bucket, of) = (&self.files.bucket, self.of);
        self.import.failed_rows = join(bucket, of.tenant, of.id, &self.import).await?;
        let pieces = std::mem::take(&mut self.import.pieces);
        self.import.state = state;
        self.import.begun_ms = None;
        self.import.finished_ms = Some(self.files.store.clock().now_ms());
        self.files.store.save_transfer(of, self.take, &self.import).await?;
        // Whoever ends before this leaves what the bucket forgets by itself.
        forget(bucket, of.tenant, of.id, &pieces).await?;
        bucket.delete_import(&self.import.object).await?;
        if let Some(uploaded) = self.import.object.strip_suffix(".csv") {
            bucket.delete_import(uploaded).await?;
        }
        Ok(())
    }

    fn source(&self) -> Source {
        // A bucket is a handle.
        Source::Object(self.files.bucket.clone(), self.import.object.clone())
    }
}
