//! What Meta checks before it takes a template into review.

use serde_json::Value;

use super::{
    authentication, buttons, carousel, offer,
    refusals::{BODY, HEADER, missing_sample, too_long},
    variables,
};
use crate::graph::{
    errors::GraphError,
    fields::{by_kind, field, kind, text},
    state::lifecycle::Category,
};

const NAME_MOST: usize = 512;
const BODY_MOST: usize = 1_024;
const SHORT_MOST: usize = 60;
const FOOTER: u32 = 2_388_073;
const KINDS: [&str; 8] = [
    "HEADER",
    "BODY",
    "FOOTER",
    "BUTTONS",
    "LIMITED_TIME_OFFER",
    "CAROUSEL",
    "CALL_PERMISSION_REQUEST",
    "ORDER_STATUS",
];

/// A template that passed.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) name: String,
    pub(super) language: String,
    pub(super) category: Category,
    pub(super) named: bool,
    pub(super) components: Vec<Value>,
}

pub(super) fn check(request: &Value) -> Result<Accepted, GraphError> {
    let name = required(request, "name")?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() > NAME_MOST || !name.bytes().all(allowed) {
        return Err(GraphError::parameter(format!(
            "Param name must be lower-case letters, digits and underscores, at most {NAME_MOST}."
        )));
    }
    let language = required(request, "language")?;
    if !is_language(language) {
        return Err(GraphError::parameter("Param language must be a supported language code."));
    }
    let category = category(required(request, "category")?)?;
    let named = match text(request, "parameter_format").map(str::to_ascii_uppercase).as_deref() {
        None | Some("POSITIONAL") => false,
        Some("NAMED") => true,
        Some(_) => {
            return Err(GraphError::parameter("Param parameter_format must be one of {NAMED, POSITIONAL}."));
        }
    };
    let components = field(request, "components").and_then(Value::as_array).filter(|list| !list.is_empty());
    let components =
        components.ok_or_else(|| GraphError::parameter("The parameter components is required."))?;
    check_kinds(components)?;
    let components = if category == Category::Authentication {
        authentication::check(components)?
    } else {
        check_components(components, category, named)?
    };
    Ok(Accepted { name: name.to_owned(), language: language.to_owned(), category, named, components })
}

fn check_kinds(components: &[Value]) -> Result<(), GraphError> {
    let mut seen = Vec::new();
    for component in components {
        let kind = kind(component);
        if !KINDS.contains(&kind.as_str()) {
            return Err(GraphError::parameter(format!("Unexpected component type {kind}.")));
        }
        if seen.contains(&kind) {
            return Err(GraphError::parameter(format!("Only one {kind} component is allowed.")));
        }
        seen.push(kind);
    }
    Ok(())
}

fn check_components(components: &[Value], category: Category, named: bool) -> Result<Vec<Value>, GraphError> {
    let body = by_kind(components, "BODY")
        .ok_or_else(|| GraphError::template(BODY, "Missing body", "A template needs a BODY component."))?;
    check_body_text(body, named)?;
    if let Some(offer) = by_kind(components, "LIMITED_TIME_OFFER") {
        offer::check(offer, components, category)?;
    }
    if let Some(carousel) = by_kind(components, "CAROUSEL") {
        carousel::check(carousel, components, (category, named))?;
    }
    if let Some(header) = by_kind(components, "HEADER") {
        check_header(header, named)?;
    }
    if let Some(footer) = by_kind(components, "FOOTER") {
        check_footer(footer)?;
    }
    if let Some(component) = by_kind(components, "BUTTONS") {
        buttons::check(component)?;
    }
    Ok(components.iter().map(uppercased).collect())
}

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
            if content.chars().count() > SHORT_MOST {
                return Err(too_long("header", SHORT_MOST));
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

fn check_footer(footer: &Value) -> Result<(), GraphError> {
    let content = text(footer, "text").filter(|content| !content.trim().is_empty());
    let content =
        content.ok_or_else(|| GraphError::template(FOOTER, "Missing footer", "The footer needs a text."))?;
    if content.chars().count() > SHORT_MOST {
        return Err(too_long("footer", SHORT_MOST));
    }
    if content.contains("{{") {
        return Err(GraphError::template(FOOTER, "Invalid footer", "A footer has no variables."));
    }
    Ok(())
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

fn category(name: &str) -> Result<Category, GraphError> {
    match name {
        "MARKETING" => Ok(Category::Marketing),
        "UTILITY" => Ok(Category::Utility),
        "AUTHENTICATION" => Ok(Category::Authentication),
        _ => {
            Err(GraphError::parameter("Param category must be one of {AUTHENTICATION, MARKETING, UTILITY}."))
        }
    }
}

/// `en`, `en_US`, `fil`, `zh_CN`.
fn is_language(code: &str) -> bool {
    let (language, region) = code.split_once('_').map_or((code, None), |(first, rest)| (first, Some(rest)));
    let letters = |text: &str, upper: bool| {
        (2..=3).contains(&text.len())
            && text
                .bytes()
                .all(|byte| if upper { byte.is_ascii_uppercase() } else { byte.is_ascii_lowercase() })
    };
    letters(language, false) && region.is_none_or(|region| letters(region, true))
}

/// A component, a card or a button with its type and format as Meta shows them.
fn uppercased(component: &Value) -> Value {
    let mut shown = component.clone();
    for name in ["type", "format"] {
        if let Some(value) = text(component, name) {
            shown[name] = Value::String(value.to_ascii_uppercase());
        }
    }
    for name in ["cards", "components", "buttons"] {
        if let Some(list) = field(component, name).and_then(Value::as_array) {
            shown[name] = list.iter().map(uppercased).collect();
        }
    }
    shown
}

fn required<'a>(request: &'a Value, name: &str) -> Result<&'a str, GraphError> {
    let value = text(request, name).filter(|value| !value.is_empty());
    value.ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required.")))
}
