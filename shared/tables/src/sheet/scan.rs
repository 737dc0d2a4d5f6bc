//! XML as it goes by: whether a reader of it would have to keep more than a row at once.

use crate::{MAX_RECORD, Unreadable};

/// Where in a document the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Text,
    /// In the name of a tag, or in what tells a comment.
    Name,
    Tag,
    /// In a value of a tag, between these.
    Quoted(u8),
    /// In what only these end: a comment, characters, an instruction.
    Until(&'static [u8]),
}

/// Counts what belongs together: a tag, a text, a cell with all that is in it.
#[derive(Debug)]
pub(super) struct Scan {
    at: At,
    name: Vec<u8>,
    /// The last bytes of what ends with more than one.
    tail: [u8; 3],
    /// Bytes of the text or tag.
    token: usize,
    /// Bytes of the cell, or of the text that cells refer to.
    cell: Option<usize>,
}

/// Longest name of a tag that is looked at.
const NAME: usize = 40;

impl Default for Scan {
    fn default() -> Self {
        Self { at: At::Text, name: Vec::new(), tail: [0; 3], token: 0, cell: None }
    }
}

impl Scan {
    /// Reads on.
    ///
    /// # Errors
    /// [`Unreadable`] when a cell, a text or a tag is longer than a row may be.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = match self.at {
                At::Text => rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len()),
                At::Name | At::Tag | At::Quoted(_) | At::Until(_) => 0,
            };
            let (skipped, next) = rest.split_at(length);
            self.count(skipped.len())?;
            let Some((byte, behind)) = next.split_first() else { return Ok(()) };
            self.byte(*byte);
            self.count(1)?;
            rest = behind;
        }
        Ok(())
    }

    fn count(&mut self, more: usize) -> Result<(), Unreadable> {
        self.token += more;
        self.cell = self.cell.map(|cell| cell + more);
        if self.token.max(self.cell.unwrap_or(0)) <= MAX_RECORD {
            return Ok(());
        }
        Err(Unreadable::new("the workbook has a cell of more than 1 MB"))
    }

    fn byte(&mut self, byte: u8) {
        match self.at {
            At::Text => {
                (self.at, self.token) = (At::Name, 0);
                self.name.clear();
            }
            At::Name => self.name(byte),
            At::Tag => match byte {
                b'>' => self.end_tag(),
                b'"' | b'\'' => self.at = At::Quoted(byte),
                _ => self.tail[2] = byte,
            },
            At::Quoted(quote) if byte == quote => self.at = At::Tag,
            At::Quoted(_) => {}
            At::Until(end) => {
                self.tail = [self.tail[1], self.tail[2], byte];
                if self.tail.ends_with(end) {
                    (self.at, self.token) = (At::Text, 0);
                }
            }
        }
    }

    fn name(&mut self, byte: u8) {
        if byte == b'>' {
            return self.end_tag();
        }
        if byte.is_ascii_whitespace() || self.name.len() >= NAME {
            self.at = At::Tag;
            return;
        }
        self.tail[2] = byte;
        self.name.push(byte);
        self.at = match self.name.as_slice() {
            b"!--" => At::Until(b"-->"),
            b"![CDATA[" => At::Until(b"]]>"),
            b"?" => At::Until(b"?>"),
            _ => return,
        };
        self.tail = [0; 3];
    }

    /// Behind a tag: a cell begins, or ends.
    fn end_tag(&mut self) {
        let is_empty = self.tail[2] == b'/';
        let is_end = self.name.first() == Some(&b'/');
        let name = self.name.iter().rposition(|byte| matches!(byte, b':' | b'/')).map_or(0, |at| at + 1);
        let name = match self.name.strip_suffix(b"/") {
            Some(whole) => whole.rsplit(|byte| *byte == b':').next().unwrap_or_default(),
            None => &self.name[name..],
        };
        if matches!(name, b"c" | b"si") {
            self.cell = match self.cell {
                _ if is_end || is_empty => None,
                Some(cell) => Some(cell),
                None => Some(0),
            };
        }
        (self.at, self.token, self.tail) = (At::Text, 0, [0; 3]);
    }
}
