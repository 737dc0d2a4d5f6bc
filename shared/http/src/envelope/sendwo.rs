//! Errors in the Sendwo contract.

use ops::{Code, Error};
use serde_json::{Map, Value, json};

use super::{limit_word, particulars};

/// `{"status": "0", "message": ..., "error": {...}}`. A SendApp client that calls
/// here by mistake takes any body without `error` for success.
pub(super) fn body(error: &Error) -> Value {
    let message = message(error);
    let mut inner = Map::new();
    inner.insert("code".to_owned(), limit_word(error.code).into());
    inner.insert("message".to_owned(), message.as_str().into());
    if let Some(field) = &error.field {
        inner.insert("field".to_owned(), field.as_str().into());
    }
    inner.extend(particulars(error));
    json!({"status": "0", "message": message, "error": inner})
}

/// Clients fall back to a template when they find "24 hour" in the message.
fn message(error: &Error) -> String {
    if error.code == Code::OutsideWindow && !error.message.contains("24 hour") {
        return format!("{} (24 hour window)", error.message);
    }
    error.message.clone()
}

/// Most refusals are 200: clients read `status` and take other statuses for
/// failures of the transport.
pub(super) fn status(code: Code) -> u16 {
    match code {
        Code::MalformedBody
        | Code::InvalidField
        | Code::NotFound
        | Code::NotSupported
        | Code::PlanLimit
        | Code::NoCredits
        | Code::Conflict
        | Code::IdempotencyConflict
        | Code::NoNumber
        | Code::NoSession
        | Code::NoDevice
        | Code::OptedOut
        | Code::OutsideWindow
        | Code::ProviderRejected => 200,
        Code::Unauthorized => 401,
        Code::Forbidden => 403,
        Code::MethodNotAllowed => 405,
        Code::TooLarge => 413,
        Code::RateLimited | Code::ProviderThrottled => 429,
        Code::ProviderUnavailable | Code::Unavailable => 503,
        Code::ProviderTimeout => 504,
        Code::Internal => 500,
    }
}
