//! What a file of delimited values is like: found out by reading it once.

use std::collections::BTreeMap;

use super::records::Records;
use crate::text::{Charset, Guess};
use crate::{MAX_COLUMNS, MAX_ROWS, Unreadable};

/// By so much of a file its delimiter is found.
const HEAD: usize = 64 * 1024;
/// Records that are kept to look at.
const SAMPLE: usize = 200;
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Reads a file a piece at a time, to find out what it is like.
#[derive(Debug)]
pub struct Survey {
    guess: Guess,
    /// The encoding, where it is told.
    told: Option<Charset>,
    head: Vec<u8>,
    found: Option<Found>,
    rows: u64,
    sample: Vec<Vec<Vec<u8>>>,
}

#[derive(Debug)]
struct Found {
    /// The encoding that its mark says.
    marked: Option<Charset>,
    delimiter: u8,
    start: u64,
    records: Records,
}

/// What a file of delimited values is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    /// Its encoding.
    pub charset: Charset,
    /// What stands between values.
    pub delimiter: u8,
    /// Where the first record begins, in bytes.
    pub start: u64,
    /// How many records there are.
    pub records: u64,
    /// The first of them.
    pub sample: Vec<Vec<String>>,
}

impl Default for Survey {
    fn default() -> Self {
        Self { guess: Guess::new(), told: None, head: Vec::new(), found: None, rows: 0, sample: Vec::new() }
    }
}

impl Survey {
    /// A survey of a file whose encoding is told, unless it has a mark.
    pub fn of(told: Option<Charset>) -> Self {
        Self { told, ..Self::default() }
    }

    /// Reads a piece.
    ///
    /// # Errors
    /// [`Unreadable`] when it is no table, or too large a one.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Unreadable> {
        self.guess.feed(piece);
        if self.found.is_some() {
            return self.records(piece);
        }
        self.head.extend_from_slice(piece);
        if self.head.len() >= HEAD { self.begin() } else { Ok(()) }
    }

    /// What the file is like.
    ///
    /// # Errors
    /// [`Unreadable`] when it is no table, or too large a one.
    pub fn finish(mut self) -> Result<Surveyed, Unreadable> {
        if self.found.is_none() {
            self.begin()?;
        }
        if let Some(found) = &mut self.found {
            found.records.end();
        }
        self.records(&[])?;
        let Some(found) = self.found.filter(|_| self.rows > 0) else {
            return Err(Unreadable::new("the file is empty"));
        };
        let charset = found.marked.or(self.told).unwrap_or_else(|| self.guess.finish());
        let row = |row: Vec<Vec<u8>>| row.iter().map(|cell| charset.decode(cell)).collect();
        Ok(Surveyed {
            charset,
            delimiter: found.delimiter,
            start: found.start,
            records: self.rows,
            sample: self.sample.into_iter().map(row).collect(),
        })
    }

    fn begin(&mut self) -> Result<(), Unreadable> {
        let head = std::mem::take(&mut self.head);
        let mark = Charset::of_mark(&head);
        let (marked, mark) = (mark.map(|(charset, _)| charset), mark.map_or(0, |(_, length)| length));
        if is_binary(&head[mark..]) {
            return Err(Unreadable::new("the file is no table: it holds bytes that are no text"));
        }
        let (told, skip) = told_delimiter(&head[mark..]);
        let start = mark + skip;
        let delimiter = told.unwrap_or_else(|| delimiter(&head[start..]));
        let records = Records::new(delimiter, start as u64);
        self.found = Some(Found { marked, delimiter, start: start as u64, records });
        self.records(&head[start..])
    }

    fn records(&mut self, piece: &[u8]) -> Result<(), Unreadable> {
        let Some(found) = &mut self.found else { return Ok(()) };
        found.records.feed(piece);
        while let Some(record) = found.records.next_record() {
            self.rows += 1;
            // The header is one of them.
            if self.rows > MAX_ROWS + 1 {
                return Err(Unreadable::too_many_rows());
            }
            if self.rows == 1 && record.broken.is_some() {
                return Err(Unreadable::new(
                    "the first row cannot be read: a quote is not closed, or it is too long",
                ));
            }
            if self.rows == 1 && record.cells.len() > MAX_COLUMNS {
                return Err(Unreadable::too_many_columns(record.cells.len()));
            }
            if self.sample.len() < SAMPLE {
                self.sample.push(record.cells);
            }
        }
        Ok(())
    }
}

