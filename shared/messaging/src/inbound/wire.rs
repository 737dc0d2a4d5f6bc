//! Meta's webhook values, read leniently: what is missing or new is no error.

use domain::PhoneNumber;
use domain::identity::Identity;
use domain::outcome::Reason;
use domain::recipient::Status;
use domain::sender::SenderId;
use serde_json::Value;

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|s| !s.is_empty())
}

/// The entries of a webhook.
pub(super) fn entries(body: &Value) -> &[Value] {
    body.get("entry").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The changes of an entry.
pub(super) fn changes_of(entry: &Value) -> &[Value] {
    entry.get("changes").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A list of a value; absent is empty.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Meta's timestamps are seconds in a string.
pub(super) fn timestamp_ms(value: &Value) -> Option<i64> {
    let seconds = value.get("timestamp")?;
    seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok())?.checked_mul(1_000)
}

/// The number that a value is about.
pub(super) fn number_of(value: &Value) -> Option<SenderId> {
    value.pointer("/metadata/phone_number_id").and_then(Value::as_str).map(SenderId::number)
}

/// A status of an outgoing message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatusReport<'a> {
    pub(super) provider_id: &'a str,
    pub(super) status: Status,
    pub(super) at_ms: Option<i64>,
    pub(super) callback: Option<&'a str>,
    pub(super) recipient: Option<&'a str>,
    /// The recipient's business-scoped id.
    pub(super) user_id: Option<&'a str>,
    pub(super) to_group: bool,
    /// The number that it left from.
    pub(super) sender: Option<SenderId>,
}

impl<'a> StatusReport<'a> {
    /// How Meta knows whom it reached, or is on its way to.
    pub(super) fn identities(&self) -> impl Iterator<Item = Identity> {
        let is_reached = matches!(self.status, Status::Sent | Status::Delivered) && !self.to_group;
        let number = self.recipient.and_then(|wa_id| PhoneNumber::from_wa_id(wa_id).ok());
        let number = number.as_ref().map(Identity::from);
        let user_id = self.user_id.map(|id| Identity::Bsuid(id.to_owned()));
        number.into_iter().chain(user_id).filter(move |_| is_reached)
    }

    /// Reads a status; one that says nothing about delivery is `None`.
    pub(super) fn read(value: &'a Value) -> Option<Self> {
        let status = match text(value, "status")? {
            "sent" => Status::Sent,
            "delivered" => Status::Delivered,
            "read" | "played" => Status::Read,
            "failed" => {
                let code = value.pointer("/errors/0/code").and_then(Value::as_i64);
                Status::Failed(Reason::meta(code.unwrap_or(0)))
            }
            _ => return None,
        };
        Some(Self {
            provider_id: text(value, "id")?,
            status,
            at_ms: timestamp_ms(value),
            callback: text(value, "biz_opaque_callback_data"),
            recipient: text(value, "recipient_id"),
            user_id: text(value, "recipient_user_id"),
            to_group: text(value, "recipient_type") == Some("group"),
            sender: None,
        })
    }
}

/// An inbound message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InboundMessage<'a> {
    pub(super) provider_id: &'a str,
    pub(super) kind: &'a str,
    /// The sender's phone number in digits, when it is known.
    pub(super) phone: Option<&'a str>,
    /// The sender's business-scoped id.
    pub(super) user_id: Option<&'a str>,
    /// Further ids of the sender: of the parent business, another spelling of the number.
    pub(super) others: Vec<&'a str>,
    /// The sender's profile name.
    pub(super) name: Option<&'a str>,
    /// It was written to a group.
    pub(super) in_group: bool,
    /// What there is to read.
    pub(super) text: Option<&'a str>,
    pub(super) at_ms: Option<i64>,
}

