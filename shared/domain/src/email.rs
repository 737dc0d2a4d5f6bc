//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use email_address::Options;

use crate::Invalid;

/// An e-mail address as its owner wrote it. Two that differ only in case are
/// the same contact's.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form by which a contact is found.
    pub fn identity(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for EmailAddress {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let s = s.trim();
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        match email_address::EmailAddress::parse_with_options(s, options) {
            Ok(_) if s.len() <= 254 && plausible(s) => Ok(Self(s.to_owned())),
            Ok(_) | Err(_) => Err(Invalid::new("email", "email is not a valid e-mail address")),
        }
    }
}

fn plausible(s: &str) -> bool {
    !s.chars().any(|c| c.is_control() || c.is_whitespace())
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_addresses_and_refuses_the_rest() {
        for good in ["mario@example.com", " Bob@Example.co.uk ", "a+b@x-y.it", "jon.snow@sub.example.org"] {
            assert!(good.parse::<EmailAddress>().is_ok(), "{good}");
        }
        for bad in
            ["", "mario", "@example.com", "a@b", "a b@example.com", "a@@example.com", "x@.com", "<a@b.it>"]
        {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
        assert_eq!("Bob@Example.com".parse::<EmailAddress>().unwrap().identity(), "bob@example.com");
    }
}
