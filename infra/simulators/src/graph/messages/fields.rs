//! Checking fields of a request, with the errors Meta answers.

use serde_json::Value;

use crate::graph::{errors::GraphError, fields::field};

pub(super) type Checked<T = ()> = Result<T, GraphError>;

/// The path of a field in Meta's notation: `interactive['action']['buttons']`.
pub(super) fn path(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}['{name}']") }
}

pub(super) fn need<'a>(parent: &'a Value, at: &str, name: &str) -> Checked<&'a Value> {
    field(parent, name)
        .ok_or_else(|| GraphError::parameter(format!("The parameter {} is required.", path(at, name))))
}

pub(super) fn need_object<'a>(parent: &'a Value, at: &str, name: &str) -> Checked<&'a Value> {
    let value = need(parent, at, name)?;
    if value.is_object() { Ok(value) } else { Err(wrong_type(at, name, "a JSON object")) }
}

pub(super) fn need_array<'a>(parent: &'a Value, at: &str, name: &str) -> Checked<&'a [Value]> {
    let array = need(parent, at, name)?.as_array();
    array.map(Vec::as_slice).ok_or_else(|| wrong_type(at, name, "a JSON array"))
}

pub(super) fn need_text<'a>(parent: &'a Value, at: &str, name: &str) -> Checked<&'a str> {
    let text = need(parent, at, name)?.as_str().ok_or_else(|| wrong_type(at, name, "a string"))?;
    if text.trim().is_empty() {
        return Err(GraphError::parameter(format!("Param {} must not be empty.", path(at, name))));
    }
    Ok(text)
}

/// A required text of 1 to `most` characters.
pub(super) fn need_short<'a>(parent: &'a Value, at: &str, name: &str, most: usize) -> Checked<&'a str> {
    let text = need_text(parent, at, name)?;
    within(text, at, name, most)?;
    Ok(text)
}

/// An optional text of at most `most` characters.
pub(super) fn short(parent: &Value, at: &str, name: &str, most: usize) -> Checked {
    let Some(value) = field(parent, name) else { return Ok(()) };
    let text = value.as_str().ok_or_else(|| wrong_type(at, name, "a string"))?;
    within(text, at, name, most)
}

pub(super) fn flag(parent: &Value, at: &str, name: &str) -> Checked {
    match field(parent, name) {
        Some(value) if !value.is_boolean() => Err(wrong_type(at, name, "a boolean")),
        _ => Ok(()),
    }
}

/// A required `http` or `https` address.
pub(super) fn need_url(parent: &Value, at: &str, name: &str) -> Checked {
    let text = need_text(parent, at, name)?;
    if is_url(text) {
        return Ok(());
    }
    Err(invalid(format!("{} is not a valid URI.", path(at, name))))
}

pub(super) fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A parameter whose value breaks a rule.
pub(super) fn invalid(details: impl Into<String>) -> GraphError {
    GraphError::new(131_009, details)
}

pub(super) fn wrong_type(at: &str, name: &str, expected: &str) -> GraphError {
    GraphError::parameter(format!("Param {} must be {expected}.", path(at, name)))
}

fn within(text: &str, at: &str, name: &str, most: usize) -> Checked {
    if text.chars().count() <= most {
        return Ok(());
    }
    Err(invalid(format!("{} length invalid. Min length: 1, Max length: {most}", path(at, name))))
}

/// Refuses a list that names the same thing twice.
pub(super) fn distinct<'a>(values: impl Iterator<Item = &'a str>, what: &str) -> Checked {
    let mut seen = std::collections::BTreeSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(invalid(format!("{what} must be unique: {value}")));
        }
    }
    Ok(())
}
