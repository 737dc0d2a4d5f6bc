//! Events: their ids and bodies.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::catalog::{EventData, EventType};
use crate::{AccountId, ContactId, Invalid, TenantId};

/// The id of an event, made of the fact that it tells: the same fact, seen again
/// in a redelivered job, is the same event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(String);

impl EventId {
    /// An id out of what makes the fact unique: the tenant, and for instance the
    /// provider's message id and the status.
    pub fn of(kind: EventType, parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in std::iter::once(&kind.as_str()).chain(parts) {
            // With its length before it, a part cannot run into the next.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let hex: String = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
        Self(format!("evt_{hex}"))
    }

    /// `evt_` and 32 hexadecimal digits; the value of `webhook-id`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EventId {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let hex = s.strip_prefix("evt_").unwrap_or_default();
        if hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Self(s.to_owned()));
        }
        Err(Invalid::new("id", "is not an event's id"))
    }
}

/// An event of ours, as every receiver gets it.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// Made of the fact.
    pub id: EventId,
    /// When it happened, not when it is sent.
    pub at: Timestamp,
    /// The account it happened on.
    pub account: Option<AccountId>,
    /// `whatsapp`, `sms`, or a custom channel's name.
    pub channel: Option<String>,
    /// Whom it is about.
    pub contact: Option<ContactId>,
    /// Our id of the message; of a campaign's, what names it in the ledger.
    pub message: Option<String>,
    /// What is particular to the type.
    pub data: EventData,
}

impl Event {
    /// An event of `tenant` that happened at `at_ms` (milliseconds since 1970) and
    /// concerns nobody in particular. `fact` is what makes it unique within its type.
    pub fn new(tenant: &TenantId, fact: &[&str], at_ms: i64, data: EventData) -> Self {
        let parts: Vec<&str> = std::iter::once(tenant.as_str()).chain(fact.iter().copied()).collect();
        Self {
            id: EventId::of(data.kind(), &parts),
            at: Timestamp::from_millisecond(at_ms).unwrap_or_default(),
            account: None,
            channel: None,
            contact: None,
            message: None,
            data,
        }
    }

    /// What happened.
    pub fn kind(&self) -> EventType {
        self.data.kind()
    }

    /// The body: the same fields in every event, null where they do not apply.
    pub fn body(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "type": self.kind().as_str(),
            "schema": self.kind().schema(),
            "timestamp": self.at.to_string(),
            "account_id": self.account.map(|id| id.0),
            "channel": self.channel,
            "contact_id": self.contact.map(|id| id.0),
            "message_id": self.message,
            "data": self.data,
        })
    }
}

/// Events hold what people wrote, so only id and type are shown.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("id", &self.id).field("kind", &self.kind()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::catalog::WebhookTest;
    use super::*;

    #[test]
    fn the_same_fact_has_the_same_id_and_no_other_has() {
        let id = EventId::of(EventType::MessageStatus, &["acme", "wamid.1", "read"]);
        assert_eq!(id.as_str(), "evt_14af706e5e67b1eb9fa3c112dd80f4f3");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        for other in
            [&["acme", "wamid.1r", "ead"][..], &["acme", "wamid.1", "read", ""], &["acmewamid.1read"]]
        {
            assert_ne!(EventId::of(EventType::MessageStatus, other), id);
        }
        assert_ne!(EventId::of(EventType::MessageReceived, &["acme", "wamid.1", "read"]), id);
        assert!("evt_XYZ".parse::<EventId>().is_err());
    }

    #[test]
    fn a_body_always_has_the_same_fields() {
        let tenant = "acme".parse().unwrap();
        let at_ms = "2026-03-01T10:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        let data = EventData::WebhookTest(WebhookTest { endpoint: 1, name: String::new() });
        let mut event = Event::new(&tenant, &["1"], at_ms, data);
        assert_eq!(event.id, EventId::of(EventType::WebhookTest, &["acme", "1"]));
        event.account = Some(AccountId(7));
        let body = event.body();
        assert_eq!(body["type"], "webhook.test");
        assert_eq!(body["timestamp"], "2026-03-01T10:00:00Z");
        assert_eq!((&body["account_id"], &body["contact_id"]), (&json!(7), &Value::Null));
        assert_eq!(body.as_object().unwrap().len(), 9);
        assert!(!format!("{event:?}").contains("account"));
    }

    proptest! {
        #[test]
        fn ids_differ_when_parts_differ(
            a in prop::collection::vec("[a-c]{0,2}", 0..4),
            b in prop::collection::vec("[a-c]{0,2}", 0..4),
        ) {
            let id = |parts: &[String]| {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                EventId::of(EventType::ContactCreated, &parts)
            };
            prop_assert_eq!(id(&a) == id(&b), a == b);
        }
    }
}
