//! Webhooks: their bodies and their signature.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::state::{outbox::Content, templates::Template, world::World};

/// The envelope around every webhook.
pub(super) fn envelope(account: &str, field: &str, value: &Value) -> Bytes {
    encode(&json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": account, "changes": [{ "value": value, "field": field }] }],
    }))
}

/// JSON as Meta sends it: everything outside ASCII is escaped.
pub(super) fn encode(body: &Value) -> Bytes {
    let text = body.to_string();
    if text.is_ascii() {
        return Bytes::from(text);
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    let mut units = [0u16; 2];
    for char in text.chars() {
        if char.is_ascii() {
            escaped.push(char);
        } else {
            for unit in char.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    Bytes::from(escaped)
}

/// The value of `X-Hub-Signature-256`.
pub(super) fn signature(app_secret: &str, body: &[u8]) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()) else { return String::new() };
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().fold("sha256=".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The webhook about a template's new status. Unlike those about messages, its entry says
/// when it came about
/// (<https://developers.facebook.com/docs/whatsapp/business-management-api/webhooks/components>).
pub(super) fn template_status(template: &Template, event: &str, reason: &str, now_ms: u64) -> Bytes {
    let id: Value = template.id.parse::<u64>().map_or_else(|_| json!(template.id), |id| json!(id));
    let value = json!({
        "event": event,
        "message_template_id": id,
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": template.category.name(),
        "reason": reason,
    });
    let change = json!({ "value": value, "field": "message_template_status_update" });
    encode(&json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": template.account, "time": now_ms / 1_000, "changes": [change] }],
    }))
}

/// The body of a request; the same content always gives the same bytes.
pub(super) fn body(world: &World, content: &Content) -> Bytes {
    match content {
        Content::Hook { body, .. } => body.clone(),
        Content::Statuses { number, steps } => {
            let statuses: Vec<Value> = steps
                .iter()
                .filter_map(|(message, step)| Some(message.status(*message.plan.get(usize::from(*step))?)))
                .collect();
            let metadata = world.accounts.known_number(number).map(|number| number.metadata());
            let value =
                json!({ "messaging_product": "whatsapp", "metadata": metadata, "statuses": statuses });
            envelope(world.accounts.account_of(number), "messages", &value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_the_escaped_bytes() {
        let body = encode(&json!({ "a": "é" }));
        assert_eq!(&body[..], br#"{"a":"\u00e9"}"#);
        // From `openssl dgst -sha256 -hmac secret`.
        let expected = "c0b240d8a0eff6d060a852938278e6857d51c06d9a5be3160043a150e0f5e5b5";
        assert_eq!(signature("secret", &body), format!("sha256={expected}"));
        assert_eq!(&encode(&json!("👍"))[..], br#""\ud83d\udc4d""#);
    }
}
