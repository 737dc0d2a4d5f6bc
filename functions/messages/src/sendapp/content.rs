//! What a SendApp message says: text, media, buttons, products or a template.

use api_http::{
    Array, FieldKind, Fields, FromParameter, Given, Parameter, Request, Required, Within, request, text_of,
};
use domain::Invalid;
use domain::media::{MediaKind, mime_of_name};
use domain::message::{Button, Content, Header, MediaSource, TemplateCall};
use messaging::catalogs::ShownProducts;
use serde_json::{Map, Value};

use super::products::{Around, ProductFields};

type Result<T> = std::result::Result<T, Invalid>;

request! {
    /// The content of a message.
    pub(crate) struct ContentFields(media: MediaFields, buttons: ButtonsFields, products: ProductFields) {
        kind: Required<String> = named("type").one_of(&[
            "freetext", "template", "text", "media", "interactive", "product", "product_list", "catalog"
        ]),
        message: Given<String> = named("message" | "text"),
        template: Given<TemplateObject> = named("template"),
    }
}

/// What a message says.
#[derive(Debug)]
pub(crate) enum Said {
    /// This.
    Content(Content),
    /// Products of a catalog of the account's.
    Products(ShownProducts),
}

impl ContentFields {
    /// What the message says. `freetext` is what its other fields make of it.
    pub(crate) fn get(self) -> Result<Said> {
        let Self { media, buttons, products, kind, message, template } = self;
        let content = match kind.get()?.trim().to_ascii_lowercase().as_str() {
            "template" => call(template),
            "media" => media.get(message),
            "interactive" => buttons.get(message),
            "product" => return products.one(buttons.around(message)).map(Said::Products),
            "product_list" => return products.list(buttons.around(message)).map(Said::Products),
            "catalog" | "catalog_message" => products.all(buttons.around(message)),
            "freetext" | "text" if buttons.are_given() => buttons.get(message),
            "freetext" | "text" if media.is_given()? => media.get(message),
            "freetext" | "text" => Ok(Content::Text { body: message.needed()? }),
            _ => Err(Invalid::new(
                "type",
                "type must be freetext, template, text, media, interactive, product, product_list or catalog",
            )),
        };
        content.map(Said::Content)
    }
}

request! {
    /// A file.
    struct MediaFields {
        media_url: Given<String> = named("media_url"),
        media_type: Given<String> = named("media_type").one_of(&["image", "video", "audio", "document"]),
        file_name: Given<String> = named("file_name" | "filename"),
    }
}

impl MediaFields {
    fn is_given(&self) -> Result<bool> {
        Ok(self.media_url.is_given()? || self.media_type.is_given()?)
    }

    fn get(self, caption: Given<String>) -> Result<Content> {
        let url = self.media_url.needed()?.trim().to_owned();
        let kind = match self.media_type.get()? {
            Some(kind) => MediaKind::parse(&kind)?,
            None => kind_of_url(&url).ok_or_else(|| Invalid::new("media_type", "media_type is required"))?,
        };
        let source = MediaSource::Link(url);
        Ok(Content::Media { kind, source, caption: caption.get()?, file_name: self.file_name.get()? })
    }
}

pub(crate) fn kind_of_url(url: &str) -> Option<MediaKind> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    mime_of_name(path).and_then(MediaKind::of_mime)
}

request! {
    /// Buttons, and what stands around them.
    struct ButtonsFields {
        header: Given<String> = named("header").max_length(60),
        footer: Given<String> = named("footer").max_length(60),
        buttons: Given<Buttons> = named("buttons").max_items(3),
    }
}

impl ButtonsFields {
    /// Whether there is something in `buttons`, be it right or wrong.
    fn are_given(&self) -> bool {
        self.buttons.peek().map_or(true, |buttons| buttons.is_some_and(|Buttons(items)| !items.is_empty()))
    }

    /// What stands around something else than buttons.
    fn around(self, message: Given<String>) -> Around {
        Around { message, header: self.header, footer: self.footer }
    }

    fn get(self, body: Given<String>) -> Result<Content> {
        let given = self.buttons.get()?.map(|Buttons(items)| items).unwrap_or_default();
        Ok(Content::Buttons {
            header: self.header.get()?.map(Header::Text),
            body: body.needed()?,
            footer: self.footer.get()?,
            buttons: given.iter().map(button).collect::<Result<_>>()?,
        })
    }
}

/// Titles, or objects with id and title.
struct Buttons(Array);

impl FromParameter for Buttons {
    const KIND: FieldKind = FieldKind::Rows(ButtonFields::FIELDS);

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        Ok(parameter.array()?.map(Self))
    }
}

request! {
    /// A button's id and title, which some clients call its text.
    struct ReplyFields {
        id: Given<Value> = named("id").max_length(256),
        title: Given<Value> = named("title").max_length(20),
        text: Given<Value> = named("text").max_length(20),
    }
}

request! {
    /// A button.
    struct ButtonFields(own: ReplyFields) {
        reply: Given<ReplyObject> = named("reply"),
    }
}

/// Where Meta's format has id and title.
struct ReplyObject(ReplyFields);

impl FromParameter for ReplyObject {
    const KIND: FieldKind = FieldKind::Object(ReplyFields::FIELDS);

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        let reply = parameter.value().and_then(Value::as_object);
        Ok(reply.map(|reply| Self(ReplyFields::read(Fields::from(reply)))))
    }
}