/// Whether a text has so many bytes that stand for nothing that it is none. A few nulls come
/// out of databases, and are dropped.
fn is_binary(text: &[u8]) -> bool {
    let text = &text[..text.len().min(HEAD)];
    let is_control = |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    text.iter().filter(is_control).count() * 10 > text.len()
}

/// The delimiter that Excel is told of in a first line of its own, `sep=;`, and its length.
fn told_delimiter(text: &[u8]) -> (Option<u8>, usize) {
    let line = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let told = text[..line].trim_ascii_end();
    match told {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => {
            (Some(*delimiter), (line + 1).min(text.len()))
        }
        // A tab is space, too.
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] => (Some(b'\t'), (line + 1).min(text.len())),
        _ => (None, 0),
    }
}

/// The delimiter by which most records have as many values as each other, more than one.
fn delimiter(head: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut records = Records::new(delimiter, 0);
        records.feed(head);
        if head.len() < HEAD {
            records.end();
        }
        let widths: Vec<usize> =
            std::iter::from_fn(|| records.next_record()).take(100).map(|r| r.cells.len()).collect();
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        widths.iter().filter(|width| **width > 1).for_each(|width| *counts.entry(*width).or_default() += 1);
        let (width, count) =
            counts.into_iter().max_by_key(|(width, count)| (*count, *width)).unwrap_or((1, 0));
        let first = widths.first().copied().unwrap_or(0);
        // A header is written with care: that it has the values counts as two rows.
        (count + if first == width && count > 0 { 2 } else { 0 }, width)
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter));
    best.unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(file: &[u8]) -> Result<Surveyed, Unreadable> {
        let mut survey = Survey::default();
        for piece in file.chunks(7) {
            survey.feed(piece)?;
        }
        survey.finish()
    }

    #[test]
    fn delimiters_are_found() {
        for (file, want) in [
            ("name,phone\nAda,1\n", b','),
            ("name;phone;note\nAda;1;a, b, c\nBob;2;d, e\n", b';'),
            ("name\tphone\nRossi, Ada\t1\nNeri, Bob\t2\n", b'\t'),
            ("name|phone\nAda|1\n", b'|'),
            ("phone\n1\n2\n", b','),
            ("sep=;\nname;phone,x\n", b';'),
            ("name;note\nAda;\"x,y,z\nsecond, line\"\n", b';'),
        ] {
            assert_eq!(char::from(survey(file.as_bytes()).unwrap().delimiter), char::from(want), "{file}");
        }
        let told = survey(b"\xEF\xBB\xBFsep=;\r\nname;phone\r\nAda;1\r\n").unwrap();
        assert_eq!((told.start, told.records, &told.sample[0][0][..]), (10, 2, "name"));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(
            survey(b"name,phone\nA\0da,+393331234567\nBob,+393331234568\n").is_ok(),
            "a null here and there"
        );
        let wide = vec!["c"; 60_000].join(",");
        for (file, want) in [
            (&b""[..], "empty"),
            (b"\n\n", "empty"),
            (b"a\x00b,\x01\x02", "no text"),
            (wide.as_bytes(), "60000 columns"),
            (b"\"a,b\nc,d\n", "first row"),
        ] {
            let error = survey(file).unwrap_err();
            assert!(error.0.contains(want), "{error}");
        }
    }

    #[test]
    fn ten_million_rows_are_refused_before_the_end() {
        let mut survey = Survey::default();
        let piece = "1\n".repeat(100_000);
        let read = (0..100).take_while(|_| survey.feed(piece.as_bytes()).is_ok()).count();
        assert_eq!(read, 10);
    }
}
