//! Phone numbers as shops and forms pass them on.

use super::fields::Beside;
use super::values::with_prefixes;
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

/// Reads a number of a table with what stands beside it: its country, its area code; else it is
/// of the country `default`.
///
/// # Errors
/// Names `phone`, or `country` when that is none that we know and the number does not say its
/// own.
pub fn read_beside(
    text: &str,
    beside: &[(Beside, &str)],
    default: Option<CallingCode>,
) -> Result<Reading, Invalid> {
    let (number, home) = with_prefixes(text, beside);
    let country = beside.iter().find(|(kind, text)| *kind == Beside::Country && !text.trim().is_empty());
    match country {
        // Completed by the account's country, it would be a stranger's.
        Some((_, country)) if home.is_none() && PhoneNumber::read(&number, None).is_err() => {
            let country: String = country.trim().chars().take(40).collect();
            let message =
                format!("country: {country} is no country that we know: name it, or give its two letters");
            Err(Invalid::new("country", message))
        }
        Some(_) | None => match home {
            Some(home) => PhoneNumber::read_at_home(&number, home),
            None if default.is_some() => PhoneNumber::read(&number, default),
            // Somebody typed it, and thought of their own country.
            None => PhoneNumber::read_typed(&number, None),
        },
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
