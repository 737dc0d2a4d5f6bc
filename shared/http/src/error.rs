//! An error on its way out: fields take the names that the caller used.

use axum::response::{IntoResponse, Response};
use domain::Invalid;
use http::StatusCode;
use ops::Code;

/// Why a handler did not answer. The outer layer renders it in the dialect of
/// the path, so handlers know nothing of statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError(pub ops::Error);

/// What handlers answer.
pub type Result<T> = std::result::Result<T, ApiError>;

impl ApiError {
    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The same error about the field as the dialect calls it.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        if self.0.field.as_deref() == Some(from) {
            self.0.field = Some(to.to_owned());
            if let Some(rest) = self.0.message.strip_prefix(from).filter(|rest| rest.starts_with(' ')) {
                self.0.message = format!("{to}{rest}");
            }
        }
        self
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self(ops::Error::new(Code::MalformedBody, message))
    }
}

impl From<ops::Error> for ApiError {
    fn from(error: ops::Error) -> Self {
        Self(error)
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self(invalid.into())
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_take_the_dialects_name() {
        let error = ApiError::from(Invalid::new("phone", "phone must have 8 to 15 digits"));
        let renamed = error.clone().renamed("phone", "to").0;
        assert_eq!(
            (renamed.field.as_deref(), renamed.message.as_str()),
            (Some("to"), "to must have 8 to 15 digits")
        );
        assert_eq!(error.clone().renamed("email", "to"), error);
    }
}
