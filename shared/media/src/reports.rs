//! The files of reports.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use crate::{Bucket, Error};

/// Where reports are; the bucket forgets them after two days, and parts that never
/// became a file after one.
const REPORTS: &str = "reports/";

fn key(name: &str) -> String {
    format!("{REPORTS}{name}")
}

impl Bucket {
    /// Stores a report that is small enough for one request.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not take it.
    pub async fn put_report(&self, name: &str, mime: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let request = self.client.put_object().bucket(&self.name).key(key(name)).content_type(mime);
        let sent = request.body(ByteStream::from(bytes)).send().await;
        sent.map(|_| ()).map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))
    }

    /// Reads what [`Bucket::put_report`] stored; `None` when there is none.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn get_report(&self, name: &str) -> Result<Option<Bytes>, Error> {
        self.get_key(key(name)).await
    }

    /// Deletes a report, if it is there.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn delete_report(&self, name: &str) -> Result<(), Error> {
        let sent = self.client.delete_object().bucket(&self.name).key(key(name)).send().await;
        sent.map(|_| ()).map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))
    }

    /// Begins a report that comes in parts; answers the id of the upload.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn begin_report(&self, name: &str, mime: &str) -> Result<String, Error> {
        let request = self.client.create_multipart_upload().bucket(&self.name).key(key(name));
        let begun = request.content_type(mime).send().await;
        let begun = begun.map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))?;
        begun.upload_id.ok_or_else(|| Error::of(Some("NoUploadId")))
    }

    /// Stores one part, counted from 1; answers its etag. All but the last have at
    /// least 5 MiB. A part that is stored again replaces the one before.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not take it.
    pub async fn put_report_part(
        &self,
        name: &str,
        upload: &str,
        number: usize,
        bytes: Vec<u8>,
    ) -> Result<String, Error> {
        let request = self.client.upload_part().bucket(&self.name).key(key(name)).upload_id(upload);
        let request = request.part_number(part_number(number)?).body(ByteStream::from(bytes));
        let stored =
            request.send().await.map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))?;
        stored.e_tag.ok_or_else(|| Error::of(Some("NoETag")))
    }

    /// Makes a report of its parts, by their etags.
    ///
    /// # Errors
    /// [`Error`] when the bucket refused, or has no such upload or parts.
    pub async fn complete_report(&self, name: &str, upload: &str, etags: &[String]) -> Result<(), Error> {
        let parts = etags.iter().enumerate().map(|(i, etag)| {
            Ok(CompletedPart::builder().part_number(part_number(i + 1)?).e_tag(etag).build())
        });
        let parts = parts.collect::<Result<Vec<_>, Error>>()?;
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.name).key(key(name));
        let sent = request.upload_id(upload).multipart_upload(all).send().await;
        sent.map(|_| ()).map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))
    }

    /// Forgets the parts of a report; those that are gone already are fine.
    ///
    /// # Errors
    /// [`Error`] when the bucket did not answer.
    pub async fn abort_report(&self, name: &str, upload: &str) -> Result<(), Error> {
        let request = self.client.abort_multipart_upload().bucket(&self.name).key(key(name));
        match request.upload_id(upload).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error().and_then(|e| e.code()) {
                Some("NoSuchUpload") => Ok(()),
                code => Err(Error::of(code)),
            },
        }
    }

    /// A `GET` of a report that saves it as `file_name`.
    ///
    /// # Errors
    /// [`Error`] when there are no credentials to sign it with.
    pub async fn presign_report(
        &self,
        name: &str,
        mime: &str,
        file_name: &str,
        valid: Duration,
    ) -> Result<String, Error> {
        let disposition = format!("attachment; filename=\"{file_name}\"");
        self.presign_key(key(name), mime, &disposition, valid).await
    }
}

fn part_number(number: usize) -> Result<i32, Error> {
    i32::try_from(number).map_err(|_| Error::of(Some("TooManyParts")))
}
