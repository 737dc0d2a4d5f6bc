//! What a bucket reports of what is put into it: S3's events, in a queue.

use std::sync::{PoisonError, RwLock};

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use serde_json::json;

use super::Embedded;
use super::access::may_reach;
use super::clients::REGION;
use super::service::HOST;

/// The one report that was set up.
#[derive(Debug, Default)]
pub(super) struct Reports(RwLock<Option<UploadReport>>);

#[derive(Debug, Clone)]
struct UploadReport {
    bucket: String,
    prefix: String,
    queue_url: String,
}

/// An object that somebody asks to put.
pub(super) struct Put {
    report: UploadReport,
    key: String,
    size: u64,
}

impl Reports {
    /// The same report, if there is one.
    pub(super) fn copy(&self) -> Self {
        Self(RwLock::new(self.0.read().unwrap_or_else(PoisonError::into_inner).clone()))
    }

    pub(super) fn set(&self, bucket: &str, prefix: &str, queue_url: &str) {
        let (bucket, prefix, queue_url) = (bucket.to_owned(), prefix.to_owned(), queue_url.to_owned());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            Some(UploadReport { bucket, prefix, queue_url });
    }

    fn of<B>(&self, request: &Request<B>) -> Option<Put> {
        if request.method() != Method::PUT {
            return None;
        }
        let report = self.0.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let path = request.uri().path().strip_prefix('/')?;
        let key = path.strip_prefix(&*report.bucket)?.strip_prefix('/')?.to_owned();
        let size = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
        let size = size.and_then(|size| size.parse().ok()).unwrap_or(0);
        key.starts_with(&*report.prefix).then_some(Put { report, key, size })
    }
}

impl Embedded {
    /// Answers a client of this process, and reports what it put.
    pub(super) async fn s3_call(
        &self,
        request: Request<SdkBody>,
    ) -> Result<Response<SdkBody>, s3s::HttpError> {
        let uri = request.uri();
        if !may_reach(request.method(), uri.path(), uri.query().unwrap_or_default()) {
            let mut denied = Response::new(SdkBody::from("<Error><Code>AccessDenied</Code></Error>"));
            *denied.status_mut() = http::StatusCode::FORBIDDEN;
            return Ok(denied);
        }
        let put = self.engines.reports.of(&request);
        let response = self.engines.s3.call(request).await?;
        self.report(put, response.status().is_success()).await;
        Ok(response)
    }

    /// Answers what came over a connection, and reports what was put.
    pub(super) async fn s3_call_http(
        &self,
        request: Request<axum::body::Body>,
    ) -> Result<Response<axum::body::Body>, s3s::HttpError> {
        let put = self.engines.reports.of(&request);
        let response = self.engines.s3.call_http(request).await?;
        self.report(put, response.status().is_success()).await;
        Ok(response)
    }

    async fn report(&self, put: Option<Put>, succeeded: bool) {
        let Some(Put { report, key, size }) = put.filter(|_| succeeded) else { return };
        let event = json!({"Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventName": "ObjectCreated:Put",
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": report.bucket}, "object": {"key": key, "size": size}},
        }]});
        let message = json!({"QueueUrl": report.queue_url, "MessageBody": event.to_string()}).to_string();
        let _reply = self.engines.sqs.call("SendMessage", HOST, Bytes::from(message)).await;
    }
}
