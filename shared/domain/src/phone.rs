//! Phone numbers, in one form however they are written.

use std::fmt;
use std::str::FromStr;

use crate::Invalid;

/// A phone number in E.164: `+`, a known calling code, 8 to 15 digits in all.
///
/// Only the calling code is checked, not the country's numbering plan: the
/// example numbers of the contracts would fail one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

/// A country's calling code, for numbers written in national form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallingCode(u16);

impl CallingCode {
    /// `39` or `+39`, as an account's setting carries it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let digits = text.trim().trim_start_matches('+');
        match digits.parse::<u16>() {
            Ok(code) if is_assigned(code) => Ok(Self(code)),
            Ok(_) | Err(_) => Err(Invalid::new("default_country", "is not a calling code such as 39")),
        }
    }

    /// The digits of the code.
    pub fn get(self) -> u16 {
        self.0
    }

    /// Italy, San Marino and the Vatican keep the leading zero of a national
    /// number; elsewhere it is a trunk prefix that is dropped.
    fn keeps_leading_zero(self) -> bool {
        matches!(self.0, 39 | 378 | 379)
    }
}

impl PhoneNumber {
    /// Reads a number as people write it: spaces and punctuation are dropped, a
    /// leading `00` is `+`. A number with a single leading zero takes
    /// `default_country`, and is refused without one.
    ///
    /// # Errors
    /// Names the field `phone`.
    pub fn parse(text: &str, default_country: Option<CallingCode>) -> Result<Self, Invalid> {
        let digits = digits_of(text)?;
        let international = if let Some(rest) = digits.strip_prefix("00") {
            rest.to_owned()
        } else if let Some(national) = digits.strip_prefix('0') {
            let country = default_country.ok_or_else(|| {
                Invalid::new("phone", "phone must start with a country code, such as +39 for Italy")
            })?;
            let national = if country.keeps_leading_zero() { digits.as_str() } else { national };
            format!("{}{national}", country.get())
        } else {
            digits
        };
        Self::from_digits(&international)
    }

    /// Reads a number that may lack its country code, as shop systems send it:
    /// without a `+` or `00` it takes `country`, unless it already begins with it.
    pub fn parse_national(text: &str, country: Option<CallingCode>) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        let (Some(country), false) = (country, trimmed.starts_with('+') || trimmed.starts_with("00")) else {
            return Self::parse(text, country);
        };
        let digits = digits_of(text)?;
        let code = country.get().to_string();
        if digits.starts_with('0') || (digits.starts_with(&code) && digits.len() >= code.len() + 8) {
            return Self::parse(text, Some(country));
        }
        Self::from_digits(&format!("{code}{digits}"))
    }

    fn from_digits(digits: &str) -> Result<Self, Invalid> {
        if !(8..=15).contains(&digits.len()) {
            return Err(Invalid::new("phone", "phone must have 8 to 15 digits with its country code"));
        }
        if digits.starts_with('0') || !has_calling_code(digits) {
            return Err(Invalid::new("phone", "phone must start with a valid country code, such as +39"));
        }
        Ok(Self(format!("+{digits}")))
    }

    /// With the leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the leading `+`, as Meta and some contracts write it.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// Whether the number belongs to the North American plan's code +1.
    pub fn is_north_american(&self) -> bool {
        self.digits().starts_with('1')
    }
}

fn digits_of(text: &str) -> Result<String, Invalid> {
    let mut digits = String::with_capacity(text.len());
    for (i, c) in text.trim().chars().enumerate() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if i == 0 => {}
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2011}' | '\u{202a}' | '\u{202c}' => {}
            _ => return Err(Invalid::new("phone", "phone may only contain digits, spaces and + - . ( ) /")),
        }
    }
    Ok(digits)
}

impl FromStr for PhoneNumber {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        Self::parse(s, None)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber(***{})", &self.0[self.0.len() - 2..])
    }
}

fn has_calling_code(digits: &str) -> bool {
    (1..=3).any(|n| digits.get(..n).and_then(|code| code.parse().ok()).is_some_and(is_assigned))
}

/// The country codes that ITU-T E.164 assigns (annex to the Operational Bulletin).
fn is_assigned(code: u16) -> bool {
    matches!(code,
        1 | 7 | 20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 86 | 90..=95 | 98
        | 211..=213 | 216 | 218 | 220..=258 | 260..=269 | 290 | 291 | 297..=299
        | 350..=359 | 370..=383 | 385..=387 | 389 | 420 | 421 | 423
        | 500..=509 | 590..=599 | 670 | 672..=683 | 685..=692
        | 800 | 808 | 850 | 852 | 853 | 855 | 856 | 870 | 878 | 880..=883 | 886 | 888
        | 960..=968 | 970..=977 | 979 | 992..=996 | 998)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn italy() -> Option<CallingCode> {
        Some(CallingCode(39))
    }

    #[test]
    fn reads_what_people_write() {
        for (text, want) in [
            ("+393391234567", "+393391234567"),
            ("393391234567", "+393391234567"),
            ("0039 339 123 4567", "+393391234567"),
            ("+39 (339) 123-45.67", "+393391234567"),
            (" 1234567890", "+1234567890"),
            ("+39111111111", "+39111111111"),
            ("919876543210", "+919876543210"),
        ] {
            assert_eq!(text.parse::<PhoneNumber>().unwrap().as_str(), want, "{text}");
        }
    }

    #[test]
    fn refuses_what_has_no_country_or_is_no_number() {
        for text in [
            "",
            "0391234567",
            "12",
            "+1234567",
            "1234567890123456",
            "abc",
            "+39XXXXXXXXXX",
            "+2101234567",
            "39+12345678",
        ] {
            assert_eq!(text.parse::<PhoneNumber>().unwrap_err().field, "phone", "{text}");
        }
    }

    #[test]
    fn national_form_takes_the_default_country() {
        assert_eq!(PhoneNumber::parse("02 1234567", italy()).unwrap().as_str(), "+39021234567");
        let uk = Some(CallingCode(44));
        assert_eq!(PhoneNumber::parse("07700 900123", uk).unwrap().as_str(), "+447700900123");
        assert_eq!(PhoneNumber::parse_national("339 1234567", italy()).unwrap().as_str(), "+393391234567");
        assert_eq!(PhoneNumber::parse_national("393391234567", italy()).unwrap().as_str(), "+393391234567");
        assert!(PhoneNumber::parse_national("555-555-5555", None).is_ok_and(|p| p.as_str() == "+5555555555"));
    }

    #[test]
    fn debug_shows_no_number() {
        let phone: PhoneNumber = "+393391234567".parse().unwrap();
        assert_eq!(format!("{phone:?}"), "PhoneNumber(***67)");
    }

    proptest! {
        #[test]
        fn never_panics_and_is_idempotent(text in "\\PC{0,24}") {
            if let Ok(phone) = text.parse::<PhoneNumber>() {
                prop_assert_eq!(phone.as_str().parse::<PhoneNumber>().unwrap(), phone);
            }
        }
    }
}
