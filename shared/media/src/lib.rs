//! Files in S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

/// The bucket of uploaded files.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// The bucket did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the file store is not available ({code})")]
pub struct Error {
    /// The bucket's error code.
    pub code: String,
}

impl Error {
    fn of(code: Option<&str>) -> Self {
        Self { code: code.unwrap_or("DispatchFailure").to_owned() }
    }
}

fn key(id: &str) -> String {
    format!("files/{id}")
}

impl Bucket {
    /// A bucket by its name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Stores a file under its id.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not take it.
    pub async fn put(&self, id: &str, mime: &str, bytes: Bytes) -> Result<(), Error> {
        let request = self.client.put_object().bucket(&self.name).key(key(id));
        let request = request.content_type(mime).body(ByteStream::from(bytes));
        request.send().await.map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))?;
        Ok(())
    }

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn get(&self, id: &str) -> Result<Option<Bytes>, Error> {
        match self.client.get_object().bucket(&self.name).key(key(id)).send().await {
            Ok(object) => match object.body.collect().await {
                Ok(body) => Ok(Some(body.into_bytes())),
                Err(_) => Err(Error::of(Some("Body"))),
            },
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
            Err(error) => Err(Error::of(error.as_service_error().and_then(|e| e.code()))),
        }
    }
}
