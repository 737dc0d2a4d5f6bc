//! Webhooks that a person causes: messages, and the choice about marketing messages.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    clock::mix,
    errors::Error,
    ids::wamid,
    media,
    simulator::Simulator,
    state::{
        accounts::Number,
        journal::Line,
        limits::{WINDOW_MS, pair},
        world::World,
    },
    webhooks::{encode, envelope},
};

/// A message from a person, who has a phone number, a business-scoped user id, or both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Inbound {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Shorthand for a message of type text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Value>,
    /// The type, whose content stands in a field of the same name; `text` unless given.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The profile name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The receiving number; the first one unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
    /// The message id; a new one unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Seconds since the epoch; now unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    /// Put the business-scoped user id where the phone number would stand, as some webhooks do.
    pub user_id_in_from: bool,
    /// Everything else becomes part of the message: `image`, `interactive`, `context`, `referral`...
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A person's choice about marketing messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPreferences {
    pub from: String,
    pub value: Preference,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub phone_number_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    Stop,
    Resume,
}

const DEFAULT_NAME: &str = "Sheena Nelson";

impl Simulator {
    /// Sends a message from a person, opens the 24-hour window, and returns the message's id.
    ///
    /// # Errors
    /// When the person or the receiving number is missing, or the content of the type is.
    pub fn inbound(&self, inbound: Inbound) -> Result<String, Error> {
        let now_ms = self.now_ms();
        let id = {
            let world = &mut *self.world();
            let number = receiving_number(world, inbound.phone_number_id.as_deref())?;
            let person = Person::of(&inbound)?;
            let (id, message) = message(world, &inbound, &person, now_ms)?;
            for key in [&person.phone, &person.user_id].into_iter().flatten() {
                let window = (pair(&number.id, key), now_ms + WINDOW_MS);
                world.windows.open(window.0, window.1);
                world.remember(&Line::Window { pair: window.0, until_ms: window.1 });
            }
            let value = json!({
                "messaging_product": "whatsapp",
                "metadata": number.metadata(),
                "contacts": [person.contact(&inbound)],
                "messages": [message],
            });
            let body = envelope(world.accounts.account_of(&number.id), "messages", &value);
            world.push_hook(body, None, now_ms);
            id
        };
        self.shared.wake.notify_one();
        Ok(id)
    }

    /// Sends a person's choice about marketing messages.
    ///
    /// # Errors
    /// When no phone number is known.
    pub fn user_preferences(&self, choice: &UserPreferences) -> Result<(), Error> {
        let now_ms = self.now_ms();
        {
            let world = &mut *self.world();
            let number = receiving_number(world, choice.phone_number_id.as_deref())?;
            let person = choice.from.trim_start_matches('+');
            let verb = if choice.value == Preference::Stop { "stop" } else { "resume" };
            let value = json!({
                "messaging_product": "whatsapp",
                "metadata": number.metadata(),
                "contacts": [{
                    "profile": { "name": choice.name.as_deref().unwrap_or(DEFAULT_NAME) },
                    "wa_id": person,
                }],
                "user_preferences": [{
                    "wa_id": person,
                    "detail": format!("User requested to {verb} marketing messages"),
                    "category": "marketing_messages",
                    "value": choice.value,
                    "timestamp": now_ms / 1_000,
                }],
            });
            let body = envelope(world.accounts.account_of(&number.id), "user_preferences", &value);
            world.push_hook(body, None, now_ms);
        }
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Signs a whole webhook body and sends it as given: a string byte by byte, JSON as Meta writes it.
    pub fn raw_webhook(&self, raw: &Value) {
        let body = raw.as_str().map_or_else(|| encode(raw), |text| Bytes::from(text.to_owned()));
        let now_ms = self.now_ms();
        self.world().push_hook(body, None, now_ms);
        self.shared.wake.notify_one();
    }
}

fn receiving_number(world: &World, id: Option<&str>) -> Result<Number, Error> {
    let number = match id {
        Some(id) => world.accounts.known_number(id),
        None => world.accounts.first_number(),
    };
    let problem = || match id {
        Some(id) => format!("the phone number {id} is not known"),
        None => "no phone number is known yet: give phone_number_id after its first use".to_owned(),
    };
    number.cloned().ok_or_else(|| Error::Invalid(problem()))
}

struct Person {
    phone: Option<String>,
    user_id: Option<String>,
}

impl Person {
    fn of(inbound: &Inbound) -> Result<Self, Error> {
        let phone = inbound.from.as_deref().map(|from| from.trim_start_matches('+').to_owned());
        let user_id = inbound.user_id.clone();
        if phone.is_none() && user_id.is_none() {
            return Err(Error::Invalid("from or user_id is required".to_owned()));
        }
        Ok(Self { phone, user_id })
    }

    /// What stands in `from` and `wa_id`.
    fn sender<'a>(&'a self, inbound: &Inbound) -> Option<&'a String> {
        let id_instead = self.user_id.as_ref().filter(|_| inbound.user_id_in_from);
        self.phone.as_ref().or(id_instead)
    }

    fn contact(&self, inbound: &Inbound) -> Value {
        let mut contact = json!({ "profile": { "name": inbound.name.as_deref().unwrap_or(DEFAULT_NAME) } });
        if let Some(username) = &inbound.username {
            contact["profile"]["username"] = json!(username);
        }
        if let Some(sender) = self.sender(inbound) {
            contact["wa_id"] = json!(sender);
        }
        if let Some(user_id) = &self.user_id {
            contact["user_id"] = json!(user_id);
        }
        contact
    }
}

fn message(
    world: &mut World,
    inbound: &Inbound,
    person: &Person,
    now_ms: u64,
) -> Result<(String, Value), Error> {
    let kind = inbound.kind.as_deref().unwrap_or("text");
    let content = match (kind, &inbound.text) {
        ("text", Some(Value::String(text))) => Some(json!({ "body": text })),
        ("text", text) => text.clone(),
        (other, _) => inbound.rest.get(other).cloned(),
    };
    let id = match &inbound.id {
        Some(id) => id.clone(),
        None => {
            let seq = world.next_seq();
            let name = person.phone.as_deref().or(person.user_id.as_deref()).unwrap_or_default();
            wamid(name, mix(world.id_key ^ seq))
        }
    };
    let seconds = inbound.timestamp.unwrap_or(now_ms / 1_000);
    let mut message = Value::Object(inbound.rest.clone());
    message["id"] = json!(id);
    message["timestamp"] = json!(seconds.to_string());
    message["type"] = json!(kind);
    if let Some(sender) = person.sender(inbound) {
        message["from"] = json!(sender);
    }
    if let Some(user_id) = &person.user_id {
        message["from_user_id"] = json!(user_id);
    }
    match content {
        Some(content) => message[kind] = described(world, content, now_ms),
        // Meta tells about unsupported messages by their errors alone.
        None if kind == "unsupported" => {}
        None => return Err(Error::Invalid(format!("the message needs its content in the field {kind}"))),
    }
    Ok((id, message))
}

/// Adds what Meta tells about a medium that was uploaded to this simulator.
fn described(world: &World, mut content: Value, now_ms: u64) -> Value {
    let info = content.get("id").and_then(Value::as_str).and_then(|id| world.media.get(id));
    if let (Some(info), Some(fields)) = (info, content.as_object_mut()) {
        let node = media::node(world, info, "", now_ms);
        for name in ["mime_type", "sha256"] {
            fields.entry(name).or_insert_with(|| node[name].clone());
        }
    }
    content
}
