//! Where a tenant's events go.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::EventType;
use crate::{AccountId, Invalid};

/// Most endpoints of one tenant: every event looks at all of them.
pub const MAX_ENDPOINTS: usize = 50;
/// Longest name, in characters.
const MAX_NAME: usize = 255;

/// An endpoint, unique within its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u64);

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EndpointId {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("id", "id must be a positive integer");
        let digits = !s.is_empty() && s.len() <= 15 && s.bytes().all(|b| b.is_ascii_digit());
        if digits { s.parse().map(Self).map_err(|_| wrong()) } else { Err(wrong()) }
    }
}

/// What an endpoint was registered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// `/api/whatsapp-meta/set_webhook`: what Meta reports of an account, as it
    /// comes. One for each account.
    Meta(AccountId),
    /// `/api/sms/set_webhook`: what happens on an account's phones. One for each
    /// account.
    Sms(AccountId),
    /// A workflow: events of ours.
    Events {
        /// Only events of this account, and those of no account.
        account: Option<AccountId>,
        /// Only these; `None` is every event whose body is ours, later ones too.
        chosen: Option<BTreeSet<EventType>>,
    },
}

impl Purpose {
    /// The stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Meta(_) => "whatsapp-meta",
            Self::Sms(_) => "sms",
            Self::Events { .. } => "events",
        }
    }

    /// The account that it is limited to.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Meta(account) | Self::Sms(account) => Some(*account),
            Self::Events { account, .. } => *account,
        }
    }

    /// The events that it is told.
    pub fn events(&self) -> Vec<EventType> {
        match self {
            Self::Meta(_) => vec![EventType::MetaChange],
            Self::Sms(_) => EventType::SMS.to_vec(),
            Self::Events { chosen: Some(chosen), .. } => chosen.iter().copied().collect(),
            Self::Events { chosen: None, .. } => {
                EventType::ALL.iter().copied().filter(|kind| kind.can_be_chosen() && kind.is_ours()).collect()
            }
        }
    }
}

/// An endpoint of a tenant. Its signing keys are kept apart: few need them.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its number within the tenant.
    pub id: EndpointId,
    /// Its name, for people.
    pub name: String,
    /// Where events go.
    pub url: String,
    /// What it is told.
    pub purpose: Purpose,
    /// Whether its owner wants events at all.
    pub on: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// The path of a URL may hold a token.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Endpoint");
        shown.field("id", &self.id).field("purpose", &self.purpose).field("on", &self.on);
        shown.finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Whether it is told of an event of this kind on this account.
    pub fn wants(&self, kind: EventType, on_account: Option<AccountId>) -> bool {
        if !self.on {
            return false;
        }
        match &self.purpose {
            Purpose::Meta(account) => kind == EventType::MetaChange && on_account == Some(*account),
            Purpose::Sms(account) => EventType::SMS.contains(&kind) && on_account == Some(*account),
            Purpose::Events { account, chosen } => {
                let here = account.is_none() || on_account.is_none() || *account == on_account;
                let told = match (kind, chosen) {
                    (EventType::WebhookDisabled, _) => true,
                    (EventType::WebhookTest, _) => false,
                    (kind, Some(chosen)) => chosen.contains(&kind),
                    (kind, None) => kind.is_ours(),
                };
                here && told
            }
        }
    }
}

/// Checks the name of an endpoint.
///
/// # Errors
/// Names the field.
pub fn check_name(name: &str) -> Result<String, Invalid> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Invalid::new("name", format!("name must have 1 to {MAX_NAME} characters")));
    }
    Ok(name.to_owned())
}

/// Reads the names of the events that an endpoint wants; `*` and an empty list
/// are all of ours.
///
/// # Errors
/// Names what is no event, or cannot be chosen.
pub fn chosen(names: &[String]) -> Result<Option<BTreeSet<EventType>>, Invalid> {
    if names.is_empty() || names.iter().any(|name| name.trim() == "*") {
        return Ok(None);
    }
    let choose = |name: &String| {
        let kind: EventType = name.parse()?;
        let told = || Invalid::new("events", format!("events must not contain {kind}: it is always told"));
        if kind.can_be_chosen() { Ok(kind) } else { Err(told()) }
    };
    names.iter().map(choose).collect::<Result<BTreeSet<_>, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<AccountId> = Some(AccountId(1));
    const THERE: Option<AccountId> = Some(AccountId(2));

    fn endpoint(purpose: Purpose) -> Endpoint {
        Endpoint {
            id: EndpointId(1),
            name: "CRM".to_owned(),
            url: "https://example.com/?token=t".to_owned(),
            purpose,
            on: true,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn each_is_told_what_it_was_registered_for() {
        use EventType as E;
        let meta = endpoint(Purpose::Meta(AccountId(1)));
        let sms = endpoint(Purpose::Sms(AccountId(1)));
        let all = endpoint(Purpose::Events { account: None, chosen: None });
        let some = chosen(&["message.received".to_owned(), "meta.change".to_owned()]).unwrap();
        let some = endpoint(Purpose::Events { account: HERE, chosen: some });
        for (to, kind, account, want) in [
            (&meta, E::MetaChange, HERE, true),
            (&meta, E::MetaChange, THERE, false),
            (&meta, E::MessageReceived, HERE, false),
            (&sms, E::DeviceDeleted, HERE, true),
            (&sms, E::SmsReceived, THERE, false),
            (&all, E::MetaChange, HERE, false),
            (&all, E::ContactCreated, None, true),
            (&all, E::SmsReceived, THERE, true),
            (&all, E::WebhookTest, None, false),
            (&some, E::MessageReceived, HERE, true),
            (&some, E::MessageReceived, THERE, false),
            (&some, E::MetaChange, HERE, true),
            (&some, E::ContactCreated, None, false),
            (&some, E::WebhookDisabled, None, true),
        ] {
            assert_eq!(to.wants(kind, account), want, "{:?} {kind}", to.purpose);
        }
        let off = Endpoint { on: false, ..all };
        assert!(!off.wants(E::ContactCreated, None));
        assert!(!format!("{off:?}").contains("token"));
    }

    #[test]
    fn what_cannot_be_chosen_is_named() {
        assert_eq!(chosen(&["*".to_owned()]), Ok(None));
        assert_eq!(chosen(&["nope".to_owned()]).unwrap_err().field, "events");
        assert!(chosen(&["webhook.test".to_owned()]).is_err());
        assert!(check_name("  ").is_err() && check_name(&"x".repeat(256)).is_err());
        assert_eq!("12".parse(), Ok(EndpointId(12)));
        assert!("-1".parse::<EndpointId>().is_err() && "".parse::<EndpointId>().is_err());
    }
}
