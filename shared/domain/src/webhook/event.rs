//! Events: their types, ids and bodies.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{AccountId, ContactId, Invalid};

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $schema:literal;)*) => {
        /// What a user can be told. Names never change; a field that changes its
        /// meaning or goes raises the schema version, a new field does not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventType {
            $($(#[$doc])* $variant,)*
        }

        impl EventType {
            /// Every type, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The version of the event's body.
            pub fn schema(self) -> u16 {
                match self { $(Self::$variant => $schema,)* }
            }
        }
    };
}

event_types! {
    /// A change that Meta reported, forwarded as Meta wrote it (SendApp,
    /// «Webhook di stato — WhatsApp Meta»). Its body is Meta's, not ours.
    MetaChange = "meta.change", 1;
    /// A text message came in on an SMS phone (SendApp, «Webhook di stato — SMS»).
    SmsReceived = "sms_received", 1;
    /// An SMS phone is no longer heard from.
    DeviceDisconnected = "device.disconnected", 1;
    /// An SMS phone is heard from again.
    DeviceReconnected = "device.reconnected", 1;
    /// An SMS phone was removed.
    DeviceDeleted = "device.deleted", 1;
    /// A contact wrote, on any channel.
    MessageReceived = "message.received", 1;
    /// A message of ours was sent, delivered, read, or failed.
    MessageStatus = "message.status", 1;
    /// A contact was stored for the first time.
    ContactCreated = "contact.created", 1;
    /// A contact changed.
    ContactUpdated = "contact.updated", 1;
    /// A contact asked for no more messages.
    ContactOptedOut = "contact.opted_out", 1;
    /// A contact asked for messages again.
    ContactOptedIn = "contact.opted_in", 1;
    /// No recipient of a campaign is pending or claimed any more.
    CampaignFinished = "campaign.finished", 1;
    /// A campaign stopped for a reason that only its owner can remove.
    CampaignFailed = "campaign.failed", 1;
    /// An endpoint is given up; told to the tenant's other endpoints.
    WebhookDisabled = "webhook.disabled", 1;
    /// The owner tries an endpoint.
    WebhookTest = "webhook.test", 1;
}

impl EventType {
    /// What `/api/sms/set_webhook` registers for.
    pub const SMS: [Self; 4] =
        [Self::SmsReceived, Self::DeviceDisconnected, Self::DeviceReconnected, Self::DeviceDeleted];

    /// Whether an endpoint may choose the type. A test goes to the endpoint that
    /// is tested, and a notice of disabling to all the others.
    pub fn can_be_chosen(self) -> bool {
        !matches!(self, Self::WebhookTest | Self::WebhookDisabled)
    }

    /// Whether the body is [`Event::body`]; a forwarded one is somebody else's.
    pub fn is_ours(self) -> bool {
        self != Self::MetaChange
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.iter().find(|kind| kind.as_str() == s.trim());
        known.copied().ok_or_else(|| Invalid::new("events", format!("`{}` is not an event", s.trim())))
    }
}

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
    /// What happened.
    pub kind: EventType,
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
    pub data: Map<String, Value>,
}

impl Event {
    /// The body: the same fields in every event, null where they do not apply.
    pub fn body(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "type": self.kind.as_str(),
            "schema": self.kind.schema(),
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
        f.debug_struct("Event").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        let names: BTreeSet<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), EventType::ALL.len());
        for kind in EventType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert!(kind.schema() >= 1);
        }
        assert_eq!("message.sent".parse::<EventType>().unwrap_err().field, "events");
    }

    #[test]
    fn the_contracts_names_are_kept() {
        let sms: Vec<&str> = EventType::SMS.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(sms, ["sms_received", "device.disconnected", "device.reconnected", "device.deleted"]);
    }

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
        let event = Event {
            id: EventId::of(EventType::WebhookTest, &["acme", "1"]),
            kind: EventType::WebhookTest,
            at: "2026-03-01T10:00:00Z".parse().unwrap(),
            account: Some(AccountId(7)),
            channel: None,
            contact: None,
            message: None,
            data: Map::new(),
        };
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