pub(super) fn is_phone(text: &str) -> bool {
    (7..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

impl<'a> InboundMessage<'a> {
    /// Reads the `nth` message of a value. The sender may have no phone number:
    /// then `from` or `wa_id` hold the business-scoped id, or are missing.
    pub(super) fn read(value: &'a Value, nth: usize) -> Option<Self> {
        let message = list(value, "messages").get(nth)?;
        let from = text(message, "from");
        let contacts = list(value, "contacts");
        let same = |c: &&Value| {
            let ids = [text(c, "wa_id"), text(c, "user_id")];
            from.or_else(|| text(message, "from_user_id")).is_some_and(|from| ids.contains(&Some(from)))
        };
        let contact = contacts.iter().find(same).or_else(|| contacts.first().filter(|_| contacts.len() == 1));
        let candidates = [from, contact.and_then(|c| text(c, "wa_id"))];
        let ids = [
            contact.and_then(|c| text(c, "user_id")),
            text(message, "from_user_id"),
            candidates.into_iter().flatten().find(|c| !is_phone(c)),
        ];
        let kind = text(message, "type").unwrap_or("unsupported");
        let phone = candidates.into_iter().flatten().find(|c| is_phone(c));
        let parents = [contact.and_then(|c| text(c, "parent_user_id")), text(message, "from_parent_user_id")];
        let others = parents.into_iter().chain(candidates).flatten().filter(|id| Some(*id) != phone);
        Some(Self {
            provider_id: text(message, "id")?,
            kind,
            phone,
            user_id: ids.into_iter().flatten().next(),
            others: others.collect(),
            in_group: text(message, "group_id").is_some(),
            name: contact.and_then(|c| c.pointer("/profile/name")).and_then(Value::as_str),
            text: readable(message, kind),
            at_ms: timestamp_ms(message),
        })
    }
}

pub(super) fn readable<'a>(message: &'a Value, kind: &str) -> Option<&'a str> {
    let at = |path: &str| message.pointer(path).and_then(Value::as_str);
    match kind {
        "text" => at("/text/body"),
        "button" => at("/button/text"),
        "interactive" => {
            at("/interactive/button_reply/title").or_else(|| at("/interactive/list_reply/title"))
        }
        "reaction" => at("/reaction/emoji"),
        "order" => at("/order/text").filter(|note| !note.trim().is_empty()),
        "system" => at("/system/body"),
        "edit" => {
            let edited = message.pointer("/edit/message")?;
            readable(edited, text(edited, "type").filter(|kind| *kind != "edit")?)
        }
        other => at(&format!("/{other}/caption")),
    }
}

/// The id of what was tapped: a button, a row of a list, a quick reply of a template.
pub(super) fn tapped(message: &Value) -> Option<&str> {
    let at = |path: &str| message.pointer(path).and_then(Value::as_str);
    let ids = ["/interactive/button_reply/id", "/interactive/list_reply/id", "/button/payload"];
    ids.into_iter().find_map(at)
}

/// A change of a recipient's marketing preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Preference<'a> {
    pub(super) phone: Option<&'a str>,
    pub(super) user_id: Option<&'a str>,
    pub(super) stop: bool,
    pub(super) at_ms: Option<i64>,
}

impl<'a> Preference<'a> {
    pub(super) fn read(value: &'a Value) -> Option<Self> {
        if text(value, "category").is_some_and(|c| c != "marketing_messages") {
            return None;
        }
        let stop = match text(value, "value").or_else(|| text(value, "marketing_messages"))? {
            "stop" => true,
            "resume" => false,
            _ => return None,
        };
        let wa_id = text(value, "wa_id");
        let not_phone = wa_id.filter(|id| !is_phone(id));
        let user_id = text(value, "user_id").or(not_phone);
        let (phone, at_ms) = (wa_id.filter(|id| is_phone(id)), timestamp_ms(value));
        Some(Self { phone, user_id, stop, at_ms })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sender_may_have_no_phone() {
        let with_phone = json!({
            "contacts": [{"wa_id": "393391234567", "user_id": "IT.1", "profile": {"name": "Mario"}}],
            "messages": [{"from": "393391234567", "id": "wamid.1", "type": "text", "text": {"body": "Ciao"}, "timestamp": "1700000000"}],
        });
        let message = InboundMessage::read(&with_phone, 0).unwrap();
        assert_eq!(
            (message.phone, message.user_id, message.name),
            (Some("393391234567"), Some("IT.1"), Some("Mario"))
        );
        assert_eq!((message.text, message.at_ms), (Some("Ciao"), Some(1_700_000_000_000)));
        for hidden in [
            json!({"contacts": [{"wa_id": "IT.1"}], "messages": [{"from": "IT.1", "id": "wamid.1", "type": "text"}]}),
            json!({"contacts": [{"user_id": "IT.1"}], "messages": [{"id": "wamid.1", "type": "image"}]}),
        ] {
            let message = InboundMessage::read(&hidden, 0).unwrap();
            assert_eq!((message.phone, message.user_id), (None, Some("IT.1")));
        }
    }

    #[test]
    fn statuses_are_read_and_unknown_ones_left_out() {
        let failed = json!({"id": "w", "status": "failed", "timestamp": "1", "errors": [{"code": 131026}]});
        assert_eq!(StatusReport::read(&failed).unwrap().status, Status::Failed(Reason::meta(131_026)));
        assert_eq!(StatusReport::read(&json!({"id": "w", "status": "played"})).unwrap().status, Status::Read);
        assert_eq!(StatusReport::read(&json!({"id": "w", "status": "deleted"})), None);
        assert_eq!(StatusReport::read(&json!({"status": "sent"})), None);
    }
}
