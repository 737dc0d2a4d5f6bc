//! Errors in the DM Champ contract.

use ops::{Code, Error};
use serde_json::{Map, Value, json};

use super::{limit_word, particulars};

/// `{"error": {"code": "INVALID_PHONE", "message"}}`
pub(super) fn body(error: &Error) -> Value {
    let code = match (error.code, &error.field) {
        (Code::InvalidField, Some(field)) => format!("INVALID_{}", upper_snake(field)),
        (code, _) => limit_word(code).to_ascii_uppercase(),
    };
    let mut inner = Map::new();
    inner.insert("code".to_owned(), code.into());
    inner.insert("message".to_owned(), error.message.as_str().into());
    inner.extend(particulars(error));
    json!({"error": inner})
}

/// `customData.fromId` becomes `CUSTOM_DATA_FROM_ID`. A phone is a phone under each
/// of its names: clients look for `INVALID_PHONE`.
fn upper_snake(field: &str) -> String {
    if matches!(field, "phoneNumber" | "phone_number") {
        return "PHONE".to_owned();
    }
    let mut name = String::with_capacity(field.len() + 4);
    let mut after_lower = false;
    for c in field.chars() {
        if c.is_ascii_uppercase() && after_lower {
            name.push('_');
        }
        name.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    name
}

/// The contract knows 200, 201, 400, 401, 404, 429 and 500: what others refuse
/// more precisely is 400 here.
pub(super) fn status(code: Code) -> u16 {
    match code {
        Code::MalformedBody
        | Code::InvalidField
        | Code::PlanLimit
        | Code::NoCredits
        | Code::Conflict
        | Code::NoNumber
        | Code::NoSession
        | Code::NoDevice
        | Code::OptedOut
        | Code::OutsideWindow
        | Code::ProviderRejected => 400,
        Code::Unauthorized => 401,
        Code::Forbidden => 403,
        Code::NotFound | Code::NotSupported => 404,
        Code::MethodNotAllowed => 405,
        // The contract has a key of its own to look at: a grant under it is another one.
        Code::IdempotencyConflict => 409,
        Code::TooLarge => 413,
        Code::RateLimited | Code::ProviderThrottled => 429,
        Code::ProviderUnavailable | Code::Unavailable => 503,
        Code::ProviderTimeout => 504,
        Code::Internal => 500,
    }
}
