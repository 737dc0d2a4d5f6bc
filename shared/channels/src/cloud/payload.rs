//! A message as Meta's API wants it.

use domain::message::{Address, Content, MediaSource};
use serde_json::{Map, Value, json};

/// The body of `POST /{phone-number-id}/messages`
/// (<https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/message-api>).
pub fn payload(to: &Address, said: &Content, callback: &str) -> Value {
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), "whatsapp".into());
    body.insert("recipient_type".to_owned(), "individual".into());
    match to {
        Address::Phone(phone) => body.insert("to".to_owned(), phone.digits().into()),
        Address::Bsuid(_) | Address::Custom(_) => body.insert("recipient".to_owned(), to.id().into()),
    };
    let (kind, object) = content(said);
    body.insert("type".to_owned(), kind.into());
    body.insert(kind.to_owned(), object);
    body.insert("biz_opaque_callback_data".to_owned(), callback.into());
    Value::Object(body)
}

/// A message's type and its object, in Meta's words.
pub fn content(content: &Content) -> (&'static str, Value) {
    match content {
        Content::Text { body } => {
            let preview = body.contains("https://") || body.contains("http://");
            ("text", json!({"body": body, "preview_url": preview}))
        }
        Content::Media { kind, source, caption, file_name } => {
            let mut media = Map::new();
            match source {
                MediaSource::Link(url) => media.insert("link".to_owned(), url.as_str().into()),
                MediaSource::Id(id) => media.insert("id".to_owned(), id.as_str().into()),
            };
            if let Some(caption) = caption {
                media.insert("caption".to_owned(), caption.as_str().into());
            }
            if let (domain::media::MediaKind::Document, Some(name)) = (kind, file_name) {
                media.insert("filename".to_owned(), name.as_str().into());
            }
            (kind.as_str(), Value::Object(media))
        }
        Content::Buttons { header, body, footer, buttons } => {
            let buttons: Vec<Value> = buttons
                .iter()
                .map(|b| json!({"type": "reply", "reply": {"id": b.id, "title": b.title}}))
                .collect();
            let mut interactive = json!({
                "type": "button", "body": {"text": body}, "action": {"buttons": buttons},
            });
            if let Some(header) = header {
                interactive["header"] = json!({"type": "text", "text": header});
            }
            if let Some(footer) = footer {
                interactive["footer"] = json!({"text": footer});
            }
            ("interactive", interactive)
        }
        Content::Template(call) => {
            let mut template = json!({"name": call.name, "language": {"code": call.language}});
            if !call.components.is_empty() {
                template["components"] = Value::from(call.components.clone());
            }
            ("template", template)
        }
    }
}
