//! `send-interactive-buttons`, `send-media`, and what sister products call them.

use api_http::{
    ApiError, Array, Caller, FieldKind, Fields, FromParameter, Given, Input, Parameter, Request, Required,
    Result, idempotent_send, request, text_of,
};
use axum::extract::State;
use axum::response::Response;
use domain::media::MediaKind;
use domain::message::{Button, Content, Header, ListRow, MAX_BUTTONS, MAX_TEXT};
use domain::{Invalid, TenantId};
use messaging::Services;
use messaging::files::FileRef;
use serde_json::Value;

use super::ToFields;
use crate::sendapp::content::kind_of_url;

/// What opens a list, where the caller does not say.
const LIST_BUTTON: &str = "Menu";

request! {
    /// A file.
    pub(crate) struct MediaFields {
        kind: Given<String> =
            named("mediaType" | "media_type").one_of(&["image", "video", "audio", "document"]),
        url: Given<String> = named("mediaUrl" | "media_url"),
        id: Given<String> = named("mediaId" | "media_id").max_length(128),
        file_name: Given<String> = named("fileName" | "file_name" | "filename" | "media_name" | "mediaName")
            .max_length(240),
    }
}

/// A file that goes with a message.
struct Medium {
    kind: MediaKind,
    file: FileRef,
    file_name: Option<String>,
}

impl MediaFields {
    fn is_given(&self) -> Result<bool> {
        Ok(self.url.is_given()? || self.id.is_given()?)
    }

    /// The file. An id is one of an upload of ours, or Meta's.
    async fn get(self, services: &Services, tenant: &TenantId) -> Result<Medium> {
        let (by_url, by_id, by_kind) = (self.url.name(), self.id.name(), self.kind.name());
        let kind = self.kind.get()?.map(|kind| MediaKind::parse(&kind)).transpose();
        let kind = kind.map_err(|wrong| ApiError::from(wrong).renamed("media_type", by_kind))?;
        let mut file_name = self.file_name.get()?;
        let needs_kind = || Invalid::new(by_kind, format!("{by_kind} is required"));
        if let Some(url) = self.url.get()? {
            let url = url.trim().to_owned();
            let kind = kind.or_else(|| kind_of_url(&url)).ok_or_else(needs_kind)?;
            return Ok(Medium { kind, file: FileRef::Link(url), file_name });
        }
        let missing = || Invalid::new(by_url, format!("{by_url} is required, or {by_id}"));
        let id = self.id.get()?.ok_or_else(missing)?.trim().to_owned();
        let own = services.files.by_id(&services.store, tenant, &id).await;
        let own = own.map_err(|error| ApiError(error).renamed("media_id", by_id))?;
        let (kind, file) = match own {
            Some(own) => {
                file_name = file_name.or(Some(own.name));
                (kind.or(own.kind), FileRef::Link(own.url))
            }
            None if id.bytes().all(|b| b.is_ascii_digit()) => (kind, FileRef::Provider(id)),
            None => {
                let message = format!("{by_id} must be the media_id of an upload");
                return Err(Invalid::new(by_id, message).into());
            }
        };
        Ok(Medium { kind: kind.ok_or_else(needs_kind)?, file, file_name })
    }
}

request! {
    /// A choice's id and title, which some clients call its text.
    struct ChoiceFields {
        id: Given<Value> = named("id").max_length(256),
        title: Given<Value> = named("title").max_length(24),
        text: Given<Value> = named("text").max_length(24),
        description: Given<Value> = named("description").max_length(72),
    }
}

request! {
    /// A choice.
    struct ChoiceRow(own: ChoiceFields) {
        reply: Given<ReplyObject> = named("reply"),
    }
}

/// Where Meta's format has id and title.
struct ReplyObject(ChoiceFields);

impl FromParameter for ReplyObject {
    const KIND: FieldKind = FieldKind::Object(ChoiceFields::FIELDS);

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let reply = parameter.value().and_then(Value::as_object);
        Ok(reply.map(|reply| Self(ChoiceFields::read(Fields::from(reply)))))
    }
}

/// Titles, or objects with id and title; also as JSON text, and titles with commas.
pub(crate) struct Choices(Array);

impl FromParameter for Choices {
    const KIND: FieldKind = FieldKind::Rows(ChoiceRow::FIELDS);

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let is_words = |text: &&str| !text.trim().is_empty() && !text.trim_start().starts_with(['[', '{']);
        match parameter.value().and_then(Value::as_str).filter(is_words) {
            Some(_) => {
                Ok(parameter.list()?.map(|titles| Self(titles.into_iter().map(Value::from).collect())))
            }
            None => Ok(parameter.array()?.map(Self)),
        }
    }
}

/// A choice, whether it becomes a button or a row.
fn choice(name: &str, value: &Value) -> std::result::Result<ListRow, Invalid> {
    let wrong =
        || Invalid::new(name, format!("each of {name} must be a text or an object with id and title"));
    let renamed = |invalid: Invalid| Invalid::new(name, format!("{name}: {}", invalid.message));
    if let Some(title) = text_of(value) {
        return Ok(ListRow { id: title.clone(), title, description: None });
    }
    let ChoiceRow { own, reply } = ChoiceRow::read(Fields::from(value.as_object().ok_or_else(wrong)?));
    let ChoiceFields { id, title, text, description } = reply.get()?.map_or(own, |ReplyObject(inner)| inner);
    let title = title.get().map_err(renamed)?.or(text.get().map_err(renamed)?);
    let title = title.as_ref().and_then(text_of).ok_or_else(wrong)?;
    let id = id.get().map_err(renamed)?.as_ref().and_then(text_of).filter(|id| !id.is_empty());
    let description = description.get().map_err(renamed)?.as_ref().and_then(text_of);
    let description = description.filter(|text| !text.is_empty());
    Ok(ListRow { id: id.unwrap_or_else(|| title.clone()), title, description })
}

