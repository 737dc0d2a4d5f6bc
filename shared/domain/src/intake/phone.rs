//! Phone numbers as shops and forms pass them on.

use crate::phone::Reading;
use crate::{CallingCode, Invalid, PhoneNumber};

/// Reads a number that may be in national form (RULES, Phones): of the country beside it, which
/// is surely its own, or else of the account's.
pub(super) fn read(
    text: &str,
    home: Option<CallingCode>,
    default: Option<CallingCode>,
) -> Result<Reading, Invalid> {
    match home {
        Some(home) => PhoneNumber::read_at_home(text, home),
        None => PhoneNumber::read_typed(text, default),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, country: &str) -> Option<String> {
        super::read(text, None, CallingCode::parse(country).ok())
            .ok()
            .map(|reading| reading.number.as_str().to_owned())
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
            let country = CallingCode::parse(&country.to_string()).ok();
            let _ = (super::read(&text, None, country), super::read(&text, country, None));
        }
    }
}
