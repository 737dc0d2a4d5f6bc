//! What the ways out answer, in the product's words.

use ops::{Code, Error};

/// Whose calls that send nothing may fail.
const WHATSAPP: &str = "WhatsApp";

/// A call of Meta's that sends nothing failed.
pub(crate) fn of_provider(error: channels::Error) -> Error {
    match error {
        channels::Error::Refused(refusal) => Error::refused(WHATSAPP, &refusal),
        channels::Error::Unreachable => {
            Error::new(Code::ProviderUnavailable, "WhatsApp did not answer, try again").after(5)
        }
    }
}

/// The bucket did not answer.
pub(crate) fn of_bucket(error: media::Error) -> Error {
    tracing::warn!(code = error.code, "the file store is not available");
    Error::new(Code::Unavailable, "the service is not available, try again").after(1)
}