request! {
    /// A text with choices below.
    pub(crate) struct ChoicesFields(media: MediaFields) {
        message: Required<String> = named("message" | "text" | "body").max_length(MAX_TEXT),
        buttons: Required<Choices> = named("buttons").max_items(10),
        header: Given<String> = named("header" | "button_header_text").max_length(60),
        footer: Given<String> = named("footer" | "button_footer_text").max_length(60),
        list_button: Given<String> = named("list_button" | "listButton").max_length(20),
    }
}

impl ChoicesFields {
    /// How callers name what may be wrong.
    fn names(&self) -> [(&'static str, &'static str); 5] {
        [
            ("message", self.message.name()),
            ("media_url", self.media.url.name()),
            ("media_type", self.media.kind.name()),
            ("footer", self.footer.name()),
            ("header", self.header.name()),
        ]
    }

    /// Up to three are buttons, more are a list.
    async fn content(self, services: &Services, tenant: &TenantId) -> Result<Content> {
        let Self { media, message, buttons, header, footer, list_button } = self;
        let name = buttons.name();
        let Choices(choices) = buttons.get()?;
        let rows =
            choices.iter().map(|value| choice(name, value)).collect::<std::result::Result<Vec<_>, _>>()?;
        let (body, header, footer) = (message.get()?, header.get()?, footer.get()?);
        let has_media = media.is_given()?;
        if rows.len() > MAX_BUTTONS {
            if has_media {
                let message = format!("{name} may be at most {MAX_BUTTONS} with a file: a list has none");
                return Err(Invalid::new(name, message).into());
            }
            let button = list_button.get()?.unwrap_or_else(|| LIST_BUTTON.to_owned());
            return Ok(Content::List { header, body, footer, button, rows });
        }
        let header = match has_media {
            true => {
                let Medium { kind, file, file_name } = media.get(services, tenant).await?;
                Some(Header::Media { kind, source: file.into(), file_name })
            }
            false => header.map(Header::Text),
        };
        let buttons = rows.into_iter().map(|row| Button { id: row.id, title: row.title }).collect();
        Ok(Content::Buttons { header, body, footer, buttons })
    }
}

request! {
    /// `send-interactive-buttons`
    pub(crate) struct SendButtons(recipient: ToFields, said: ChoicesFields) {}
}

/// `send-interactive-buttons`, and `send/interactive-buttons` as sister products call it.
pub(crate) async fn send_buttons(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendButtons>,
) -> Result<Response> {
    let work = async |send| {
        let SendButtons { recipient, said } = input.read();
        let names = said.names();
        let recipient = recipient.get(&services, &caller).await?;
        let content = said.content(&services, caller.tenant_id()).await?;
        recipient.send(&services, &caller, content, (&names, send)).await
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

request! {
    /// `send-media`
    pub(crate) struct SendMedia(recipient: ToFields, media: MediaFields) {
        caption: Given<String> = named("caption" | "media_caption_text" | "message").max_length(1_024),
    }
}

/// `send-media`, and `send/file` as sister products call it.
pub(crate) async fn send_media(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendMedia>,
) -> Result<Response> {
    let work = async |send| {
        let SendMedia { recipient, media, caption } = input.read();
        let names =
            [("message", caption.name()), ("media_url", media.url.name()), ("media_type", media.kind.name())];
        let recipient = recipient.get(&services, &caller).await?;
        let Medium { kind, file, file_name } = media.get(&services, caller.tenant_id()).await?;
        let content = Content::Media { kind, source: file.into(), caption: caption.get()?, file_name };
        recipient.send(&services, &caller, content, (&names, send)).await
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn choices(buttons: Value) -> std::result::Result<Vec<(String, String)>, Invalid> {
        let params = json!({"buttons": buttons, "message": "x"});
        let asked = ChoicesFields::read(Fields::from(params.as_object().unwrap()));
        let Choices(items) = asked.buttons.get()?;
        let rows = items.iter().map(|value| choice("buttons", value));
        rows.map(|row| row.map(|row| (row.id, row.title))).collect()
    }

    #[test]
    fn choices_come_in_several_forms() {
        let want = vec![("a".to_owned(), "A".to_owned()), ("B".to_owned(), "B".to_owned())];
        for buttons in [
            json!([{"id": "a", "title": "A"}, "B"]),
            json!("[{\"id\": \"a\", \"title\": \"A\"}, {\"title\": \"B\"}]"),
            json!([{"type": "reply", "reply": {"id": "a", "title": "A"}}, {"text": "B", "id": ""}]),
        ] {
            assert_eq!(choices(buttons.clone()).unwrap(), want, "{buttons}");
        }
        assert_eq!(choices(json!("Sì, No")).unwrap()[1].1, "No");
        for bad in [
            json!({"a": {"b": {"c": "1"}}}),
            json!([{"a": {"b": "c"}}]),
            json!([[1]]),
            json!([{"id": 1}]),
            json!([{"title": "x".repeat(25)}]),
            json!("{\"a\": 1}"),
            json!(7),
        ] {
            let error = choices(bad.clone()).map(drop).unwrap_err();
            assert_eq!(error.field, "buttons", "{bad}");
        }
    }
}
