//! The append-only journal: one JSON line per fact that a restart must not forget.
//!
//! Every line is handed to the operating system before the call it belongs to is answered, so a
//! killed process loses nothing. It is not synchronised to the disk: a power failure may cost lines.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{catalogs::Catalog, lifecycle::Message, media::MediaInfo, templates::Template};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Number {
        id: String,
        token: u64,
    },
    Account {
        id: String,
        token: u64,
    },
    Template(Template),
    TemplateDeleted {
        id: String,
        at_ms: u64,
    },
    Media(MediaInfo),
    MediaDeleted {
        id: String,
    },
    Catalog(Catalog),
    CatalogRemoved {
        id: String,
    },
    /// An accepted message: `content` is the hash of recipient and content, `body` the request.
    Message {
        message: Message,
        content: u64,
        body: String,
    },
    /// Acknowledged statuses: message and step of its plan.
    Statuses {
        acknowledged: Vec<(u64, u8)>,
        at_ms: u64,
    },
    /// A webhook that is no status.
    Hook {
        id: u64,
        body: String,
        approves: Option<String>,
    },
    HookAcknowledged {
        id: u64,
    },
    Window {
        pair: u64,
        until_ms: u64,
    },
    Settings(Value),
    Reset {
        templates: bool,
    },
}

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// Opens the journal and reads what it holds. A last line cut short by a kill is removed.
    pub(crate) fn open(path: &Path, mut replay: impl FnMut(Line)) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        // It holds phone numbers and texts.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let mut whole = 0;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            if length == 0 || !line.ends_with(b"\n") {
                break;
            }
            let fact = serde_json::from_slice(&line)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            replay(fact);
            whole += length as u64;
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file })
    }

    /// Appends a line in one write.
    pub(crate) fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_short_is_dropped_and_the_next_one_starts_clean() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path, |_| {}).unwrap();
        journal.append(&Line::HookAcknowledged { id: 1 }).unwrap();
        journal.file.write_all(b"{\"hook_ackno").unwrap();

        let mut journal = Journal::open(&path, |_| {}).unwrap();
        journal.append(&Line::HookAcknowledged { id: 2 }).unwrap();

        let mut ids = Vec::new();
        Journal::open(&path, |line| {
            if let Line::HookAcknowledged { id } = line {
                ids.push(id);
            }
        })
        .unwrap();
        assert_eq!(ids, [1, 2]);
    }
}
