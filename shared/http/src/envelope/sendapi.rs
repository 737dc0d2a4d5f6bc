//! Errors in the SendAPI contract.

use ops::{Code, Error};
use serde_json::{Map, Value, json};

use super::{limit_word, particulars};

/// `{"error": {"message", "code"}}`
pub(super) fn body(error: &Error) -> Value {
    let code = match error.code {
        // The contract's own word.
        Code::RateLimited => "sending_limited",
        Code::MalformedBody
        | Code::InvalidField
        | Code::Unauthorized
        | Code::Forbidden
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::NotSupported
        | Code::PlanLimit
        | Code::NoCredits
        | Code::Conflict
        | Code::IdempotencyConflict
        | Code::TooLarge
        | Code::NoNumber
        | Code::NoSession
        | Code::NoDevice
        | Code::OptedOut
        | Code::OutsideWindow
        | Code::ProviderRejected
        | Code::ProviderThrottled
        | Code::ProviderUnavailable
        | Code::ProviderTimeout
        | Code::Unavailable
        | Code::Internal => limit_word(error.code),
    };
    let mut inner = Map::new();
    inner.insert("message".to_owned(), error.message.as_str().into());
    inner.insert("code".to_owned(), code.into());
    if let Some(field) = &error.field {
        inner.insert("field".to_owned(), field.as_str().into());
    }
    inner.extend(particulars(error));
    json!({"error": inner})
}

pub(super) fn status(code: Code) -> u16 {
    match code {
        Code::MalformedBody => 400,
        Code::Unauthorized => 401,
        Code::Forbidden | Code::PlanLimit | Code::NoCredits => 403,
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
