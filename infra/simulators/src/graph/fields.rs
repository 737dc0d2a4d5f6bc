//! Reading the fields of JSON. An explicit null counts as missing.

use serde_json::Value;

pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    field(value, name).and_then(Value::as_str)
}

/// The type of a template's component or of a button; callers may write it in lower case.
pub(crate) fn kind(value: &Value) -> String {
    text(value, "type").unwrap_or_default().to_ascii_uppercase()
}

/// The component of this type.
pub(crate) fn by_kind<'a>(components: &'a [Value], wanted: &str) -> Option<&'a Value> {
    components.iter().find(|component| kind(component) == wanted)
}
