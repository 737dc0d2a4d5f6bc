//! What can go wrong with the store.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// What can go wrong with the store. Absence is not an error: it is `None`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A precondition did not hold: somebody else was there first.
    #[error("the item changed in the meantime")]
    Conflict,
    /// Other writers were at the item at every try: nothing was written, and nothing
    /// is known about the precondition.
    #[error("the item is being changed by others")]
    Contended,
    /// The database did not answer, or is throttling.
    #[error("the database is not available ({code})")]
    Unavailable {
        /// The database's error code.
        code: String,
    },
    /// The database takes no such request, however often it is asked: a key or an item is too
    /// large, or has characters that it does not keep.
    #[error("the database refuses the request ({code})")]
    Refused {
        /// The database's error code.
        code: String,
    },
    /// An item is not what its type says.
    #[error("an item of type {kind} cannot be read")]
    Corrupt {
        /// The item's type.
        kind: &'static str,
    },
    /// A sealed value was not sealed with this key, or for this tenant.
    #[error("a sealed value cannot be opened")]
    Sealed,
}

/// Answers of the store.
pub type Result<T> = std::result::Result<T, Error>;

impl<E: ProvideErrorMetadata, R> From<SdkError<E, R>> for Error {
    fn from(error: SdkError<E, R>) -> Self {
        let code = match &error {
            SdkError::ServiceError(service) => service.err().code().unwrap_or("ServiceError"),
            SdkError::TimeoutError(_) => "TimeoutError",
            SdkError::DispatchFailure(_) => "DispatchFailure",
            SdkError::ConstructionFailure(_) => "ConstructionFailure",
            SdkError::ResponseError(_) => "ResponseError",
            _ => "SdkError",
        };
        match code {
            "ConditionalCheckFailedException" => Self::Conflict,
            "TransactionConflictException" => Self::Contended,
            other => {
                let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
                tracing::debug!(code = other, message, "dynamodb refused a request");
                Self::of_code(other)
            }
        }
    }
}

impl Error {
    /// A code of DynamoDB's, of a request or of a part of one (API Reference, Common errors,
    /// `CancellationReason` and `BatchStatementError`).
    pub(crate) fn of_code(code: &str) -> Self {
        let is_final = ["ValidationException", "ValidationError", "ItemCollectionSizeLimitExceeded"];
        let code = code.to_owned();
        if is_final.contains(&code.as_str()) { Self::Refused { code } } else { Self::Unavailable { code } }
    }
}
