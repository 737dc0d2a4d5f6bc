//! Why a URL is not called.

use crate::AddressClass;
use crate::target::MAX_URL;

/// Why a URL is not called. The text continues the name of the field that
/// carried it: `url must not carry a user name or password`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing that can be read as a URL.
    #[error("is not a valid url")]
    Malformed,
    /// Over [`MAX_URL`] bytes.
    #[error("is longer than {MAX_URL} bytes")]
    TooLong,
    /// Spaces, control characters or backslashes, which parsers read differently.
    #[error("must not contain spaces, control characters or backslashes")]
    Characters,
    /// Neither http nor https.
    #[error("must begin with https:// or http://")]
    Scheme,
    /// http where only https is called.
    #[error("must begin with https://")]
    HttpsOnly,
    /// `user:password@host`.
    #[error("must not carry a user name or password")]
    Credentials,
    /// `https:///path`.
    #[error("has no host")]
    NoHost,
    /// `[fe80::1%25eth0]`.
    #[error("must not name a network interface")]
    ZoneId,
    /// A port other than [`crate::PORTS`].
    #[error("must use port 80, 443, 8080 or 8443, not {0}")]
    Port(u16),
    /// A name that only means something inside a machine or a network.
    #[error("must be a public host name")]
    LocalName,
    /// The host is written as an address of this class.
    #[error("points to {0}")]
    Address(AddressClass),
    /// The host's name resolves to an address of this class.
    #[error("has a host name that resolves to {0}")]
    ResolvesTo(AddressClass),
}
