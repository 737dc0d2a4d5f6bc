//! Where the bytes of a file come from.

use bytes::Bytes;
use media::Bucket;

use crate::Stopped;

/// How much of a file is read at once.
pub(crate) const PIECE: u64 = 1024 * 1024;

/// The bytes of a file.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// They are here.
    Memory(Bytes),
    /// They are in the bucket, under this name.
    Object(Bucket, String),
}

impl Source {
    /// A piece from `offset` on; nothing behind the end.
    pub(crate) async fn piece(&self, offset: u64, most: u64) -> Result<Bytes, Stopped> {
        match self {
            Self::Memory(bytes) => {
                let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(at(offset)..at(offset.saturating_add(most))))
            }
            Self::Object(bucket, name) => {
                let found = bucket.get_import(name, offset, most).await?;
                found.ok_or_else(|| Stopped::Wrong("the file is gone: files are kept for a week".to_owned()))
            }
        }
    }

    /// All of it.
    pub(crate) async fn all(&self) -> Result<Bytes, Stopped> {
        if let Self::Memory(bytes) = self {
            return Ok(bytes.clone());
        }
        let mut all = Vec::new();
        loop {
            let piece = self.piece(all.len() as u64, 16 * PIECE).await?;
            if piece.is_empty() {
                return Ok(all.into());
            }
            all.extend_from_slice(&piece);
        }
    }
}
