//! The answer of an engine that speaks AWS JSON.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// A status, a JSON body and the headers a client may look at.
#[derive(Debug)]
pub(super) struct JsonReply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    /// `x-amzn-query-error`, which SQS clients read the error's code from.
    pub(super) query_error: Option<String>,
}

impl JsonReply {
    pub(super) fn ok(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body, query_error: None }
    }

    /// An error of `kind` (the value of `__type`) in the shape the SDKs read.
    pub(super) fn error(status: StatusCode, kind: &str, message: &str) -> Self {
        let body = serde_json::json!({ "__type": kind, "message": message });
        Self { status, body: body.to_string().into_bytes(), query_error: None }
    }

    pub(super) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        if let Some(code) = self.query_error.and_then(|code| HeaderValue::try_from(code).ok()) {
            headers.insert("x-amzn-query-error", code);
        }
        response
    }
}
