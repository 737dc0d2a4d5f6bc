//! Records of delimited values, out of pieces of a file.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Longest record, in bytes.
pub const MAX_RECORD: usize = 1_000_000;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its values.
    pub cells: Vec<Vec<u8>>,
    /// Where the next one begins, in bytes from the beginning of the file.
    pub end: u64,
    /// Why it is not one, and stands alone for its line.
    pub broken: Option<&'static str>,
}

/// Reads records from pieces of a file. A quote that is opened and never closed spoils its
/// own line only.
pub struct Records {
    delimiter: u8,
    core: Reader,
    /// What was fed and not read yet.
    input: Vec<u8>,
    /// How much of `input` was read.
    read: usize,
    /// Where `input` begins in the file.
    start: u64,
    has_ended: bool,
    /// A line that is too long is left out up to its end.
    is_skipping: bool,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("delimiter", &char::from(self.delimiter)).finish_non_exhaustive()
    }
}

const UNCLOSED: &str = "a quote is opened in this line and never closed";
const TOO_LONG: &str = "the row is longer than 1 MB";

impl Records {
    /// Records from `start` on, in bytes from the beginning of the file.
    pub fn new(delimiter: u8, start: u64) -> Self {
        Self {
            delimiter,
            core: reader(delimiter, true),
            input: Vec::new(),
            read: 0,
            start,
            has_ended: false,
            is_skipping: false,
            output: vec![0; 4_096],
            ends: vec![0; 64],
        }
    }

    /// Adds a piece.
    pub fn feed(&mut self, piece: &[u8]) {
        self.start += self.read as u64;
        self.input.drain(..self.read);
        self.read = 0;
        self.input.extend_from_slice(piece);
    }

    /// Says that there are no more pieces.
    pub fn end(&mut self) {
        self.has_ended = true;
    }

    /// The next record; nothing when it takes another piece, or there is none.
    pub fn next_record(&mut self) -> Option<Record> {
        self.skip_line_ends();
        if self.is_skipping {
            return self.skip_line();
        }
        let rest = &self.input[self.read..];
        if rest.is_empty() {
            return None;
        }
        self.core.reset();
        let Some((length, cells)) =
            parse(&mut self.core, rest, self.has_ended, &mut self.output, &mut self.ends)
        else {
            if rest.len() <= MAX_RECORD {
                return None;
            }
            // It may be a quote that is never closed, or a line that does not end.
            if line_end(rest).is_some_and(|end| end <= MAX_RECORD) {
                return Some(self.broken_line(UNCLOSED));
            }
            self.is_skipping = true;
            return self.skip_line();
        };
        let raw = &rest[..length];
        let content =
            &raw[..raw.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |at| at + 1)];
        let is_several_lines = content.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        if is_several_lines && content.contains(&b'"') && !is_quoted_well(content, self.delimiter) {
            return Some(self.broken_line(UNCLOSED));
        }
        self.read += length;
        Some(Record { cells, end: self.start + self.read as u64, broken: None })
    }

    fn skip_line_ends(&mut self) {
        if !self.is_skipping {
            let rest = &self.input[self.read..];
            self.read += rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        }
    }

    /// The line that begins here, read without quotes.
    fn broken_line(&mut self, why: &'static str) -> Record {
        let rest = &self.input[self.read..];
        let end = line_end(rest).unwrap_or(rest.len());
        let line = &rest[..end];
        let mut plain = reader(self.delimiter, false);
        let cells = parse(&mut plain, line, true, &mut self.output, &mut self.ends).map(|(_, cells)| cells);
        self.read += end;
        Record { cells: cells.unwrap_or_default(), end: self.start + self.read as u64, broken: Some(why) }
    }

    fn skip_line(&mut self) -> Option<Record> {
        let rest = &self.input[self.read..];
        match line_end(rest) {
            Some(end) => self.read += end,
            None => {
                self.read = self.input.len();
                if !self.has_ended {
                    return None;
                }
            }
        }
        self.is_skipping = false;
        Some(Record { cells: Vec::new(), end: self.start + self.read as u64, broken: Some(TOO_LONG) })
    }
}

fn reader(delimiter: u8, quotes: bool) -> Reader {
    ReaderBuilder::new().delimiter(delimiter).quoting(quotes).build()
}

/// Where the line ends.
fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'))
}

