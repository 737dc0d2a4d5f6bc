//! Errors in the SendApp contract.

use ops::{Code, Error};
use serde_json::{Map, Value, json};

use super::particulars;

/// `{"status": "error", "message": ...}`: clients show `message`.
pub(super) fn body(error: &Error) -> Value {
    let mut body = Map::new();
    body.insert("status".to_owned(), "error".into());
    body.insert("message".to_owned(), error.message.as_str().into());
    body.insert("code".to_owned(), error.code.as_str().into());
    if let Some(field) = &error.field {
        body.insert("field".to_owned(), field.as_str().into());
        body.insert("errors".to_owned(), json!({field: [error.message]}));
    }
    body.extend(particulars(error));
    body.into()
}

pub(super) fn status(code: Code) -> u16 {
    match code {
        Code::MalformedBody => 400,
        Code::Unauthorized => 401,
        Code::NoCredits => 402,
        Code::Forbidden | Code::PlanLimit => 403,
        Code::NotFound | Code::NotSupported => 404,
        Code::MethodNotAllowed => 405,
        Code::Conflict | Code::IdempotencyConflict => 409,
        Code::TooLarge => 413,
        Code::InvalidField
        | Code::NoNumber
        | Code::NoSession
        | Code::NoDevice
        | Code::OptedOut
        | Code::OutsideWindow
        | Code::ProviderRejected => 422,
        Code::RateLimited | Code::ProviderThrottled => 429,
        Code::ProviderUnavailable | Code::Unavailable => 503,
        Code::ProviderTimeout => 504,
        Code::Internal => 500,
    }
}
