//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use email_address::Options;

use crate::Invalid;
use crate::phone::LeftOut;

/// An e-mail address as its owner wrote it. Two that differ only in case are
/// the same contact's.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the address in a text as people write it, paste it and export it: in brackets behind
    /// a name, in a link, with a word beside it. Of several the first that is one is taken.
    ///
    /// # Errors
    /// Names the field `email` when there is none.
    pub fn read(text: &str) -> Result<EmailReading, Invalid> {
        let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        // Most are nothing else.
        if let Ok(address) = text.parse() {
            return Ok(EmailReading { address, left_out: None });
        }
        let is_between = |c: char| c.is_whitespace() || ",;|<>()[]{}\"".contains(c);
        let words = text.split(is_between).filter(|word| word.contains('@'));
        let mut found = words.flat_map(in_word);
        let address =
            found.next().ok_or_else(|| Invalid::new("email", "email is not a valid e-mail address"))?;
        let has_others = found.any(|other| other.identity() != address.identity());
        Ok(EmailReading { address, left_out: has_others.then_some(LeftOut::OtherEmail) })
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

/// An address, and what else the text had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailReading {
    /// The address.
    pub address: EmailAddress,
    /// What the text had besides.
    pub left_out: Option<LeftOut>,
}

/// Addresses in a word without spaces: one in a link, or two with a stroke between them.
fn in_word(word: &str) -> Vec<EmailAddress> {
    let word = word.trim_matches(|c: char| "'`:.\u{2018}\u{2019}\u{201c}\u{201d}\u{ab}\u{bb}".contains(c));
    let link = word.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    let word = if link.is_some() { word[7..].split('?').next().unwrap_or_default() } else { word };
    match word.parse() {
        Ok(address) => vec![address],
        Err(_) => word.split('/').filter_map(|part| part.parse().ok()).collect(),
    }
}

/// Marks that come along when a text is copied.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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

    #[test]
    fn the_first_address_of_a_text_is_taken() {
        for (text, want, has_others) in [
            ("a@x.it", "a@x.it", false),
            ("a@x.it, b@x.it", "a@x.it", true),
            ("a@x.it; b@x.it", "a@x.it", true),
            ("a@x.it;A@x.it", "a@x.it", false),
            ("a@x.it ::: b@x.it", "a@x.it", true),
            ("a@x.it / b@x.it", "a@x.it", true),
            ("a@x.it/b@x.it", "a@x.it", true),
            ("a@x.it\nb@x.it", "a@x.it", true),
            ("Ada Neri <a@x.it>", "a@x.it", false),
            ("\"Neri, Ada\" <a@x.it>", "a@x.it", false),
            ("Ada Neri (a@x.it)", "a@x.it", false),
            ("mailto:a@x.it", "a@x.it", false),
            ("MAILTO:a@x.it?subject=Hi", "a@x.it", false),
            ("[a@x.it](mailto:a@x.it)", "a@x.it", false),
            ("a@x.it (work)", "a@x.it", false),
            ("Email: a@x.it.", "a@x.it", false),
            ("'a@x.it'", "a@x.it", false),
            ("o'brien@x.it", "o'brien@x.it", false),
            ("\u{200b}a@x.it\u{feff}\u{a0}", "a@x.it", false),
            ("ada@, b@x.it", "b@x.it", false),
        ] {
            let reading = EmailAddress::read(text).unwrap();
            assert_eq!(reading.address.as_str(), want, "{text}");
            assert_eq!(reading.left_out, has_others.then_some(LeftOut::OtherEmail), "{text}");
        }
        for text in ["", "ada", "ada@", "a b@example", "@x.it, @y.it"] {
            assert_eq!(EmailAddress::read(text).unwrap_err().field, "email", "{text}");
        }
    }
}
