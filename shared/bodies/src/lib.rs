//! The bodies of events: short ones in the table, long ones in the bucket.

use bytes::Bytes;
use environment::{Env, Missing};
use media::Bucket;
use ops::{Code, Error, Result};
use queue::Text;
use store::Store;
use store::webhooks::Body;

/// Longest body that lies in the table, in bytes: with it a row stays below one
/// write unit.
const INLINE: usize = 600;

/// The bodies of events: short ones in the table, long ones in the bucket.
#[derive(Debug, Clone)]
pub struct Bodies(Bucket);

impl Bodies {
    /// Bodies in this bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }

    /// Those of a function: `MEDIA_BUCKET`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn of(env: &Env) -> std::result::Result<Self, Missing> {
        Bucket::of(env).map(Self)
    }

    /// Puts long bodies into one object, which costs one request; short ones stay.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when the bucket did not take it.
    pub async fn keep(&self, store: &Store, texts: Vec<Text>) -> Result<Vec<Body>> {
        let object = store.entropy().ulid(store.clock().now()).to_string();
        let mut bytes = Vec::new();
        let bodies: Vec<Body> = texts
            .into_iter()
            .map(|text| match text {
                Text::Inline(text) if text.len() <= INLINE => Body::Inline(text),
                Text::Inline(text) => {
                    let (offset, len) = (bytes.len() as u64, text.len() as u64);
                    bytes.extend_from_slice(text.as_bytes());
                    Body::Stored { object: object.clone(), offset, len }
                }
                Text::Stored { object, offset, len } => Body::Stored { object, offset, len },
            })
            .collect();
        if !bytes.is_empty() {
            Box::pin(self.0.put_events(&object, bytes.into())).await.map_err(unavailable)?;
        }
        Ok(bodies)
    }

    /// A text as a job of a queue carries it: one that is too long lies in the bucket.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when the bucket did not take it.
    pub async fn queueable(&self, store: &Store, text: String) -> Result<Text> {
        if text.len() <= Text::MAX_INLINE {
            return Ok(Text::Inline(text));
        }
        let (object, len) = (store.entropy().ulid(store.clock().now()).to_string(), text.len() as u64);
        Box::pin(self.0.put_events(&object, text.into())).await.map_err(unavailable)?;
        Ok(Text::Stored { object, offset: 0, len })
    }

    /// The text that a job carries.
    ///
    /// # Errors
    /// [`Code::NotFound`] when it is gone.
    pub async fn text(&self, text: &Text) -> Result<Bytes> {
        match text {
            Text::Inline(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
            Text::Stored { object, offset, len } => self.part(object, *offset, *len).await,
        }
    }

    /// The body of a delivery.
    ///
    /// # Errors
    /// [`Code::NotFound`] when it is gone.
    pub async fn body(&self, body: &Body) -> Result<Bytes> {
        match body {
            Body::Inline(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
            Body::Stored { object, offset, len } => self.part(object, *offset, *len).await,
        }
    }

    async fn part(&self, object: &str, offset: u64, len: u64) -> Result<Bytes> {
        let part = Box::pin(self.0.get_event(object, offset, len)).await.map_err(unavailable)?;
        part.ok_or_else(|| Error::new(Code::NotFound, "the body of the event is no longer kept"))
    }
}

/// The bucket did not answer.
pub fn unavailable(error: media::Error) -> Error {
    tracing::warn!(code = error.code, "the file store is not available");
    Error::new(Code::Unavailable, "the service is not available, try again").after(1)
}
