//! What the OpenAPI documents promise, to hold what the product does against it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use api_http::Dialect;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Of each dialect, its document.
static DOCUMENTS: LazyLock<HashMap<Dialect, Value>> = LazyLock::new(|| {
    let documents = [
        (Dialect::SendApp, include_str!("../../infra/openapi/sendapp.yaml")),
        (Dialect::Sendwo, include_str!("../../infra/openapi/sendwo.yaml")),
        (Dialect::SendApi, include_str!("../../infra/openapi/sendapi.yaml")),
        (Dialect::DmChamp, include_str!("../../infra/openapi/dmchamp.yaml")),
    ];
    documents.into_iter().map(|(dialect, text)| (dialect, serde_saphyr::from_str(text).unwrap())).collect()
});

static EVENTS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let described = document(Dialect::SendApp)["webhooks"].as_object().unwrap();
    let schema =
        |event: &Value| event["post"]["requestBody"]["content"]["application/json"]["schema"].clone();
    described.iter().map(|(name, event)| (name.as_str(), validator(schema(event)))).collect()
});

static CHANNEL_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| validator(json!({"allOf": [{"$ref": "#/components/schemas/ChannelMessage"}]})));

static FLOW_CALL: LazyLock<Validator> =
    LazyLock::new(|| validator(json!({"allOf": [{"$ref": "#/components/schemas/FlowCall"}]})));

/// The document of a dialect.
pub fn document(dialect: Dialect) -> &'static Value {
    &DOCUMENTS[&dialect]
}

/// Checks a body that we post. What the document does not name, it does not have;
/// only of what others wrote it names nothing.
fn validator(mut schema: Value) -> Validator {
    if let Some(data) = schema.pointer_mut("/allOf/1/properties/data") {
        data["additionalProperties"] = json!(false);
    }
    if schema.get("allOf").is_some() {
        schema["unevaluatedProperties"] = json!(false);
    }
    compiled(schema, document(Dialect::SendApp))
}

/// A schema that refers to the components of its document.
fn compiled(mut schema: Value, document: &Value) -> Validator {
    schema["components"] = document["components"].clone();
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

/// The names of the events that are described.
pub fn events() -> impl Iterator<Item = &'static str> {
    EVENTS.keys().copied()
}

/// What of a body that was posted is not as described: an event's, or, without a
/// type, that of a flow's call or of a message on a custom channel.
pub fn wrong_in_post(kind: Option<&str>, id: Option<&str>, body: &[u8]) -> Vec<String> {
    let is_call = id.is_some_and(|id| id.starts_with("flow:"));
    let untyped = if is_call { &*FLOW_CALL } else { &*CHANNEL_MESSAGE };
    let validator = kind.map_or(Some(untyped), |kind| EVENTS.get(kind));
    let kind = kind.unwrap_or("a call without a type");
    let Some(validator) = validator else { return vec![format!("{kind} is not described")] };
    let body: Value = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return vec![format!("{kind} is not JSON: {error}")],
    };
    let wrong = validator.iter_errors(&body);
    wrong.map(|error| format!("{kind}: {error} at {}", error.instance_path())).collect()
}

/// The schemas of answers that were looked at, by document and pointer.
type Answers = Mutex<HashMap<(Dialect, String), Arc<Validator>>>;

static ANSWERS: LazyLock<Answers> = LazyLock::new(Answers::default);

/// The path of the document that a request's path fits; one without parameters goes first.
fn described<'a>(paths: &'a Map<String, Value>, path: &str) -> Option<(&'a String, &'a Value)> {
    let fits = |template: &str| {
        let (mut parts, mut given) = (template.split('/'), path.split('/'));
        template.matches('/').count() == path.matches('/').count()
            && parts.all(|part| given.next().is_some_and(|given| part.starts_with('{') || part == given))
    };
    paths.get_key_value(path).or_else(|| paths.iter().find(|(template, _)| fits(template)))
}

/// What of an answer is not as described. Paths and methods that are not described are
/// not served; the routes' own test says so.
pub fn wrong_in_answer(method: &str, path: &str, status: u16, body: &[u8]) -> Vec<String> {
    let dialect = Dialect::of_path(path);
    let document = document(dialect);
    let Some((template, item)) = described(document["paths"].as_object().unwrap(), path) else {
        return Vec::new();
    };
    let Some(operation) = item.get(method.to_lowercase()) else { return Vec::new() };
    let what = format!("{method} {template}: {status}");
    let Some(mut answer) = operation["responses"].get(status.to_string()) else {
        return vec![format!("{what} is not described")];
    };
    if let Some(reference) = answer.get("$ref").and_then(Value::as_str) {
        answer = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let Some(schema) = answer.pointer("/content/application~1json/schema") else { return Vec::new() };
    let validator = ANSWERS.lock().unwrap().get(&(dialect, what.clone())).cloned();
    let validator = validator.unwrap_or_else(|| {
        let validator = Arc::new(compiled(schema.clone(), document));
        ANSWERS.lock().unwrap().insert((dialect, what.clone()), validator.clone());
        validator
    });
    let body: Value = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return vec![format!("{what} is not JSON: {error}")],
    };
    let wrong = validator.iter_errors(&body);
    wrong.map(|error| format!("{what}: {error} at {}", error.instance_path())).collect()
}
