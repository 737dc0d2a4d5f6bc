//! What a file is like, and its records one behind the other.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tables::{Charset, Format, Record, Records, Survey, Surveyed};

use crate::columns::Columns;
use crate::source::{PIECE, Source};
use crate::{ImportOptions, Stopped};

/// By so many bytes it is seen what a file is.
const START: u64 = 64 * 1024;

/// How a file of comma-separated values is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its encoding, by its name on the web.
    pub charset: String,
    /// What stands between values.
    pub delimiter: char,
    /// Where its first row begins, in bytes; the header's, if it has one, or of what is above.
    pub start: u64,
    /// How many rows it has, without the header.
    pub rows: u64,
    /// What its columns hold.
    pub columns: Columns,
}

/// A file that was looked at.
#[derive(Debug)]
pub struct Reading {
    /// How it is read.
    pub table: Table,
    /// What it was made, when it was no comma-separated values.
    pub converted: Option<Bytes>,
}

/// Looks at a file: once through, and nothing of it is kept.
pub(crate) async fn look_at(source: &Source, options: &ImportOptions) -> Result<Reading, Stopped> {
    let start = source.piece(0, START).await?;
    let format = Format::of(&start)?;
    let told = options.charset();
    // Its records can only be told apart when it is text.
    let is_wide = format == Format::Delimited && told.is_some_and(|charset| !charset.is_plain());
    if is_wide || tables::is_converted(format, &start) {
        return converted(format, source, options).await;
    }
    let surveyed = survey(source, told).await?;
    if !surveyed.charset.is_plain() {
        return converted(format, source, options).await;
    }
    Ok(Reading { table: table(surveyed, options)?, converted: None })
}

async fn converted(format: Format, source: &Source, options: &ImportOptions) -> Result<Reading, Stopped> {
    let csv = Bytes::from(tables::to_csv(format, &source.all().await?, options.charset())?);
    let surveyed = survey(&Source::Memory(csv.clone()), Some(Charset::UTF_8)).await?;
    Ok(Reading { table: table(surveyed, options)?, converted: Some(csv) })
}

async fn survey(source: &Source, told: Option<Charset>) -> Result<Surveyed, Stopped> {
    let (mut survey, mut at) = (Survey::of(told), 0);
    loop {
        let piece = source.piece(at, PIECE).await?;
        if piece.is_empty() {
            return Ok(survey.finish()?);
        }
        survey.feed(&piece)?;
        at += piece.len() as u64;
    }
}

fn table(surveyed: Surveyed, options: &ImportOptions) -> Result<Table, Stopped> {
    let country = options.calling_code();
    let columns = Columns::of(&surveyed.sample, &options.mapping, country);
    let columns = columns.map_err(|invalid| Stopped::Wrong(invalid.message))?;
    Ok(Table {
        charset: surveyed.charset.name().to_owned(),
        delimiter: char::from(surveyed.delimiter),
        start: surveyed.start,
        rows: surveyed.records - columns.before(),
        columns,
    })
}

/// The records of a table, from a byte on.
pub(crate) struct TableRecords {
    source: Source,
    charset: Charset,
    records: Records,
    /// Where the next piece begins.
    at: u64,
    has_ended: bool,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableRow {
    pub(crate) cells: Vec<String>,
    /// Where the next one begins.
    pub(crate) end: u64,
    /// Why it is none.
    pub(crate) broken: Option<&'static str>,
}

impl TableRecords {
    pub(crate) fn new(source: Source, table: &Table, offset: u64) -> Self {
        let delimiter = u8::try_from(table.delimiter).unwrap_or(b',');
        let charset = Charset::named(&table.charset).unwrap_or(Charset::UTF_8);
        Self { source, charset, records: Records::new(delimiter, offset), at: offset, has_ended: false }
    }

    /// Leaves out what stands before the first row of a table.
    pub(crate) async fn skip(&mut self, table: &Table) -> Result<(), Stopped> {
        let before = usize::try_from(table.columns.before()).unwrap_or(usize::MAX);
        self.block(before).await.map(drop)
    }

    /// The next rows, at most so many; none at the end.
    pub(crate) async fn block(&mut self, most: usize) -> Result<VecDeque<TableRow>, Stopped> {
        let mut block = VecDeque::new();
        while block.len() < most {
            match self.records.next_record() {
                Some(record) => block.push_back(self.row(&record)),
                None if self.has_ended => break,
                None => {
                    let piece = self.source.piece(self.at, PIECE).await?;
                    self.at += piece.len() as u64;
                    if piece.is_empty() {
                        self.has_ended = true;
                        self.records.end();
                    } else {
                        self.records.feed(&piece);
                    }
                }
            }
        }
        Ok(block)
    }

    fn row(&self, record: &Record) -> TableRow {
        let cells = record.cells.iter().map(|cell| self.charset.decode(cell)).collect();
        TableRow { cells, end: record.end, broken: record.broken }
    }
}
