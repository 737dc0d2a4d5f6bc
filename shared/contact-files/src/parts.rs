//! Files of any size in the bucket, written forwards in parts.

use media::Bucket;
use serde::{Deserialize, Serialize};

use crate::Stopped;

/// Least size of a part: S3 takes no smaller ones, but for the last.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// A file that is written in parts; another process can go on behind each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartFile {
    pub(crate) object: String,
    upload: Option<String>,
    parts: Vec<String>,
    /// The object with what was too little for a part.
    rest: Option<String>,
    #[serde(skip)]
    written: Vec<u8>,
}

impl PartFile {
    pub(crate) fn begin(object: String) -> Self {
        Self { object, upload: None, parts: Vec::new(), rest: None, written: Vec::new() }
    }

    pub(crate) fn write(&mut self, bytes: Vec<u8>) {
        match self.written.is_empty() {
            true => self.written = bytes,
            false => self.written.extend(bytes),
        }
    }

    /// How much was written that is not stored.
    pub(crate) fn waiting(&self) -> usize {
        self.written.len()
    }

    /// Whether there is enough for a part.
    pub(crate) fn is_full(&self, more: usize) -> bool {
        self.written.len() + more >= PART_BYTES
    }

    /// Stores a part, if there is enough for one; answers whether it did.
    pub(crate) async fn flush(&mut self, bucket: &Bucket, mime: &str) -> Result<bool, Stopped> {
        if !self.is_full(0) {
            return Ok(false);
        }
        self.part(bucket, mime).await?;
        Ok(true)
    }

    /// Puts what is too little for a part where the next process finds it, under a name of
    /// its own: a process that dies here leaves the one before as it was.
    pub(crate) async fn leave(&mut self, bucket: &Bucket, mime: &str, take: u64) -> Result<(), Stopped> {
        let rest = format!("{}.{take}", self.object);
        bucket.put_report(&rest, mime, std::mem::take(&mut self.written)).await?;
        self.rest = Some(rest);
        Ok(())
    }

    /// Takes up what the process before left.
    pub(crate) async fn resume(&mut self, bucket: &Bucket) -> Result<(), Stopped> {
        if let Some(rest) = self.rest.take() {
            let found = bucket.get_report(&rest).await?;
            self.written = found.map(Vec::from).ok_or_else(|| Stopped::Wrong("a part is gone".to_owned()))?;
        }
        Ok(())
    }

    async fn part(&mut self, bucket: &Bucket, mime: &str) -> Result<(), Stopped> {
        let upload = match &self.upload {
            Some(upload) => upload.clone(),
            None => self.upload.insert(bucket.begin_report(&self.object, mime).await?).clone(),
        };
        let (number, bytes) = (self.parts.len() + 1, std::mem::take(&mut self.written));
        self.parts.push(bucket.put_report_part(&self.object, &upload, number, bytes).await?);
        Ok(())
    }

    /// Makes a file of the parts and of what is left.
    pub(crate) async fn finish(mut self, bucket: &Bucket, mime: &str) -> Result<String, Stopped> {
        if self.upload.is_none() {
            bucket.put_report(&self.object, mime, std::mem::take(&mut self.written)).await?;
            return Ok(self.object);
        }
        if self.waiting() > 0 {
            self.part(bucket, mime).await?;
        }
        let upload = self.upload.clone().unwrap_or_default();
        bucket.complete_report(&self.object, &upload, &self.parts).await?;
        Ok(self.object)
    }
}
