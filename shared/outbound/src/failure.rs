//! Why a call brought no answer.

use std::error::Error;
use std::io;

use crate::Refused;

/// Why a call brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The URL, a redirect's URL or the resolved address is not called.
    #[error("the address {0}")]
    Refused(Refused),
    /// The host name does not resolve.
    #[error("the host name could not be resolved")]
    Dns,
    /// Nobody listens.
    #[error("no connection could be made")]
    Connect,
    /// The certificate is not valid for the host, or TLS failed.
    #[error("no secure connection could be made: the certificate or tls set-up is not valid")]
    Tls,
    /// The time limit passed: in connecting, waiting or reading.
    #[error("there was no complete answer in time")]
    Timeout,
    /// The connection ended, or what came was not HTTP.
    #[error("the connection broke before the answer was complete")]
    Reset,
    /// More than the limit was answered.
    #[error("the answer is larger than allowed")]
    TooLarge,
    /// A redirect without a readable address, or too many of them.
    #[error("the answer redirects too often or nowhere")]
    Redirect,
    /// The request cannot be sent as it is.
    #[error("the request could not be built")]
    Request,
}

impl Failure {
    /// A short name for logs and delivery records.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::TooLarge => "too_large",
            Self::Redirect => "redirect",
            Self::Request => "request",
        }
    }

    /// What the client library reports; the resolver's own verdict is in its chain.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        if let Some(verdict) = chain(error).find_map(|e| e.downcast_ref::<Self>()) {
            return *verdict;
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_builder() {
            return Self::Request;
        }
        if !error.is_connect() {
            return Self::Reset;
        }
        let tls = chain(error).filter_map(|e| e.downcast_ref::<io::Error>()).any(is_invalid_data);
        if tls { Self::Tls } else { Self::Connect }
    }
}

/// How the TLS library reports what it does not accept; the connector wraps it
/// in an error of its own, whose source skips what it wraps.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}

/// The error and what it was caused by, down to the first cause.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
