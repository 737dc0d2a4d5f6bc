//! What the other side answered.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::{
    CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, LOCATION, RETRY_AFTER,
};

use crate::{Failure, retry_after};

/// The headers of an answer that anybody reads.
const KEPT: [HeaderName; 6] = [CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION, RETRY_AFTER];
/// Longest value of a header that is kept.
const MAX_HEADER: usize = 2048;

/// What the other side answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status. A redirect that was not followed is one too.
    pub status: u16,
    /// The URL that answered, after redirects.
    pub url: String,
    /// The body up to the limit.
    pub body: Bytes,
    /// Whether the body went on past the limit.
    pub truncated: bool,
    headers: HeaderMap,
}

impl Answer {
    /// Reads at most `limit` bytes of the body and leaves the rest.
    pub(crate) async fn read(mut response: Response, limit: usize) -> Result<Self, Failure> {
        let mut body = BytesMut::new();
        let mut truncated = false;
        while let Some(chunk) = response.chunk().await.map_err(|e| Failure::of(&e))? {
            let room = limit - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                truncated = true;
                break;
            }
        }
        let mut headers = HeaderMap::new();
        for name in KEPT {
            if let Some(value) = response.headers().get(&name).filter(|v| v.len() <= MAX_HEADER) {
                headers.insert(name, value.clone());
            }
        }
        Ok(Self {
            status: response.status().as_u16(),
            url: response.url().to_string(),
            body: body.freeze(),
            truncated,
            headers,
        })
    }

    /// A kept header: content-type, content-disposition, etag, last-modified,
    /// location, retry-after.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the other side asks to be left alone.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        retry_after(self.header("retry-after")?, now)
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Bodies are the users' data, so only their size is shown.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}
