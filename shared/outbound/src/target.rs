//! A URL that the policy lets through.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::{Policy, Refused, classify};

/// Longest URL, in bytes.
pub const MAX_URL: usize = 2048;
/// The ports that are called, unless the operator allows a host.
pub const PORTS: [u16; 4] = [80, 443, 8080, 8443];

/// Endings that never name a public host: RFC 6761, RFC 6762 (with its
/// appendix G), RFC 8375, and the name that ICANN keeps for private use.
const LOCAL_ENDINGS: [&str; 10] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
];

/// A URL that may be called. Its fragment is dropped; the rest is as the
/// standard parser writes it, so what was checked is what is dialled.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    trusted: bool,
}

impl Target {
    /// Reads a URL that a user gave.
    ///
    /// # Errors
    /// The rule that it breaks. A name is not resolved here: that is the
    /// client's, at every call.
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, Refused> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.len() > MAX_URL {
            return Err(Refused::TooLong);
        }
        check_text(text)?;
        let no_host =
            |error| if error == url::ParseError::EmptyHost { Refused::NoHost } else { Refused::Malformed };
        let url = Url::parse(text).map_err(no_host)?;
        let plain = is_plain(text, &url);
        Self::judge(url, plain, policy)
    }

    /// Checks where a redirect of `from` leads.
    ///
    /// # Errors
    /// The rule that it breaks; [`Refused::Malformed`] for what is no address.
    pub(crate) fn redirected(from: &Self, location: &str, policy: &Policy) -> Result<Self, Refused> {
        let url = from.url.join(location).map_err(|_| Refused::Malformed)?;
        let plain = is_plain(location, &url);
        Self::judge(url, plain, policy)
    }

    /// Checks a target of before under the policy of today.
    pub(crate) fn admit(&self, policy: &Policy) -> Result<Self, Refused> {
        Self::judge(self.url.clone(), true, policy)
    }

    fn judge(mut url: Url, plain: bool, policy: &Policy) -> Result<Self, Refused> {
        url.set_fragment(None);
        if url.as_str().len() > MAX_URL {
            return Err(Refused::TooLong);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Refused::NoHost);
        };
        let trusted = plain && policy.trusts(&host, port);
        if !trusted {
            check_host(&host)?;
            if policy.https_only() && url.scheme() != "https" {
                return Err(Refused::HttpsOnly);
            }
            if !PORTS.contains(&port) {
                return Err(Refused::Port(port));
            }
        }
        Ok(Self { url, trusted })
    }

    /// The URL as it is called.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host as it is called, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether the operator's allow-list names the host.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }
}

/// A path or query may hold a token, so only the host is shown.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}://{}/***)", self.url.scheme(), self.host())
    }
}

/// Whether a URL writes its address as everybody does. What the operator allows is not
/// meant for `0x7f000001`: whoever writes that wants to get past somebody.
fn is_plain(text: &str, url: &Url) -> bool {
    let Some((_, rest)) = text.split_once("//") else { return true };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) | None => authority,
    };
    url.domain().is_some() || url.host_str().is_some_and(|plain| plain.eq_ignore_ascii_case(host))
}

/// What has to be seen in the text, because the parser repairs or drops it.
fn check_text(text: &str) -> Result<(), Refused> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(Refused::Characters);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(if text.contains(':') { Refused::Scheme } else { Refused::Malformed });
    };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(Refused::Scheme);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Refused::Credentials);
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err(Refused::NoHost);
    }
    if authority.starts_with('[') && authority.contains('%') {
        return Err(Refused::ZoneId);
    }
    Ok(())
}

fn check_host(host: &Host<&str>) -> Result<(), Refused> {
    let address = match host {
        Host::Ipv4(v4) => IpAddr::V4(*v4),
        Host::Ipv6(v6) => IpAddr::V6(*v6),
        Host::Domain(name) => return check_name(name),
    };
    classify(address).map_or(Ok(()), |class| Err(Refused::Address(class)))
}

fn check_name(name: &str) -> Result<(), Refused> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return Err(Refused::Malformed);
    }
    let local = LOCAL_ENDINGS
        .iter()
        .any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    if local || !name.contains('.') {
        return Err(Refused::LocalName);
    }
    Ok(())
}
