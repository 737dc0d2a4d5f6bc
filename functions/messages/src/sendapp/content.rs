//! What a SendApp message says: text, media, buttons or a template.

use api_http::{Fields, text_of};
use domain::Invalid;
use domain::media::{MediaKind, mime_of_name};
use domain::message::{Button, Content, MediaSource, TemplateCall};
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, Invalid>;

/// Reads the content. `freetext` is what its other fields make of it.
pub(crate) fn content(fields: Fields<'_>) -> Result<Content> {
    let kind = fields.required("type")?;
    match kind.trim().to_ascii_lowercase().as_str() {
        "template" => template(fields),
        "media" => media(fields),
        "interactive" => buttons(fields),
        "freetext" | "text" if has_buttons(fields) => buttons(fields),
        "freetext" | "text" if has_media(fields)? => media(fields),
        "freetext" | "text" => Ok(Content::Text { body: fields.required(message(fields))? }),
        _ => Err(Invalid::new("type", "type must be freetext or template")),
    }
}

/// The text's name: real clients also call it `text`.
fn message(fields: Fields<'_>) -> &'static str {
    fields.name_of(&["message", "text"])
}

fn has_media(fields: Fields<'_>) -> Result<bool> {
    Ok(fields.text("media_url")?.is_some() || fields.text("media_type")?.is_some())
}

/// Whether there is something in `buttons`, be it right or wrong.
fn has_buttons(fields: Fields<'_>) -> bool {
    match fields.array("buttons") {
        Ok(buttons) => buttons.is_some_and(|buttons| !buttons.is_empty()),
        Err(_) => true,
    }
}

fn media(fields: Fields<'_>) -> Result<Content> {
    let url = fields.required("media_url")?.trim().to_owned();
    let kind = match fields.text("media_type")? {
        Some(kind) => MediaKind::parse(&kind)?,
        None => kind_of_url(&url).ok_or_else(|| Invalid::new("media_type", "media_type is required"))?,
    };
    Ok(Content::Media {
        kind,
        source: MediaSource::Link(url),
        caption: fields.text(message(fields))?,
        file_name: fields.text(fields.name_of(&["file_name", "filename"]))?,
    })
}

fn kind_of_url(url: &str) -> Option<MediaKind> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    mime_of_name(path).and_then(MediaKind::of_mime)
}

fn buttons(fields: Fields<'_>) -> Result<Content> {
    let given = fields.array("buttons")?.unwrap_or_default();
    Ok(Content::Buttons {
        header: fields.text("header")?,
        body: fields.required(message(fields))?,
        footer: fields.text("footer")?,
        buttons: given.iter().map(button).collect::<Result<_>>()?,
    })
}

/// A title, `{id, title}`, or Meta's `{type: "reply", reply: {id, title}}`.
fn button(value: &Value) -> Result<Button> {
    let wrong = || Invalid::new("buttons", "a button must be a text or an object with id and title");
    if let Some(title) = text_of(value) {
        return Ok(Button { id: title.clone(), title });
    }
    let object = value.as_object().ok_or_else(wrong)?;
    let inner = object.get("reply").and_then(Value::as_object).unwrap_or(object);
    let title = inner.get("title").or_else(|| inner.get("text")).and_then(text_of).ok_or_else(wrong)?;
    let id = inner.get("id").and_then(text_of).filter(|id| !id.is_empty());
    Ok(Button { id: id.unwrap_or_else(|| title.clone()), title })
}

fn template(fields: Fields<'_>) -> Result<Content> {
    let template = fields.object("template")?;
    let template =
        template.ok_or_else(|| Invalid::new("template", "template is required for type template"))?;
    let inner = Fields::from(&template);
    let name = inner.text("name").map_err(within_template)?.unwrap_or_default();
    let components = inner.get("components").filter(|c| !is_empty_object(c));
    let components = match components {
        Some(_) => inner.array("components").map_err(within_template)?.unwrap_or_default(),
        None => Vec::new(),
    };
    let call = TemplateCall { name: name.trim().to_owned(), language: language(&template)?, components };
    Ok(Content::Template(call))
}

