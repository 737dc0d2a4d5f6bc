//! What a draft is made of.

use api_http::{FieldKind, FromParameter, Given, Parameter, Required, Texts, request};
use domain::Invalid;
use domain::campaign::Draft;
use domain::contact::clean_tags;
use domain::template::Params;
use serde_json::Value;

type Result<T> = std::result::Result<T, Invalid>;

request! {
    /// A draft.
    pub(crate) struct DraftFields {
        tags: Given<Texts> = named("tags"),
        lists: Given<Texts> = named("lists" | "list_id" | "list_ids" | "listId"),
        name: Required<String> = named("name").max_length(255),
        channel: Required<String> = named("channel"),
        sender: Given<String> = named("sender"),
        message_type: Required<String> =
            named("message_type").one_of(&["template", "text", "text_media", "media_only"]),
        message: Given<String> = named("message"),
        template_name: Given<String> = named("template_name"),
        template_language: Given<String> = named("template_language"),
        template_params: Given<DraftParams> = named("template_params"),
        media_url: Given<String> = named("media_url"),
        media_type: Given<String> = named("media_type").one_of(&["image", "audio", "video", "document"]),
        recipient_type: Given<String> = named("recipient_type").one_of(&["all", "tags", "lists"]),
        scheduled_at: Given<String> = named("scheduled_at"),
    }
}

impl DraftFields {
    /// The draft; whether its parts fit each other is not decided here.
    pub(crate) fn get(self) -> Result<Draft> {
        let tags = self.tags.get()?.unwrap_or_default();
        let called = self.lists.name();
        let lists = self.lists.get()?.unwrap_or_default();
        let wrong = |_| Invalid::new(called, format!("{called} must be the ids of lists"));
        let lists = lists.iter().map(|id| id.parse().map_err(wrong)).collect::<Result<_>>()?;
        Ok(Draft {
            name: self.name.get()?,
            channel: self.channel.get()?,
            sender: self.sender.get()?,
            message_type: self.message_type.get()?,
            message: self.message.get()?,
            template_name: self.template_name.get()?,
            template_language: self.template_language.get()?,
            template_params: self
                .template_params
                .get()?
                .map(|DraftParams(params)| params)
                .unwrap_or_default(),
            media_url: self.media_url.get()?,
            media_type: self.media_type.get()?,
            recipient_type: self.recipient_type.get()?,
            tags: clean_tags(tags.iter().map(String::as_str)),
            lists,
            scheduled_at: self.scheduled_at.get()?,
        })
    }
}

/// A list for the body, an object by name, or an object of parts.
struct DraftParams(Params);

impl FromParameter for DraftParams {
    const KIND: FieldKind = FieldKind::Any;

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        if parameter.text().is_ok_and(|text| text.is_none()) {
            return Ok(None);
        }
        let given = match (parameter.array(), parameter.object()) {
            (Ok(Some(list)), _) => Value::Array(list),
            (_, Ok(Some(object))) => Value::Object(object),
            (_, _) => Value::Bool(false),
        };
        Params::parse(&given).map(Self).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use api_http::{Fields, Request};
    use serde_json::json;

    use super::*;

    const PARAMS: &str = "template_params";

    fn params_of(value: Value) -> Result<Params> {
        let map = json!({PARAMS: value});
        let params = DraftFields::read(Fields::from(map.as_object().unwrap())).template_params.get()?;
        Ok(params.map(|DraftParams(params)| params).unwrap_or_default())
    }

    #[test]
    fn params_come_in_several_forms() {
        let strings = |items: &[&str]| items.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>();
        for list in
            [json!(["{{name}}", 20]), json!("[\"{{name}}\", 20]"), json!({"body": ["{{name}}", "20"]})]
        {
            assert_eq!(params_of(list).unwrap().body, strings(&["{{name}}", "20"]));
        }
        let by_part =
            params_of(json!({"header": "h", "body": {"first": "{{name}}"}, "buttons": ["b"]})).unwrap();
        assert_eq!((by_part.header, by_part.buttons), (strings(&["h"]), vec!["b".into()]));
        assert_eq!(by_part.named["first"], "{{name}}");
        assert_eq!(params_of(json!({"first": "x", "1": "y"})).unwrap().named.len(), 2);
        for empty in [json!(null), json!(""), json!([]), json!({})] {
            assert!(params_of(empty).unwrap().is_empty());
        }
        for bad in [json!("x"), json!([[]]), json!({"a": {}}), json!(true)] {
            assert_eq!(params_of(bad.clone()).unwrap_err().field, PARAMS, "{bad}");
        }
    }
}
