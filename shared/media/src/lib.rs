//! Files in S3.
//!
//! A checked file lies below `files/`. One that its owner uploads by a presigned
//! URL comes in below `uploads/`, where it can still be overwritten; once its
//! content was checked it is copied, so that what was checked is what is served.
//! What is not what it claims to be is kept below `quarantine/`. Bodies of events
//! that are too long for the table lie below `events/`, several in one object.
//! Reports of campaigns lie below `reports/`, files of contacts that are imported below
//! `imports/`.

mod event;
mod imports;
mod parts;
mod presign;
mod reports;

pub use event::{BucketEvent, NotAnEvent};
pub use presign::{ExpectedUpload, Presigned};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use environment::{Env, Missing};

/// Where uploads come in that nobody has checked.
pub const UPLOADS: &str = "uploads/";

/// The bucket of uploaded files.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    /// Signs URLs for the outside, which may know the bucket by another address.
    outside: Client,
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

/// The beginning of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadStart {
    /// Its first bytes.
    pub bytes: Bytes,
    /// The size of the whole, in bytes.
    pub size: u64,
    /// Names this content: another upload has another one.
    pub etag: String,
}

/// Where an upload goes once it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// It is served from now on.
    Files,
    /// It is kept for whoever wants to know what it was.
    Quarantine,
    /// Its contacts are imported.
    Imports,
}

fn key(id: &str) -> String {
    format!("files/{id}")
}

fn upload_key(id: &str) -> String {
    format!("{UPLOADS}{id}")
}

impl Bucket {
    /// A bucket by its name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { outside: client.clone(), client, name: name.into() }
    }

    /// The one of a function: `MEDIA_BUCKET`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn of(env: &Env) -> Result<Self, Missing> {
        let config = aws_sdk_s3::config::Builder::from(env.aws())
            // Emulators have no name for each bucket.
            .force_path_style(env.aws().endpoint_url().is_some())
            .build();
        Ok(Self::new(Client::from_conf(config), env.required("MEDIA_BUCKET")?))
    }

    /// Signs URLs for the outside with another client.
    #[must_use]
    pub fn signed_by(self, outside: Client) -> Self {
        Self { outside, ..self }
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
        self.get_key(key(id)).await
    }

    async fn get_key(&self, key: String) -> Result<Option<Bytes>, Error> {
        match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(object) => match object.body.collect().await {
                Ok(body) => Ok(Some(body.into_bytes())),
                Err(_) => Err(Error::of(Some("Body"))),
            },
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
            Err(error) => Err(Error::of(error.as_service_error().and_then(|e| e.code()))),
        }
    }

    /// Reads at most `bytes` from the beginning of an upload; `None` when there is
    /// none.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn start_of_upload(&self, id: &str, bytes: u64) -> Result<Option<UploadStart>, Error> {
        let head = match self.client.head_object().bucket(&self.name).key(upload_key(id)).send().await {
            Ok(head) => head,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => return Ok(None),
            Err(error) => return Err(Error::of(error.as_service_error().and_then(|e| e.code()))),
        };
        let size = head.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        let etag = head.e_tag().unwrap_or_default().to_owned();
        if size == 0 {
            return Ok(Some(UploadStart { bytes: Bytes::new(), size, etag }));
        }
        let request = self.client.get_object().bucket(&self.name).key(upload_key(id));
        let request = request.range(format!("bytes=0-{}", bytes.min(size) - 1)).if_match(&etag);
        let object =
            request.send().await.map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))?;
        let body = object.body.collect().await.map_err(|_| Error::of(Some("Body")))?;
        Ok(Some(UploadStart { bytes: body.into_bytes(), size, etag }))
    }

    /// Moves an upload, provided that it is still the one with this `etag`.
    ///
    /// # Errors
    /// [`Error`] when the bucket refused, or the upload is another one by now.
    pub async fn move_upload(&self, id: &str, etag: &str, mime: &str, to: Destination) -> Result<(), Error> {
        let target = match to {
            Destination::Files => key(id),
            Destination::Quarantine => format!("quarantine/{id}"),
            Destination::Imports => imports::key(id),
        };
        let request = self.client.copy_object().bucket(&self.name).key(target);
        let request = request
            .copy_source(format!("{}/{}", self.name, upload_key(id)))
            .copy_source_if_match(etag)
            .content_type(mime)
            .metadata_directive(aws_sdk_s3::types::MetadataDirective::Replace);
        request.send().await.map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))?;
        self.drop_upload(id).await
    }

    /// Removes an upload; one that is gone already is fine.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn drop_upload(&self, id: &str) -> Result<(), Error> {
        match self.client.delete_object().bucket(&self.name).key(upload_key(id)).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error().and_then(|e| e.code()) {
                Some("NoSuchKey") => Ok(()),
                code => Err(Error::of(code)),
            },
        }
    }
}
