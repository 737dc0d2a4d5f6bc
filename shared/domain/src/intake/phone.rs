//! Phone numbers as shops and forms pass them on.

use crate::{CallingCode, Invalid, PhoneNumber};

/// A number without a `+` and without a known country is taken for a whole one
/// from this many digits: fewer are a national number of somewhere.
const MIN_WHOLE: usize = 11;

/// Reads a number that may be in national form (RULES, Phones): it takes
/// `country`, and is refused when there is none.
pub(super) fn parse(text: &str, country: Option<CallingCode>) -> Result<PhoneNumber, Invalid> {
    let text = clean(text);
    if text.starts_with('+') || text.starts_with("00") {
        return PhoneNumber::parse(&text.replace("(0)", ""), None);
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    match country {
        None if digits < MIN_WHOLE => {
            Err(Invalid::new("phone", "phone has no country code and the account has no default country"))
        }
        // Italian mobile numbers have ten digits and begin with 3, some with 39.
        Some(italy) if italy.get() == 39 && digits == 10 && text.starts_with('3') => {
            PhoneNumber::parse(&format!("+39{text}"), None)
        }
        Some(_) | None => PhoneNumber::parse_national(&text, country),
    }
}

/// Without `tel:`, marks of writing direction, extensions; with plain digits.
fn clean(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("tel:").or_else(|| text.strip_prefix("whatsapp:")).unwrap_or(text);
    let plain: String = text.chars().filter_map(plain).collect();
    let lower = plain.to_ascii_lowercase();
    let end =
        [";", "ext", "x", "#", "int"].iter().filter_map(|mark| lower.find(mark)).filter(|at| *at > 0).min();
    plain[..end.unwrap_or(plain.len())].trim().to_owned()
}

fn plain(c: char) -> Option<char> {
    match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => None,
        '\u{ff10}'..='\u{ff19}' => char::from_digit(u32::from(c) - 0xff10, 10),
        '\u{ff0b}' => Some('+'),
        '\u{2010}'..='\u{2015}' => Some('-'),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, country: &str) -> Option<String> {
        parse(text, CallingCode::parse(country).ok()).ok().map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn national_numbers_take_the_country() {
        for (text, country, want) in [
            ("339 1234567", "39", Some("+393391234567")),
            ("3931234567", "39", Some("+393931234567")),
            ("393391234567", "39", Some("+393391234567")),
            ("02 1234567", "39", Some("+39021234567")),
            ("+44 (0)7700 900123", "39", Some("+447700900123")),
            ("0044 7700 900123", "39", Some("+447700900123")),
            ("07700 900123", "44", Some("+447700900123")),
            ("(555) 555-5555", "1", Some("+15555555555")),
            ("+1 555-625-1199 ext. 12", "39", Some("+15556251199")),
            ("555-625-1199x3", "1", Some("+15556251199")),
            ("tel:+393391234567", "", Some("+393391234567")),
            ("\u{202a}+39\u{a0}339\u{2011}1234567\u{202c}", "", Some("+393391234567")),
            ("\u{ff0b}３９３３９１２３４５６７", "", Some("+393391234567")),
            ("393391234567", "", Some("+393391234567")),
            ("555-555-5555", "", None),
            ("0391234567", "", None),
            ("call me", "39", None),
            ("", "39", None),
        ] {
            assert_eq!(read(text, country).as_deref(), want, "{text} {country}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}", country in 0u16..999) {
            let _ = parse(&text, CallingCode::parse(&country.to_string()).ok());
        }
    }
}
