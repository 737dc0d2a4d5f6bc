//! Errors of the engine in DynamoDB's words and shape.

use dynoxide::DynoxideError;
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::super::reply::JsonReply;

/// What a request that could not be read is refused with.
///
/// The engine's request types mark the class of their refusals with a prefix;
/// a position in the JSON text means nothing to a client.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        for prefix in ["VALIDATION:", "VALIDATION_REQUEST:", "VALIDATION_AS_READ:"] {
            if let Some(message) = text.strip_prefix(prefix) {
                return DynoxideError::ValidationException(message.to_owned());
            }
        }
        for prefix in ["SERIALIZATION:", "SERIALIZATION_AS_READ:"] {
            if let Some(message) = text.strip_prefix(prefix) {
                return DynoxideError::SerializationException(message.to_owned());
            }
        }
        if text.contains("missing field") || text.contains("AttributeValue") {
            return DynoxideError::ValidationException(text.to_owned());
        }
        DynoxideError::SerializationException(text.to_owned())
    })
}

/// The error's status and JSON body.
pub(super) fn reply(error: &DynoxideError) -> JsonReply {
    JsonReply {
        status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST),
        body: error.to_json().into_bytes(),
        query_error: None,
    }
}

/// The reply to a request whose engine stopped half-way.
pub(super) fn stopped() -> JsonReply {
    reply(&DynoxideError::InternalServerError("the table store stopped".to_owned()))
}
