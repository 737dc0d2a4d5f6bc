//! What a draft is made of.

use std::collections::BTreeMap;

use api_http::{Fields, text_of};
use domain::Invalid;
use domain::campaign::Draft;
use domain::contact::clean_tags;
use domain::template::Params;
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, Invalid>;

const PARAMS: &str = "template_params";

/// Reads a draft; whether its parts fit each other is not decided here.
pub(crate) fn draft(fields: Fields<'_>) -> Result<Draft> {
    let tags = fields.list("tags")?.unwrap_or_default();
    Ok(Draft {
        name: fields.required("name")?,
        channel: fields.required("channel")?,
        sender: fields.text("sender")?,
        message_type: fields.required("message_type")?,
        message: fields.text("message")?,
        template_name: fields.text("template_name")?,
        template_language: fields.text("template_language")?,
        template_params: params(fields)?,
        media_url: fields.text("media_url")?,
        media_type: fields.text("media_type")?,
        recipient_type: fields.text("recipient_type")?,
        tags: clean_tags(tags.iter().map(String::as_str)),
        scheduled_at: fields.text("scheduled_at")?,
    })
}

fn wrong() -> Invalid {
    Invalid::new(
        PARAMS,
        "template_params must be a list of texts, an object of texts by name, or {header, body, buttons}",
    )
}

/// A list for the body, an object by name, or `{header, body, buttons}`.
fn params(fields: Fields<'_>) -> Result<Params> {
    if fields.text(PARAMS).is_ok_and(|text| text.is_none()) {
        return Ok(Params::default());
    }
    if let Ok(Some(body)) = fields.array(PARAMS) {
        return Ok(Params { body: texts(&body)?, ..Params::default() });
    }
    let object = fields.object(PARAMS).map_err(|_| wrong())?.unwrap_or_default();
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
    use serde_json::json;

    use super::*;

    fn params_of(value: Value) -> Result<Params> {
        let map = json!({PARAMS: value});
        params(Fields::from(map.as_object().unwrap()))
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
