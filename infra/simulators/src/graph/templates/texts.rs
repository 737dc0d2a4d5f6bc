//! What Meta checks of a body and a header, of a template or of a card.

use serde_json::Value;

use super::{
    refusals::{BODY, HEADER, missing_sample, too_long},
    variables,
};
use crate::graph::{
    errors::GraphError,
    fields::{field, text},
};

const BODY_MOST: usize = 1_024;
const HEADER_MOST: usize = 60;

/// The text of a body, of a template or of a card.
pub(super) fn check_body_text(body: &Value, named: bool) -> Result<(), GraphError> {
    let content = text(body, "text").filter(|content| !content.trim().is_empty());
    let content =
        content.ok_or_else(|| GraphError::template(BODY, "Missing body", "The body needs a text."))?;
    if content.chars().count() > BODY_MOST {
        return Err(too_long("body", BODY_MOST));
    }
    let names = variables::check_names(content, named, BODY)?;
    variables::check_placement(content)?;
    check_samples(body, "BODY", &names, named)
}

pub(super) fn check_header(header: &Value, named: bool) -> Result<(), GraphError> {
    let format = text(header, "format").unwrap_or_default().to_ascii_uppercase();
    match format.as_str() {
        "TEXT" => {
            let content = text(header, "text").filter(|content| !content.trim().is_empty());
            let content = content
                .ok_or_else(|| GraphError::template(HEADER, "Missing header", "The header needs a text."))?;
            if content.chars().count() > HEADER_MOST {
                return Err(too_long("header", HEADER_MOST));
            }
            let names = variables::check_names(content, named, HEADER)?;
            if names.len() > 1 {
                return Err(GraphError::template(
                    HEADER,
                    "Too many variables",
                    "A header has at most one variable.",
                ));
            }
            check_samples(header, "HEADER", &names, named)
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" | "GIF" => {
            let handle = field(header, "example").and_then(|example| field(example, "header_handle"));
            let given =
                handle.and_then(Value::as_array).and_then(|handles| handles.first()).and_then(Value::as_str);
            if given.is_some_and(|handle| !handle.is_empty()) {
                Ok(())
            } else {
                Err(missing_sample("HEADER"))
            }
        }
        "LOCATION" | "PRODUCT" => Ok(()),
        _ => Err(GraphError::template(
            HEADER,
            "Invalid header",
            "format must be TEXT, IMAGE, VIDEO, GIF, DOCUMENT, LOCATION or PRODUCT",
        )),
    }
}

/// Every variable needs a sample.
fn check_samples(component: &Value, part: &str, names: &[String], named: bool) -> Result<(), GraphError> {
    if names.is_empty() {
        return Ok(());
    }
    let lower = part.to_ascii_lowercase();
    let example = field(component, "example").ok_or_else(|| missing_sample(part))?;
    let complete = if named {
        let samples = field(example, &format!("{lower}_text_named_params")).and_then(Value::as_array);
        samples.is_some_and(|samples| names.iter().all(|name| has_named_sample(samples, name)))
    } else {
        let samples = field(example, &format!("{lower}_text")).and_then(Value::as_array);
        // A body's samples are a list of lists, a header's a list.
        let samples = if part == "BODY" {
            samples.and_then(|sets| sets.first()).and_then(Value::as_array)
        } else {
            samples
        };
        samples.is_some_and(|samples| samples.len() == names.len() && samples.iter().all(is_filled))
    };
    if complete { Ok(()) } else { Err(missing_sample(part)) }
}

fn has_named_sample(samples: &[Value], name: &str) -> bool {
    samples.iter().any(|sample| {
        text(sample, "param_name") == Some(name) && field(sample, "example").is_some_and(is_filled)
    })
}

fn is_filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}
