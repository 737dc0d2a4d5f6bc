//! What Meta checks before it takes a template into review.

use serde_json::Value;

use super::{
    authentication, buttons, carousel, offer,
    refusals::{BODY, too_long},
    texts::{check_body_text, check_header},
};
use crate::graph::{
    errors::GraphError,
    fields::{by_kind, field, kind, text},
    state::lifecycle::Category,
};

const NAME_MOST: usize = 512;
const FOOTER_MOST: usize = 60;
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

fn check_footer(footer: &Value) -> Result<(), GraphError> {
    let content = text(footer, "text").filter(|content| !content.trim().is_empty());
    let content =
        content.ok_or_else(|| GraphError::template(FOOTER, "Missing footer", "The footer needs a text."))?;
    if content.chars().count() > FOOTER_MOST {
        return Err(too_long("footer", FOOTER_MOST));
    }
    if content.contains("{{") {
        return Err(GraphError::template(FOOTER, "Invalid footer", "A footer has no variables."));
    }
    Ok(())
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
