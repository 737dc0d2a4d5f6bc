//! One-time codes: who repeats one has the number that it was sent to.

use std::fmt;

use crate::phone::LineKind;
use crate::{Entropy, Invalid, PhoneNumber};

/// Digits of a code.
pub const DIGITS: usize = 6;
/// How long a code is good, in milliseconds.
pub const LIFETIME_MS: i64 = 10 * 60 * 1_000;
/// How often it may be tried within [`WINDOW_MS`], whichever code it is then.
pub const TRIES: u64 = 5;
/// Codes that a number gets within [`WINDOW_MS`].
pub const SENDS: u64 = 5;
/// From the first code to a number on, how long its tries and codes are counted together, in
/// milliseconds.
pub const WINDOW_MS: i64 = 10 * 60 * 1_000;
/// Codes that a number gets within a day of UTC.
pub const SENDS_PER_DAY: u64 = 20;

/// Calling codes of no country, whose numbers are dear to reach: satellites, networks of ships
/// and planes, and premium rates across borders.
const DEAR: [u16; 6] = [870, 878, 881, 882, 883, 979];

/// A code of six digits.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(String);

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(***)")
    }
}

impl OneTimeCode {
    /// A new one.
    pub fn draw(entropy: &Entropy) -> Self {
        // Of 2^64 numbers, each of a million codes has as good as the same share.
        let number = u64::from_le_bytes(entropy.bytes()) % 1_000_000;
        Self(format!("{number:06}"))
    }

    /// Reads one as people type it, with spaces and hyphens.
    ///
    /// # Errors
    /// Names the field `code`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        match plain.len() == DIGITS && plain.bytes().all(|b| b.is_ascii_digit()) {
            true => Ok(Self(plain)),
            false => Err(Invalid::new("code", format!("code must have {DIGITS} digits"))),
        }
    }

    /// The digits, for whoever sends them or looks whether they are right.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Refuses numbers that nobody gets codes at, and that cost whoever writes to them: whoever has
/// them called earns by it.
///
/// # Errors
/// Names the field `to`.
pub fn check_number(number: &PhoneNumber) -> Result<(), Invalid> {
    let facts = number.facts();
    let refuse = |what: &str| Err(Invalid::new("to", format!("codes are not sent to {what} numbers")));
    match facts.kind {
        LineKind::PremiumRate => refuse("premium rate"),
        LineKind::SharedCost => refuse("shared cost"),
        LineKind::PersonalNumber => refuse("personal"),
        LineKind::Pager => refuse("pager"),
        LineKind::UniversalAccess => refuse("universal access"),
        LineKind::Voicemail => refuse("voice mail"),
        LineKind::FixedLine
        | LineKind::Mobile
        | LineKind::FixedLineOrMobile
        | LineKind::TollFree
        | LineKind::Voip
        | LineKind::Unknown => match DEAR.contains(&facts.calling_code) {
            true => refuse("satellite and international network"),
            false => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits_and_is_read_as_people_type_it() {
        let entropy = Entropy::seeded(7);
        for _ in 0..1_000 {
            let code = OneTimeCode::draw(&entropy);
            assert_eq!(OneTimeCode::parse(code.expose()).unwrap(), code);
            assert_eq!(format!("{code:?}"), "OneTimeCode(***)");
        }
        for text in [" 012 345 ", "012-345", "012345\n"] {
            assert_eq!(OneTimeCode::parse(text).unwrap().expose(), "012345", "{text:?}");
        }
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６", "12.345", "-12345"] {
            assert_eq!(OneTimeCode::parse(wrong).unwrap_err().field, "code", "{wrong}");
        }
    }

    #[test]
    fn dear_numbers_get_no_codes() {
        let check = |number: &str| check_number(&PhoneNumber::from_e164(number).unwrap());
        for dear in ["+39899123456", "+19002345678", "+447012345678", "+979123456789", "+881612345678"] {
            assert_eq!(check(dear).unwrap_err().field, "to", "{dear}");
        }
        for fine in ["+393391234567", "+12015550123", "+15551234567", "+390612345678", "+447400123456"] {
            check(fine).unwrap();
        }
    }
}
