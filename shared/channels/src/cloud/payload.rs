//! A message as Meta's API wants it.

use domain::media::MediaKind;
use domain::message::{Address, Content, Header, ListRow, MediaSource};
use serde_json::{Map, Value, json};

use super::commerce;

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
            let mut media = medium(*kind, source, file_name.as_deref());
            if let Some(caption) = caption {
                media.insert("caption".to_owned(), caption.as_str().into());
            }
            (kind.as_str(), Value::Object(media))
        }
        Content::Buttons { header, body, footer, buttons } => {
            let buttons: Vec<Value> = buttons
                .iter()
                .map(|b| json!({"type": "reply", "reply": {"id": b.id, "title": b.title}}))
                .collect();
            let header = header.as_ref().map(|header| match header {
                Header::Text(text) => json!({"type": "text", "text": text}),
                Header::Media { kind, source, file_name } => {
                    json!({"type": kind.as_str(), kind.as_str(): medium(*kind, source, file_name.as_deref())})
                }
            });
            ("interactive", interactive("button", (header, body, footer), json!({"buttons": buttons})))
        }
        Content::List { header, body, footer, button, rows } => {
            let rows: Vec<Value> = rows.iter().map(row).collect();
            let header = header.as_ref().map(|text| json!({"type": "text", "text": text}));
            let action = json!({"button": button, "sections": [{"rows": rows}]});
            ("interactive", interactive("list", (header, body, footer), action))
        }
        Content::Commerce(commerce) => ("interactive", commerce::interactive(commerce)),
        Content::Template(call) => {
            let mut template = json!({"name": call.name, "language": {"code": call.language}});
            if !call.components.is_empty() {
                template["components"] = Value::from(call.components.clone());
            }
            ("template", template)
        }
    }
}

/// A file, by its address or by its id.
fn medium(kind: MediaKind, source: &MediaSource, file_name: Option<&str>) -> Map<String, Value> {
    let mut media = Map::new();
    match source {
        MediaSource::Link(url) => media.insert("link".to_owned(), url.as_str().into()),
        MediaSource::Id(id) => media.insert("id".to_owned(), id.as_str().into()),
    };
    if let (MediaKind::Document, Some(name)) = (kind, file_name) {
        media.insert("filename".to_owned(), name.into());
    }
    media
}

fn interactive(
    kind: &str,
    (header, body, footer): (Option<Value>, &str, &Option<String>),
    action: Value,
) -> Value {
    let mut interactive = json!({"type": kind, "body": {"text": body}, "action": action});
    if let Some(header) = header {
        interactive["header"] = header;
    }
    if let Some(footer) = footer {
        interactive["footer"] = json!({"text": footer});
    }
    interactive
}

fn row(row: &ListRow) -> Value {
    let mut shown = json!({"id": row.id, "title": row.title});
    if let Some(description) = &row.description {
        shown["description"] = description.as_str().into();
    }
    shown
}
