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
    pub(super) fn current(self) -> Self {
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

    /// Every spelling in which something may have been written down under this number, its
    /// own first.
    pub fn spellings(&self) -> Vec<Self> {
        let digits = self.digits();
        let mut spellings = vec![self.clone()];
        let key = self.key().0;
        let other = match digits.get(..2) {
            Some("55") if key.len() == 14 && digits.len() == 13 => {
                let number = &digits[5..];
                (digits.as_bytes()[4] == b'9' && number.starts_with(['6', '7', '8', '9']))
                    .then(|| format!("+{}{number}", &digits[..4]))
            }
            Some("52") if key.len() == 13 => Some(format!("+521{}", &key[3..])),
            Some("54") if key.len() == 13 => Some(format!("+549{}", &key[3..])),
            Some(_) | None => None,
        };
        for spelling in other.into_iter().chain([key]).map(Self) {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
        spellings
    }
}
