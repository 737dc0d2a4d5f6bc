//! URLs that are good for one request and a short while.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};

use crate::{Bucket, Error, key, upload_key};

/// A request that whoever has it may make, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Where it goes.
    pub url: String,
    /// The headers it must carry: they are signed.
    pub headers: Vec<(String, String)>,
}

/// What an upload must be.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedUpload<'a> {
    /// The file's id.
    pub id: &'a str,
    /// Its MIME type.
    pub mime: &'a str,
    /// Its size in bytes.
    pub size: u64,
}

impl Bucket {
    /// A `PUT` that takes just this many bytes of just this type.
    ///
    /// # Errors
    /// [`Error`] when there are no credentials to sign it with.
    pub async fn presign_upload(
        &self,
        upload: ExpectedUpload<'_>,
        valid: Duration,
    ) -> Result<Presigned, Error> {
        let size = i64::try_from(upload.size).map_err(|_| Error::of(Some("EntityTooLarge")))?;
        let request = self.outside.put_object().bucket(&self.name).key(upload_key(upload.id));
        let request = request.content_type(upload.mime).content_length(size);
        let signed = request.presigned(expires(valid)?).await.map_err(|_| Error::of(Some("Signing")))?;
        Ok(presigned(&signed))
    }

    /// A `GET` of a file that shows it as `mime` with this `disposition`.
    ///
    /// # Errors
    /// [`Error`] when there are no credentials to sign it with.
    pub async fn presign_get(
        &self,
        id: &str,
        mime: &str,
        disposition: &str,
        valid: Duration,
    ) -> Result<String, Error> {
        self.presign_key(key(id), mime, disposition, valid).await
    }

    pub(crate) async fn presign_key(
        &self,
        key: String,
        mime: &str,
        disposition: &str,
        valid: Duration,
    ) -> Result<String, Error> {
        let request = self.outside.get_object().bucket(&self.name).key(key);
        let request = request.response_content_type(mime).response_content_disposition(disposition);
        let signed = request.presigned(expires(valid)?).await.map_err(|_| Error::of(Some("Signing")))?;
        Ok(signed.uri().to_owned())
    }
}

fn expires(valid: Duration) -> Result<PresigningConfig, Error> {
    PresigningConfig::expires_in(valid).map_err(|_| Error::of(Some("Signing")))
}

fn presigned(signed: &PresignedRequest) -> Presigned {
    let headers = signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Presigned { url: signed.uri().to_owned(), headers }
}