/// A record at the beginning of `input`, and its length; nothing when its end is not there.
fn parse(
    core: &mut Reader,
    input: &[u8],
    is_last: bool,
    output: &mut Vec<u8>,
    ends: &mut Vec<usize>,
) -> Option<(usize, Vec<Vec<u8>>)> {
    let (mut read, mut written, mut found) = (0, 0, 0);
    let mut is_over = false;
    loop {
        let from = if is_over { &[][..] } else { &input[read..] };
        let (result, took, put, ended) = core.read_record(from, &mut output[written..], &mut ends[found..]);
        read += took;
        written += put;
        found += ended;
        match result {
            ReadRecordResult::InputEmpty if is_last && !is_over => is_over = true,
            ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
            ReadRecordResult::OutputFull => output.resize(output.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
            ReadRecordResult::Record => {
                let starts = std::iter::once(0).chain(ends[..found].iter().copied());
                let cells = starts.zip(&ends[..found]).map(|(start, end)| output[start..*end].to_vec());
                return Some((read, cells.collect()));
            }
        }
    }
}

/// Whether each quote that opens a value closes it, too.
fn is_quoted_well(record: &[u8], delimiter: u8) -> bool {
    let mut bytes = record.iter().copied().peekable();
    let mut is_start = true;
    while let Some(byte) = bytes.next() {
        if !(is_start && byte == b'"') {
            is_start = byte == delimiter;
            continue;
        }
        loop {
            match bytes.next() {
                None => return false,
                Some(b'"') if bytes.peek() == Some(&b'"') => {
                    bytes.next();
                }
                Some(b'"') => match bytes.peek() {
                    None => return true,
                    Some(next) if *next == delimiter => break,
                    Some(_) => return false,
                },
                Some(_) => {}
            }
        }
        is_start = false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(record: &Record) -> Vec<String> {
        record.cells.iter().map(|cell| String::from_utf8(cell.clone()).unwrap()).collect()
    }

    /// The records of a file that comes in pieces of this size.
    fn records(file: &str, piece: usize) -> Vec<Record> {
        let mut records = Records::new(b',', 0);
        let mut all = Vec::new();
        for piece in file.as_bytes().chunks(piece) {
            records.feed(piece);
            all.extend(std::iter::from_fn(|| records.next_record()));
        }
        records.end();
        all.extend(std::iter::from_fn(|| records.next_record()));
        all
    }

    #[test]
    fn records_are_the_same_in_pieces_of_any_size() {
        let file = "a,\"b\nc\",d\r\n\r\n1,\"say \"\"hi\"\"\",3\rx,y,\n,,z";
        let whole = records(file, 1_000);
        let want =
            [vec!["a", "b\nc", "d"], vec!["1", "say \"hi\"", "3"], vec!["x", "y", ""], vec!["", "", "z"]];
        assert_eq!(whole.iter().map(texts).collect::<Vec<_>>(), want);
        assert!(whole.iter().all(|record| record.broken.is_none()));
        for piece in [1, 2, 3, 7] {
            let mut split = records(file, piece);
            split.iter_mut().zip(&whole).for_each(|(split, whole)| split.end = whole.end);
            assert_eq!(split, whole, "pieces of {piece}");
        }
    }

    #[test]
    fn reading_goes_on_where_a_record_ended() {
        let file = "a,b\n\"1\n1\",2\n3,4\n";
        for record in records(file, 100) {
            let mut rest = Records::new(b',', record.end);
            rest.feed(&file.as_bytes()[usize::try_from(record.end).unwrap()..]);
            rest.end();
            let left = std::iter::from_fn(|| rest.next_record()).count();
            let before = records(&file[..usize::try_from(record.end).unwrap()], 100).len();
            assert_eq!(before + left, 3);
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_spoils_its_line_alone() {
        for file in [
            "a,b,c\nx,\"open,1\ny,2,3\nz,4,5\n",
            "a,b,c\nx,\"open,1\ny,\"2\",3\nz,4,5\n",
            "a,b,c\nx,y,\"open\ny,2,3\nz,4,5",
        ] {
            let all = records(file, 1_000);
            assert_eq!(all.len(), 4, "{file}");
            assert_eq!(all[1].broken, Some(UNCLOSED), "{file}");
            assert_eq!(texts(&all[2]), ["y", "2", "3"]);
            assert_eq!((texts(&all[3]), all[3].broken), (vec!["z".into(), "4".into(), "5".into()], None));
        }
    }

    #[test]
    fn a_line_without_end_is_left_out_and_not_kept() {
        let mut parser = Records::new(b',', 0);
        let piece = vec![b'x'; MAX_RECORD / 2];
        for _ in 0..10 {
            parser.feed(&piece);
            assert_eq!(parser.next_record(), None);
            assert!(parser.input.len() <= 2 * MAX_RECORD);
        }
        parser.feed(b"\na,b\n");
        assert_eq!(parser.next_record().unwrap().broken, Some(TOO_LONG));
        assert_eq!(texts(&parser.next_record().unwrap()), ["a", "b"]);
    }
}