/// `"it"` or `{"code": "it"}`
fn language(template: &Map<String, Value>) -> Result<String> {
    let code = match template.get("language") {
        Some(Value::Object(language)) => language.get("code").and_then(text_of),
        Some(Value::Null) | None => None,
        Some(other) => Some(text_of(other).ok_or_else(|| {
            Invalid::new("template.language", "template.language must be a code, or an object with a code")
        })?),
    };
    Ok(code.unwrap_or_default().trim().to_owned())
}

/// How PHP and others write "nothing".
fn is_empty_object(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

fn within_template(invalid: Invalid) -> Invalid {
    Invalid::new(format!("template.{}", invalid.field), format!("template.{}", invalid.message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(params: Value) -> Result<Content> {
        content(Fields::from(params.as_object().unwrap()))
    }

    #[test]
    fn freetext_is_what_its_fields_make_of_it() {
        let text = Content::Text { body: "Ciao".into() };
        assert_eq!(read(json!({"type": "freetext", "message": "Ciao"})).unwrap(), text);
        assert_eq!(
            read(json!({"type": "text", "message": "Ciao", "buttons": [], "media_url": ""})).unwrap(),
            text
        );
        let media =
            read(json!({"type": "freetext", "media_url": "https://x.it/a.pdf?v=1", "filename": "a.pdf"}))
                .unwrap();
        let want = Content::Media {
            kind: MediaKind::Document,
            source: MediaSource::Link("https://x.it/a.pdf?v=1".into()),
            caption: None,
            file_name: Some("a.pdf".into()),
        };
        assert_eq!(media, want);
    }

    #[test]
    fn buttons_come_in_three_forms() {
        let read = read(json!({
            "type": "interactive", "message": "?", "footer": "f",
            "buttons": ["Sì", {"id": "no", "title": "No"}, {"type": "reply", "reply": {"id": "x", "title": "Forse"}}],
        }));
        let Content::Buttons { buttons, footer, header, .. } = read.unwrap() else { panic!("no buttons") };
        let pairs: Vec<(&str, &str)> = buttons.iter().map(|b| (b.id.as_str(), b.title.as_str())).collect();
        assert_eq!(pairs, [("Sì", "Sì"), ("no", "No"), ("x", "Forse")]);
        assert_eq!((header, footer.as_deref()), (None, Some("f")));
    }

    #[test]
    fn templates_come_in_many_forms() {
        for template in [
            json!({"name": "promo", "language": "it"}),
            json!({"name": "promo", "language": {"code": "it"}, "components": []}),
            json!({"name": "promo", "language": {"code": "it"}, "components": {}}),
            json!({"name": " promo ", "language": "it", "components": "[]"}),
            json!("{\"name\": \"promo\", \"language\": \"it\"}"),
        ] {
            let call = read(json!({"type": "template", "template": template})).unwrap();
            let want = TemplateCall { name: "promo".into(), language: "it".into(), components: Vec::new() };
            assert_eq!(call, Content::Template(want));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (params, field) in [
            (json!({"message": "x"}), "type"),
            (json!({"type": "fax"}), "type"),
            (json!({"type": "freetext"}), "message"),
            (json!({"type": "freetext", "message": {"a": 1}}), "message"),
            (json!({"type": "media"}), "media_url"),
            (json!({"type": "freetext", "media_url": "https://x.it/a"}), "media_type"),
            (json!({"type": "freetext", "media_url": "https://x.it/a", "media_type": "gif"}), "media_type"),
            (json!({"type": "freetext", "message": "x", "buttons": "yes"}), "buttons"),
            (json!({"type": "freetext", "message": "x", "buttons": [{"id": 1}]}), "buttons"),
            (json!({"type": "template"}), "template"),
            (json!({"type": "template", "template": "promo"}), "template"),
            (json!({"type": "template", "template": {"name": []}}), "template.name"),
            (
                json!({"type": "template", "template": {"name": "a", "language": 1, "components": "x"}}),
                "template.components",
            ),
            (json!({"type": "template", "template": {"name": "a", "language": []}}), "template.language"),
        ] {
            assert_eq!(read(params.clone()).unwrap_err().field, field, "{params}");
        }
    }
}
