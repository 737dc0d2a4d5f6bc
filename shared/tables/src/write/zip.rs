//! ZIP archives that are written forwards only, and can be gone on with by another
//! process: what `xlsx` files are made of.
//!
//! Source: PKWARE's APPNOTE.TXT 6.3.10. Sizes and checksum of a file follow its
//! content (general purpose bit 3), so that nothing is ever written over. Archives
//! and files are below 4 GiB.

use flate2::{Compress, Compression, FlushCompress};
use serde::{Deserialize, Serialize};

/// Sizes follow in a data descriptor; names are UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
const VERSION: u16 = 20;
const DEFLATED: u16 = 8;
/// The first day that the format knows: 1 January 1980.
const DATE: u16 = 1 << 5 | 1;
/// Room for what the compressor puts out at once.
const CHUNK: usize = 64 * 1024;

/// A file of the archive.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct ArchivedFile {
    name: String,
    /// Where it begins in the archive.
    offset: u64,
    crc: u32,
    packed: u64,
    plain: u64,
}

/// An archive, behind what was written of it so far.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Zip {
    /// How much was taken away already.
    taken: u64,
    finished: Vec<ArchivedFile>,
    open: Option<ArchivedFile>,
    #[serde(skip)]
    out: Vec<u8>,
    #[serde(skip, default = "compressor")]
    deflate: Compress,
}

fn compressor() -> Compress {
    Compress::new(Compression::fast(), false)
}

impl Default for Zip {
    fn default() -> Self {
        Self { taken: 0, finished: Vec::new(), open: None, out: Vec::new(), deflate: compressor() }
    }
}

impl Zip {
    /// Begins a file; the one before is ended.
    pub(crate) fn begin(&mut self, name: &str) {
        self.close();
        let entry = ArchivedFile {
            name: name.to_owned(),
            offset: self.taken + self.out.len() as u64,
            ..ArchivedFile::default()
        };
        self.put(&[0x0403_4b50]);
        self.put16(&[VERSION, FLAGS, DEFLATED, 0, DATE]);
        self.put(&[0, 0, 0]);
        self.put16(&[short(name.len()), 0]);
        self.out.extend_from_slice(name.as_bytes());
        self.open = Some(entry);
    }

    /// Adds to the file that was begun.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if let Some(entry) = &mut self.open {
            let mut crc = crc32fast::Hasher::new_with_initial(entry.crc);
            crc.update(bytes);
            entry.crc = crc.finalize();
            entry.plain += bytes.len() as u64;
        }
        self.compress(bytes, FlushCompress::None);
    }

    /// How many bytes there are to take away.
    pub(crate) fn bytes(&self) -> usize {
        self.out.len()
    }

    /// Takes away what was written. What follows does not refer back to it.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        if self.open.is_some() {
            self.compress(&[], FlushCompress::Full);
            self.deflate.reset();
        }
        self.taken += self.out.len() as u64;
        std::mem::take(&mut self.out)
    }

    /// Ends the archive.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.close();
        let start = self.taken + self.out.len() as u64;
        let entries = std::mem::take(&mut self.finished);
        for entry in &entries {
            self.put(&[0x0201_4b50]);
            self.put16(&[VERSION, VERSION, FLAGS, DEFLATED, 0, DATE]);
            self.put(&[entry.crc, long(entry.packed), long(entry.plain)]);
            self.put16(&[short(entry.name.len()), 0, 0, 0, 0]);
            self.put(&[0, long(entry.offset)]);
            self.out.extend_from_slice(entry.name.as_bytes());
        }
        let size = self.taken + self.out.len() as u64 - start;
        self.put(&[0x0605_4b50]);
        self.put16(&[0, 0, short(entries.len()), short(entries.len())]);
        self.put(&[long(size), long(start)]);
        self.put16(&[0]);
        self.out
    }

    fn close(&mut self) {
        if self.open.is_some() {
            self.compress(&[], FlushCompress::Finish);
            self.deflate.reset();
        }
        if let Some(entry) = self.open.take() {
            self.put(&[0x0807_4b50, entry.crc, long(entry.packed), long(entry.plain)]);
            self.finished.push(entry);
        }
    }

    fn compress(&mut self, mut bytes: &[u8], flush: FlushCompress) {
        let before = self.out.len();
        loop {
            self.out.reserve(CHUNK);
            let (read, room) = (self.deflate.total_in(), self.out.capacity() - self.out.len());
            let written = self.out.len();
            let ended = self.deflate.compress_vec(bytes, &mut self.out, flush);
            let read = usize::try_from(self.deflate.total_in() - read).unwrap_or(bytes.len());
            bytes = &bytes[read.min(bytes.len())..];
            // A buffer that is full may have been too small.
            let is_full = self.out.len() - written == room;
            if ended.is_err() || (bytes.is_empty() && !is_full) {
                break;
            }
        }
        if let Some(entry) = &mut self.open {
            entry.packed += (self.out.len() - before) as u64;
        }
    }

    fn put(&mut self, numbers: &[u32]) {
        numbers.iter().for_each(|number| self.out.extend_from_slice(&number.to_le_bytes()));
    }

    fn put16(&mut self, numbers: &[u16]) {
        numbers.iter().for_each(|number| self.out.extend_from_slice(&number.to_le_bytes()));
    }
}

fn long(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
