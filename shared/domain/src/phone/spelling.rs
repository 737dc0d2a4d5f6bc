//! Numbers that countries changed, of which both spellings go about.
//!
//! Brazil put a 9 before its mobile numbers, Mexico dropped the 1 behind its code,
//! Argentina has a 9 there only when one calls from abroad. WhatsApp's ids of people keep
//! the old spelling, or the other one (Meta, «Phone number formats»).

use std::fmt;

use super::PhoneNumber;

/// What is the same for all spellings of one number: people are found by it. It is
/// written as a number in E.164, so that most numbers are their own.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneKey(String);

impl PhoneKey {
    /// With the leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The other spellings of the number, in which something may have been written down
    /// before each number had one key.
    pub fn older_spellings(&self) -> Vec<String> {
        let digits = &self.0[1..];
        let older = match (digits.get(..2), digits.len()) {
            (Some("55"), 13) => {
                let (area, number) = digits.split_at(4);
                number
                    .strip_prefix('9')
                    .filter(|old| old.starts_with(['6', '7', '8', '9']))
                    .map(|old| format!("+{area}{old}"))
            }
            (Some("52"), 12) => Some(format!("+521{}", &digits[2..])),
            (Some("54"), 12) => Some(format!("+549{}", &digits[2..])),
            _ => None,
        };
        older.into_iter().collect()
    }
}

impl fmt::Debug for PhoneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneKey(***)")
    }
}

impl From<&PhoneNumber> for PhoneKey {
    fn from(number: &PhoneNumber) -> Self {
        number.key()
    }
}

impl PhoneNumber {
    /// Whose number it is, however it is written.
    pub fn key(&self) -> PhoneKey {
        let current = self.clone().current();
        PhoneKey(match current.digits().strip_prefix("549") {
            Some(rest) if rest.len() == 10 => format!("+54{rest}"),
            Some(_) | None => current.0,
        })
    }

    /// As the country writes it today. Whether an Argentinian number is a mobile one its
    /// digits do not tell, so that its 9 neither comes nor goes.
    #[must_use]
    pub fn current(self) -> Self {
        let digits = self.digits();
        if let Some(rest) = digits.strip_prefix("55")
            && let (area, number) = rest.split_at_checked(2).unwrap_or_default()
            && number.len() == 8
            && number.starts_with(['6', '7', '8', '9'])
        {
            return Self(format!("+55{area}9{number}"));
        }
        match digits.strip_prefix("521") {
            Some(rest) if rest.len() == 10 => Self(format!("+52{rest}")),
            Some(_) | None => self,
        }
    }

    /// The spelling that tells more: a 9 behind Argentina's code says that it is a mobile
    /// number. Both must be of one key.
    #[must_use]
    pub fn or_clearer(self, other: &Self) -> Self {
        if other.digits().starts_with("549") { other.clone() } else { self }
    }
}
