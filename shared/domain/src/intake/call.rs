//! What the owner of an account sees of the calls of its integrations' address.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use ulid::Ulid;

use crate::{ContactId, Invalid};

/// A call. Newer ones sort behind older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub Ulid);

impl CallId {
    /// When the call came.
    pub fn at(self) -> Timestamp {
        let ms = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
    }

    /// The least id of a call that comes at `at`.
    pub fn first_at(at: Timestamp) -> Self {
        Self(Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap_or(0), 0))
    }

    /// The greatest id that sorts before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(Ulid(self.0.0.saturating_sub(1)))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CallId {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        Ulid::from_string(s.trim()).map(Self).map_err(|_| Invalid::new("id", "id is not a call's id"))
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntakeOutcome {
    /// It brought at least one contact.
    Ok,
    /// It brought none.
    Ignored,
    /// Its signature does not fit.
    Refused,
}

impl IntakeOutcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Ignored, Self::Refused];

    /// As it is stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        }
    }

    /// How many calls of an account are listed in an hour, so that nobody who knows
    /// its address fills the table.
    pub fn listed_in_an_hour(self) -> u64 {
        match self {
            Self::Ok => 10_000,
            Self::Ignored | Self::Refused => 100,
        }
    }
}

/// A call as it is listed: nothing of the body but its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeCall {
    /// Its id, which has its time.
    pub id: CallId,
    /// The tag of its contacts.
    pub source: String,
    /// What became of it.
    pub outcome: IntakeOutcome,
    /// Why there is no contact, or what of the contacts was left out.
    pub reason: Option<String>,
    /// The contacts that it brought, or changed.
    pub contacts: Vec<ContactId>,
    /// The size of its body.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let at: Timestamp = "2026-07-01T08:00:00.123Z".parse().unwrap();
        let first = CallId::first_at(at);
        assert_eq!((first.at(), first.to_string().parse()), (at, Ok(first)));
        assert!(first.previous() < first && first.previous().at() < at);
        assert_eq!(CallId(Ulid(u128::MAX)).at(), Timestamp::MAX);
        assert_eq!("nobody".parse::<CallId>().unwrap_err().field, "id");
    }
}
