//! What a draft is made of.

use std::collections::BTreeMap;

use api_http::{FieldKind, FromParameter, Given, Parameter, Required, Texts, request, text_of};
use domain::Invalid;
use domain::campaign::Draft;
use domain::contact::clean_tags;
use domain::template::Params;
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, Invalid>;

const PARAMS: &str = "template_params";

request! {
    /// A draft.
    pub(crate) struct DraftFields {
        tags: Given<Texts> = named("tags"),
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
        recipient_type: Given<String> = named("recipient_type").one_of(&["all", "tags"]),
        scheduled_at: Given<String> = named("scheduled_at"),
    }
}

impl DraftFields {
    /// The draft; whether its parts fit each other is not decided here.
    pub(crate) fn get(self) -> Result<Draft> {
        let tags = self.tags.get()?.unwrap_or_default();
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
            scheduled_at: self.scheduled_at.get()?,
        })
    }
}

fn wrong() -> Invalid {
    Invalid::new(
        PARAMS,
        "template_params must be a list of texts, an object of texts by name, or {header, body, buttons}",
    )
}

/// A list for the body, an object by name, or `{header, body, buttons}`.
struct DraftParams(Params);

impl FromParameter for DraftParams {
    const KIND: FieldKind = FieldKind::Any;

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        if parameter.text().is_ok_and(|text| text.is_none()) {
            return Ok(None);
        }
        params(parameter).map(Self).map(Some)
    }
}

fn params(parameter: Parameter<'_>) -> Result<Params> {
    if let Ok(Some(body)) = parameter.array() {
        return Ok(Params { body: texts(&body)?, ..Params::default() });
    }
    let object = parameter.object().map_err(|_| wrong())?.unwrap_or_default();
    let by_part =
        !object.is_empty() && object.keys().all(|k| matches!(k.as_str(), "header" | "body" | "buttons"));
    if !by_part {
        return Ok(Params { named: named(&object)?, ..Params::default() });
    }
    let mut params =
        Params { header: part(&object, "header")?, buttons: part(&object, "buttons")?, ..Params::default() };
    match object.get("body") {
        Some(Value::Object(body)) => params.named = named(body)?,
        Some(_) | None => params.body = part(&object, "body")?,
    }
    Ok(params)
}

fn part(object: &Map<String, Value>, name: &str) -> Result<Vec<String>> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => texts(items),
        Some(one) => Ok(vec![text_of(one).ok_or_else(wrong)?]),
    }
}

fn texts(items: &[Value]) -> Result<Vec<String>> {
    items.iter().map(|item| text_of(item).ok_or_else(wrong)).collect()
}

fn named(object: &Map<String, Value>) -> Result<BTreeMap<String, String>> {
    object.iter().map(|(name, value)| Ok((name.clone(), text_of(value).ok_or_else(wrong)?))).collect()
}

#[cfg(test)]
mod tests {
    use api_http::{Fields, Request};
    use serde_json::json;

    use super::*;

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
        assert_eq!((by_part.header, by_part.buttons), (strings(&["h"]), strings(&["b"])));
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
