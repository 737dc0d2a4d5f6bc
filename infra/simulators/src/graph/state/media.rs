//! What is known of uploaded media: their kinds, their figures, and where their bytes lie.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

const IMAGES: [&str; 2] = ["image/jpeg", "image/png"];
const VIDEOS: [&str; 2] = ["video/mp4", "video/3gpp"];
const AUDIOS: [&str; 5] = ["audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg"];
const DOCUMENTS: [&str; 8] = [
    "text/plain",
    "application/pdf",
    "application/vnd.ms-powerpoint",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
];
const STICKERS: [&str; 1] = ["image/webp"];
const MEGABYTE: usize = 1024 * 1024;
const KINDS: [MediaKind; 5] =
    [MediaKind::Image, MediaKind::Video, MediaKind::Audio, MediaKind::Sticker, MediaKind::Document];

impl MediaKind {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind whose uploads may have this type.
    pub(crate) fn of_type(mime_type: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.types().contains(&essence(mime_type)))
    }

    /// The name of a message's type and of a template's parameter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    /// Whether an upload of this type may be sent as this kind. Anything may go as a document.
    pub(crate) fn accepts(self, mime_type: &str) -> bool {
        self == Self::Document || self.types().contains(&essence(mime_type))
    }

    fn types(self) -> &'static [&'static str] {
        match self {
            Self::Image => &IMAGES,
            Self::Video => &VIDEOS,
            Self::Audio => &AUDIOS,
            Self::Document => &DOCUMENTS,
            Self::Sticker => &STICKERS,
        }
    }

    pub(crate) fn size_most(self) -> usize {
        match self {
            Self::Image => 5 * MEGABYTE,
            Self::Video | Self::Audio => 16 * MEGABYTE,
            Self::Document => 100 * MEGABYTE,
            Self::Sticker => 500 * 1024,
        }
    }
}

/// `audio/ogg` of `audio/ogg; codecs=opus`.
fn essence(mime_type: &str) -> &str {
    mime_type.split(';').next().unwrap_or_default().trim()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MediaInfo {
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) mime_type: String,
    pub(crate) sha256: String,
    pub(crate) size: usize,
}

/// The uploads: with a journal their bytes lie in files beside it, otherwise in memory.
#[derive(Debug)]
pub(crate) struct MediaShelf {
    directory: Option<PathBuf>,
    known: BTreeMap<String, MediaInfo>,
    bytes: HashMap<String, Bytes>,
    /// Open resumable uploads: the length each must have, by its id.
    pub(crate) uploads: HashMap<String, u64>,
}

impl MediaShelf {
    pub(crate) fn new(journal: Option<&Path>) -> Self {
        let directory = journal.map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".media");
            PathBuf::from(name)
        });
        Self { directory, known: BTreeMap::new(), bytes: HashMap::new(), uploads: HashMap::new() }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&MediaInfo> {
        self.known.get(id)
    }

    pub(crate) fn restore(&mut self, info: MediaInfo) {
        self.known.insert(info.id.clone(), info);
    }

    pub(crate) fn delete(&mut self, id: &str) -> bool {
        self.bytes.remove(id);
        self.known.remove(id).is_some()
    }

    pub(crate) fn read(&self, id: &str) -> Option<Bytes> {
        match &self.directory {
            None => self.bytes.get(id).cloned(),
            Some(directory) => fs::read(directory.join(id)).ok().map(Bytes::from),
        }
    }

    pub(crate) fn write(&mut self, id: &str, bytes: Bytes) -> io::Result<()> {
        match &self.directory {
            None => {
                self.bytes.insert(id.to_owned(), bytes);
                Ok(())
            }
            Some(directory) => {
                fs::create_dir_all(directory)?;
                fs::write(directory.join(id), bytes)
            }
        }
    }
}
