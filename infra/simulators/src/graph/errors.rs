//! The errors of the simulator itself, and the error answers of the protocol.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{clock::mix, codes};

/// Why a simulator cannot start, or why its control plane refuses a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller gave something unusable; the text says what.
    #[error("{0}")]
    Invalid(String),
    #[error("the journal cannot be used")]
    Journal(#[source] std::io::Error),
    #[error("the webhook client cannot be built")]
    Client(#[source] reqwest::Error),
    #[error("the listener failed")]
    Listener(#[source] std::io::Error),
}

impl Error {
    pub(crate) fn invalid(error: serde_json::Error) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// An error answer in Graph's envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub(crate) code: u32,
    subcode: Option<u32>,
    kind: Kind,
    /// Replaces the code's title as the whole message.
    message: Option<String>,
    details: Option<String>,
    /// Title and text for the user, which template creation answers with.
    user: Option<Box<(String, String)>>,
    retry_after: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    OAuth,
    GraphMethod,
}

impl GraphError {
    /// A code with its title and a sentence that says what is wrong.
    pub(crate) fn new(code: u32, details: impl Into<String>) -> Self {
        let details = Some(details.into());
        Self { code, subcode: None, kind: Kind::OAuth, message: None, details, user: None, retry_after: None }
    }

    /// Code 100 in the form `(#100) <text>`.
    pub(crate) fn parameter(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { message: Some(format!("(#100) {text}")), ..Self::new(100, text) }
    }

    /// More of a list than is given at once.
    pub(crate) fn too_much() -> Self {
        let message = "Please reduce the amount of data you're asking for, then retry your request";
        Self { message: Some(message.to_owned()), details: None, ..Self::new(1, "") }
    }

    pub(crate) fn token() -> Self {
        let message = Some("Invalid OAuth access token - Cannot parse access token".to_owned());
        Self { message, details: None, ..Self::new(190, "") }
    }

    pub(crate) fn unknown_object(id: &str) -> Self {
        let message = format!(
            "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation"
        );
        let base = Self::new(100, "");
        Self { subcode: Some(33), kind: Kind::GraphMethod, message: Some(message), details: None, ..base }
    }

    /// A refused template: code 100 with the subcode Meta uses.
    pub(crate) fn template(subcode: u32, title: &str, text: impl Into<String>) -> Self {
        Self {
            subcode: Some(subcode),
            message: Some("Invalid parameter".to_owned()),
            details: None,
            user: Some(Box::new((title.to_owned(), text.into()))),
            ..Self::new(100, "")
        }
    }

    /// An error that a fault rule asked for.
    pub(crate) fn injected(
        code: u32,
        subcode: Option<u32>,
        details: Option<String>,
        retry_after: Option<u64>,
    ) -> Self {
        let details = details.unwrap_or_else(|| codes::title(code).to_owned());
        Self { subcode, retry_after, ..Self::new(code, details) }
    }

    #[cfg(test)]
    pub(crate) fn subcode(&self) -> Option<u32> {
        self.subcode
    }

    fn body(&self, trace: u64) -> Value {
        let title = codes::title(self.code);
        let message = match (&self.message, self.code) {
            (Some(message), _) => message.clone(),
            (None, 0 | 190) => title.to_owned(),
            (None, code) => format!("(#{code}) {title}"),
        };
        let kind = match self.kind {
            Kind::OAuth => "OAuthException",
            Kind::GraphMethod => "GraphMethodException",
        };
        let mut error = json!({ "message": message, "type": kind, "code": self.code });
        if let Some(details) = &self.details {
            error["error_data"] = json!({ "messaging_product": "whatsapp", "details": details });
        }
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(user) = &self.user {
            error["is_transient"] = json!(false);
            error["error_user_title"] = json!(user.0);
            error["error_user_msg"] = json!(user.1);
        } else if codes::is_transient(self.code) {
            error["is_transient"] = json!(true);
        }
        error["fbtrace_id"] = json!(trace_id(trace));
        json!({ "error": error })
    }

    /// The answer; `trace` becomes the trace id.
    pub(crate) fn respond(&self, trace: u64) -> Response {
        let status = StatusCode::from_u16(codes::http_status(self.code)).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, Json(self.body(trace))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("OAuth \"Facebook Platform\" \"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Meta's trace ids look like `AbGmkU8mCqYP3fyFzYP1hVb`.
fn trace_id(trace: u64) -> String {
    let mut bytes = [0u8; 16];
    bytes[..8].copy_from_slice(&trace.to_be_bytes());
    bytes[8..].copy_from_slice(&mix(trace).to_be_bytes());
    format!("A{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Every way a call can end without a useful answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    Graph(GraphError),
    /// A status without Graph's envelope, as a proxy in between would answer.
    Bare(u16),
    /// Nothing is answered; the connection is closed after the wait.
    Silence {
        hang_ms: u64,
    },
}

impl From<GraphError> for Refusal {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}
