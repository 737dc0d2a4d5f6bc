//! Files of contacts that are imported.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use crate::{Bucket, Error};

/// Where they are; the bucket forgets them after a week.
const IMPORTS: &str = "imports/";

pub(crate) fn key(name: &str) -> String {
    format!("{IMPORTS}{name}")
}

impl Bucket {
    /// Stores a file to be imported.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not take it.
    pub async fn put_import(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        let request = self.client.put_object().bucket(&self.name).key(key(name));
        let sent =
            request.content_type("application/octet-stream").body(ByteStream::from(bytes)).send().await;
        sent.map(|_| ()).map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))
    }

    /// Reads at most `len` bytes of a file from `offset` on; nothing behind its end, and
    /// `None` when it is gone.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn get_import(&self, name: &str, offset: u64, len: u64) -> Result<Option<Bytes>, Error> {
        let Some(last) = (offset + len).checked_sub(1).filter(|_| len > 0) else {
            return Ok(Some(Bytes::new()));
        };
        let request = self.client.get_object().bucket(&self.name).key(key(name));
        match request.range(format!("bytes={offset}-{last}")).send().await {
            Ok(object) => match object.body.collect().await {
                Ok(body) => Ok(Some(body.into_bytes())),
                Err(_) => Err(Error::of(Some("Body"))),
            },
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
            Err(error) => match error.as_service_error().and_then(|e| e.code()) {
                Some("InvalidRange") => Ok(Some(Bytes::new())),
                code => Err(Error::of(code)),
            },
        }
    }

    /// Removes a file; one that is gone already is fine.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn delete_import(&self, name: &str) -> Result<(), Error> {
        match self.client.delete_object().bucket(&self.name).key(key(name)).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error().and_then(|e| e.code()) {
                Some("NoSuchKey") => Ok(()),
                code => Err(Error::of(code)),
            },
        }
    }
}
