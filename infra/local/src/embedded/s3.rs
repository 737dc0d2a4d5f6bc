//! S3 on a folder: one subfolder per bucket, one file per object.

use std::path::Path;

use aws_smithy_types::body::SdkBody;
use http::{Method, Request, Response};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;

use super::Error;
use super::clients::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

/// The object store.
#[derive(Debug)]
pub(super) struct S3 {
    service: S3Service,
    /// Removed with its contents when the store is dropped.
    folder: Option<TempDir>,
}

impl S3 {
    /// Objects in `folder`, which is created when it is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)?;
        let files = FileSystem::new(folder).map_err(|error| Error::S3(format!("{error:?}")))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
        Ok(Self { service: service.build(), folder: None })
    }

    /// Objects in a folder that goes away with the store.
    pub(super) fn temporary() -> Result<Self, Error> {
        let folder = TempDir::new()?;
        let store = Self::open(folder.path())?;
        Ok(Self { folder: Some(folder), ..store })
    }

    /// A store of its own with the same buckets, empty.
    pub(super) fn copy(&self) -> Result<Self, Error> {
        let copy = Self::temporary()?;
        if let (Some(from), Some(to)) = (&self.folder, &copy.folder) {
            for bucket in std::fs::read_dir(from.path())? {
                let bucket = bucket?;
                if bucket.file_type()?.is_dir() {
                    std::fs::create_dir(to.path().join(bucket.file_name()))?;
                }
            }
        }
        Ok(copy)
    }

    /// Answers a signed request of a client of this process.
    pub(super) async fn call(&self, request: Request<SdkBody>) -> Result<Response<SdkBody>, s3s::HttpError> {
        let is_head = request.method() == Method::HEAD;
        let response = self.service.call(request.map(s3s::Body::http_body_unsync)).await?;
        // A connection would drop the body of an answer to HEAD.
        Ok(response.map(|body| if is_head { SdkBody::empty() } else { SdkBody::from_body_1_x(body) }))
    }

    /// Answers a signed request that came over a connection.
    pub(super) async fn call_http(
        &self,
        request: Request<axum::body::Body>,
    ) -> Result<Response<axum::body::Body>, s3s::HttpError> {
        let response = self.service.call(request.map(s3s::Body::http_body_unsync)).await?;
        Ok(response.map(axum::body::Body::new))
    }
}
