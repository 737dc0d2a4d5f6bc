//! Phone numbers, in one form however they are written.
//!
//! `clean` makes plain characters of what people paste, `read` finds the one number in
//! it, `plan` knows the countries' numbering plans, and `facts` tells what they say.

mod clean;
mod country;
mod facts;
mod plan;
mod read;
mod spelling;
#[cfg(test)]
mod tests;
pub(crate) mod zones;

use std::fmt;
use std::str::FromStr;

pub use facts::{LineKind, PhoneFacts};
pub use plan::CallingCode;
pub use read::{LeftOut, Reading};
pub use spelling::PhoneKey;

use crate::Invalid;

/// A phone number in E.164: `+`, a known calling code, 8 to 15 digits in all.
///
/// Only the calling code is checked, not whether the country's plan has such a number: the
/// example numbers of the contracts would fail. Two numbers are equal when they are written
/// alike; whose they are, [`PhoneNumber::key`] tells.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number as people write it, paste it and export it. One without a country
    /// code is completed with `country` by its numbering plan.
    ///
    /// # Errors
    /// Names the field `phone`, and never guesses: what could be two numbers is refused
    /// with both.
    pub fn read(text: &str, country: Option<CallingCode>) -> Result<Reading, Invalid> {
        read::read(text, country, read::Writer::Caller)
    }

    /// Reads a number that somebody typed into a form or a shop, who thinks of their own
    /// country: without `+`, without `country` and shorter than 11 digits it is a national
    /// number of nobody knows where.
    ///
    /// # Errors
    /// As [`PhoneNumber::read`].
    pub fn read_typed(text: &str, country: Option<CallingCode>) -> Result<Reading, Invalid> {
        read::read(text, country, read::Writer::Person)
    }

    /// Reads a number that somebody typed beside the country of their address: of two
    /// readings it is the national one.
    ///
    /// # Errors
    /// As [`PhoneNumber::read`].
    pub fn read_at_home(text: &str, home: CallingCode) -> Result<Reading, Invalid> {
        read::read(text, Some(home), read::Writer::Resident)
    }

    /// The number of [`PhoneNumber::read`], whatever was left out.
    ///
    /// # Errors
    /// As [`PhoneNumber::read`].
    pub fn parse(text: &str, country: Option<CallingCode>) -> Result<Self, Invalid> {
        Ok(Self::read(text, country)?.number)
    }

    /// A number that we wrote down ourselves, as it is.
    ///
    /// # Errors
    /// Names the field `phone` when it is none of ours.
    pub fn from_e164(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        if digits.bytes().any(|b| !b.is_ascii_digit()) {
            return Err(Invalid::new("phone", "phone must be in E.164, such as +393391234567"));
        }
        Self::from_digits(digits)
    }

    /// A number as WhatsApp writes it: with its country code, digits alone.
    ///
    /// # Errors
    /// Names the field `phone` when it is none.
    pub fn from_wa_id(digits: &str) -> Result<Self, Invalid> {
        Self::from_e164(&format!("+{digits}")).map(Self::current)
    }

    fn from_digits(digits: &str) -> Result<Self, Invalid> {
        if !(8..=15).contains(&digits.len()) {
            return Err(Invalid::new("phone", "phone must have 8 to 15 digits with its country code"));
        }
        if plan::split(digits).is_none() {
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
