//! Ids: of tenants, accounts, contacts, campaigns and messages.

use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

use crate::Invalid;

/// One customer: the owner of an API key. Lower-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(String);

impl TenantId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let fits = !s.is_empty()
            && s.len() <= 40
            && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(s.to_owned())) } else { Err(Invalid::new("tenant", "is not a tenant's id")) }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(s: &str) -> Result<Self, Invalid> {
                let s = s.trim();
                if s.is_empty() || s.len() > 15 || !s.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(Invalid::new($field, concat!($field, " must be a positive integer")));
                }
                s.parse().map(Self).map_err(|_| {
                    Invalid::new($field, concat!($field, " must be a positive integer"))
                })
            }
        }
    };
}

number_id!(
    /// A contact, unique within its tenant; ascending in order of creation.
    ContactId,
    "id"
);
number_id!(
    /// A campaign, unique within its tenant.
    CampaignId,
    "campaign_id"
);
number_id!(
    /// An account (bot or channel) of a tenant.
    AccountId,
    "account_id"
);
number_id!(
    /// A label of a tenant; ascending in order of creation.
    LabelId,
    "label_id"
);
number_id!(
    /// A list of contacts; ascending in order of creation.
    ListId,
    "list_id"
);
number_id!(
    /// A plan that whoever runs the installation defined.
    PlanId,
    "plan_id"
);

impl AccountId {
    /// Stands where a message belongs to no account: those of custom channels.
    /// Accounts count from 1.
    pub const NONE: Self = Self(0);

    /// The account, unless it is [`AccountId::NONE`].
    pub fn known(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// The latest time that a ULID can hold.
const MAX_MS: u64 = (1 << Ulid::TIME_BITS) - 1;

/// A message of ours. Sorts by time of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub Ulid);

impl MessageId {
    /// The lowest id of a time, in milliseconds since 1970.
    pub fn first_of(ms: i64) -> Self {
        let ms = u64::try_from(ms).unwrap_or(0).min(MAX_MS);
        Self(Ulid::from_parts(ms, 0))
    }

    /// An id of a time that is told from others of that time by a number.
    pub fn numbered(ms: i64, number: u64) -> Self {
        Self(Ulid(Self::first_of(ms).0.0 + u128::from(number)))
    }

    /// The next lower id; the lowest of all has none.
    pub fn before(self) -> Option<Self> {
        self.0.0.checked_sub(1).map(|id| Self(Ulid(id)))
    }

    /// When the message was created, in milliseconds since 1970.
    pub fn timestamp_ms(self) -> i64 {
        i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        Ulid::from_string(s).map(Self).map_err(|_| Invalid::new("id", "is not a message's id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_time_follow_those_before_it() {
        let first = MessageId::first_of(1_782_892_800_000);
        assert_eq!(first.timestamp_ms(), 1_782_892_800_000);
        assert_eq!(first.before().unwrap().timestamp_ms(), 1_782_892_799_999);
        assert_eq!(MessageId::first_of(-1), MessageId::first_of(0));
        assert_eq!(MessageId::first_of(0).before(), None);
        assert_eq!(MessageId::first_of(i64::MAX).timestamp_ms(), (1 << 48) - 1);
    }
}