/// A title, `{id, title}`, or Meta's `{type: "reply", reply: {id, title}}`.
fn button(value: &Value) -> Result<Button> {
    let wrong = || Invalid::new("buttons", "a button must be a text or an object with id and title");
    if let Some(title) = text_of(value) {
        return Ok(Button { id: title.clone(), title });
    }
    let object = value.as_object().ok_or_else(wrong)?;
    let ButtonFields { own, reply } = ButtonFields::read(Fields::from(object));
    let ReplyFields { id, title, text } = reply.get()?.map_or(own, |ReplyObject(inner)| inner);
    let title = title.get()?.or(text.get()?).as_ref().and_then(text_of).ok_or_else(wrong)?;
    let id = id.get()?.as_ref().and_then(text_of).filter(|id| !id.is_empty());
    Ok(Button { id: id.unwrap_or_else(|| title.clone()), title })
}

request! {
    /// A template of Meta, and what fills it.
    struct TemplateFields {
        name: Given<String> = named("name").required(),
        language: Given<Language> = named("language").required(),
        components: Given<Components> = named("components"),
    }
}

type TemplateObject = Within<TemplateFields>;

fn call(template: Given<TemplateObject>) -> Result<Content> {
    let missing = || Invalid::new("template", "template is required for type template");
    let Within(TemplateFields { name, language, components }) = template.get()?.ok_or_else(missing)?;
    let name = name.get().map_err(within_template)?.unwrap_or_default();
    let components = components.get().map_err(within_template)?;
    let Language(code) = language.get()?.unwrap_or_default();
    Ok(Content::Template(TemplateCall {
        name: name.trim().to_owned(),
        language: code.trim().to_owned(),
        components: components.map(|Components(items)| items).unwrap_or_default(),
    }))
}

request! {
    /// A language as Meta writes it.
    struct LanguageFields {
        code: Given<Value> = named("code").required(),
    }
}

/// `"it"` or `{"code": "it"}`
#[derive(Default)]
struct Language(String);

impl FromParameter for Language {
    const KIND: FieldKind = FieldKind::Object(LanguageFields::FIELDS);

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        let code = match parameter.value() {
            Some(Value::Object(language)) => {
                let code = LanguageFields::read(Fields::from(language)).code.get()?;
                code.as_ref().and_then(text_of)
            }
            Some(other) => Some(text_of(other).ok_or_else(|| {
                Invalid::new(
                    "template.language",
                    "template.language must be a code, or an object with a code",
                )
            })?),
            None => None,
        };
        Ok(code.map(Self))
    }
}

/// An array, or how PHP and others write "nothing".
struct Components(Array);

impl FromParameter for Components {
    const KIND: FieldKind = FieldKind::Array;

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        if parameter.value().and_then(Value::as_object).is_some_and(Map::is_empty) {
            return Ok(None);
        }
        Ok(parameter.array()?.map(Self))
    }
}

fn within_template(invalid: Invalid) -> Invalid {
    Invalid::new(format!("template.{}", invalid.field), format!("template.{}", invalid.message))
}

#[cfg(test)]
mod tests {
    use domain::message::Commerce;
    use serde_json::json;

    use super::*;

    fn said(params: Value) -> Result<Said> {
        ContentFields::read(Fields::from(params.as_object().unwrap())).get()
    }

    fn read(params: Value) -> Result<Content> {
        said(params).map(|said| match said {
            Said::Content(content) => content,
            Said::Products(shown) => panic!("{shown:?}"),
        })
    }

    #[test]
    fn products_are_shown_alone_or_as_a_list() {
        let products = |params: Value| match said(params).unwrap() {
            Said::Products(shown) => shown,
            Said::Content(content) => panic!("{content:?}"),
        };
        let ids = |shown: &ShownProducts| shown.sections[0].products.clone();
        let one = products(json!({"type": "product", "catalog_id": 7, "product_retailer_id": "pane"}));
        assert_eq!(
            (ids(&one), one.catalog.as_deref(), one.as_list),
            (vec!["pane".to_owned()], Some("7"), false)
        );
        let list =
            products(json!({"type": "product_list", "message": "Scegli", "product_ids": "pane,dolce"}));
        assert_eq!((ids(&list).len(), list.as_list), (2, true));
        let all = read(json!({"type": "catalog_message", "message": "Tutto", "footer": "Ciao"})).unwrap();
        let want = Commerce::Catalog { body: "Tutto".into(), footer: Some("Ciao".into()), thumbnail: None };
        assert_eq!(all, Content::Commerce(want));
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
            (json!({"type": "product"}), "product_id"),
            (json!({"type": "product_list", "product_ids": "a"}), "message"),
            (json!({"type": "product_list", "message": "x"}), "sections"),
            (json!({"type": "catalog"}), "message"),
            (json!({"type": "template"}), "template"),
            (json!({"type": "template", "template": "promo"}), "template"),
            (json!({"type": "template", "template": {"name": []}}), "template.name"),
            (
                json!({"type": "template", "template": {"name": "a", "language": 1, "components": "x"}}),
                "template.components",
            ),
            (json!({"type": "template", "template": {"name": "a", "language": []}}), "template.language"),
        ] {
            assert_eq!(said(params.clone()).unwrap_err().field, field, "{params}");
        }
    }
}
