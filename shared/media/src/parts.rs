//! Uploads in parts.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use crate::{Bucket, Error};

/// Where bodies of events are; the bucket forgets them after 32 days.
const EVENTS: &str = "events/";

impl Bucket {
    /// Stores bodies of events, one behind the other, under a name of its own.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not take it.
    pub async fn put_events(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        let request = self.client.put_object().bucket(&self.name).key(format!("{EVENTS}{name}"));
        let request = request.content_type("application/octet-stream").body(ByteStream::from(bytes));
        request.send().await.map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))?;
        Ok(())
    }

    /// Reads a part of what [`Bucket::put_events`] stored; `None` when it is gone.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer, or the part is not all there.
    pub async fn get_event(&self, name: &str, offset: u64, len: u64) -> Result<Option<Bytes>, Error> {
        let Some(last) = (offset + len).checked_sub(1).filter(|_| len > 0) else {
            return Ok(Some(Bytes::new()));
        };
        let request = self.client.get_object().bucket(&self.name).key(format!("{EVENTS}{name}"));
        match request.range(format!("bytes={offset}-{last}")).send().await {
            Ok(object) => {
                let body = object.body.collect().await.map_err(|_| Error::of(Some("Body")))?.into_bytes();
                if body.len() as u64 == len { Ok(Some(body)) } else { Err(Error::of(Some("Truncated"))) }
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
            Err(error) => Err(Error::of(error.as_service_error().and_then(|e| e.code()))),
        }
    }
}
