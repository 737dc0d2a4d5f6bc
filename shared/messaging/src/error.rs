//! What a provider answers, in the product's words.

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
