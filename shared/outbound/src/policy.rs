//! What may be called, and the operator's exceptions.

use std::net::IpAddr;
use std::str::FromStr;

use environment::Env;
use ipnet::IpNet;
use url::Host;

/// What the URLs of one kind may look like.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    https_only: bool,
    allow: AllowList,
}

impl Policy {
    /// For addresses that events are sent to: https, except where the operator
    /// allows more (RULES, Webhooks).
    pub fn webhooks(allow: AllowList) -> Self {
        Self { https_only: true, allow }
    }

    /// For addresses that something is read from: http too.
    pub fn fetches(allow: AllowList) -> Self {
        Self { https_only: false, allow }
    }

    pub(crate) fn https_only(&self) -> bool {
        self.https_only
    }

    pub(crate) fn trusts(&self, host: &Host<&str>, port: u16) -> bool {
        self.allow.trusts(host, port)
    }

    pub(crate) fn allow(&self) -> &AllowList {
        &self.allow
    }
}

/// Hosts, hosts with a port, and networks that the operator allows although
/// they are not public: the local mode, a CRM in the same private network.
///
/// A host is trusted whole: any port (or the one it is written with), http,
/// and whatever it resolves to. So is an address written in a URL that lies in
/// an allowed network. A name that resolves into one may be called too, but its
/// scheme and port must be the usual ones. An address in an unusual spelling
/// (`0x7f000001`, `127.1`) is never trusted.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    hosts: Vec<(Host<String>, Option<u16>)>,
    networks: Vec<IpNet>,
}

/// An entry of the allow-list that is no host, host:port or network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host, host:port or network such as 10.0.0.0/8")]
pub struct InvalidEntry(pub String);

impl AllowList {
    /// The one of a function: `OUTBOUND_ALLOW`, which may be missing.
    ///
    /// # Errors
    /// When an entry of it is none.
    pub fn of(env: &Env) -> Result<Self, environment::Error> {
        let allow = env.optional("OUTBOUND_ALLOW").unwrap_or_default();
        allow.parse().map_err(|wrong| environment::Error::Invalid("OUTBOUND_ALLOW", format!("{wrong}")))
    }

    /// No exceptions.
    pub fn none() -> Self {
        Self::default()
    }

    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    fn trusts(&self, host: &Host<&str>, port: u16) -> bool {
        let listed = self
            .hosts
            .iter()
            .any(|(known, only)| same_host(known, host) && only.is_none_or(|only| only == port));
        listed
            || match host {
                Host::Ipv4(v4) => self.permits(IpAddr::V4(*v4)),
                Host::Ipv6(v6) => self.permits(IpAddr::V6(*v6)),
                Host::Domain(_) => false,
            }
    }

    fn add(&mut self, entry: &str) -> Result<(), InvalidEntry> {
        let invalid = || InvalidEntry(entry.to_owned());
        if entry.contains('/') {
            self.networks.push(entry.parse().map_err(|_| invalid())?);
            return Ok(());
        }
        let (host, port) = match entry.rsplit_once(':') {
            // A bare IPv6 address has colons but no port.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| invalid())?))
            }
            Some(_) | None => (entry, None),
        };
        let bare_v6 = host.parse::<std::net::Ipv6Addr>().map(Host::Ipv6);
        let host = bare_v6.or_else(|_| Host::parse(host.trim_end_matches('.'))).map_err(|_| invalid())?;
        self.hosts.push((host, port));
        Ok(())
    }
}

/// Entries separated by commas or spaces, as a setting carries them.
impl FromStr for AllowList {
    type Err = InvalidEntry;

    fn from_str(s: &str) -> Result<Self, InvalidEntry> {
        let mut list = Self::default();
        for entry in s.split([',', ' ', '\n', '\t']).filter(|e| !e.is_empty()) {
            list.add(entry)?;
        }
        Ok(list)
    }
}

fn same_host(known: &Host<String>, host: &Host<&str>) -> bool {
    match (known, host) {
        (Host::Domain(a), Host::Domain(b)) => a == b.trim_end_matches('.'),
        (Host::Ipv4(a), Host::Ipv4(b)) => a == b,
        (Host::Ipv6(a), Host::Ipv6(b)) => a == b,
        (Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> AllowList {
        "localhost, 127.0.0.1:9555 crm.internal:8443,10.1.0.0/16, [::1]:80 fd00::5".parse().unwrap()
    }

    #[test]
    fn hosts_ports_and_networks() {
        for (host, port, want) in [
            ("localhost", 4000, true),
            ("LOCALHOST.", 80, true),
            ("127.0.0.1", 9555, true),
            ("127.0.0.1", 80, false),
            ("crm.internal", 8443, true),
            ("crm.internal", 443, false),
            ("x.crm.internal", 8443, false),
            ("10.1.2.3", 80, true),
            ("10.2.0.1", 80, false),
            ("[::1]", 80, true),
            ("[::1]", 81, false),
            ("[fd00::5]", 1, true),
            ("[::ffff:10.1.2.3]", 80, false),
        ] {
            let parsed = Host::parse(host).unwrap();
            let borrowed = match &parsed {
                Host::Domain(name) => Host::Domain(name.as_str()),
                Host::Ipv4(v4) => Host::Ipv4(*v4),
                Host::Ipv6(v6) => Host::Ipv6(*v6),
            };
            assert_eq!(list().trusts(&borrowed, port), want, "{host}:{port}");
        }
    }

    #[test]
    fn what_is_no_entry_is_named() {
        for bad in ["10.0.0.0/33", "host:port", "a b/c", "http://x", "[::1", "host:99999"] {
            assert!(bad.parse::<AllowList>().is_err(), "{bad}");
        }
        assert!("".parse::<AllowList>().unwrap().hosts.is_empty());
    }
}
