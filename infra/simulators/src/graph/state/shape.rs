//! What a template expects from a message that uses it.

use serde_json::Value;

use super::{
    media::MediaKind,
    variables::{self, Variables},
};
use crate::graph::fields::{by_kind, field, kind, text};

#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) header: Header,
    pub(crate) body: Variables,
    pub(crate) buttons: Vec<Button>,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Header {
    /// Absent, or a text without variables.
    #[default]
    Fixed,
    Text(Variables),
    Media(MediaKind),
    Location,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    QuickReply,
    Url {
        variable: bool,
    },
    CopyCode,
    Flow,
    Catalog,
    Products,
    /// Buttons that take no parameters.
    Plain,
}

impl Shape {
    pub(super) fn of(components: &[Value]) -> Self {
        let list = by_kind(components, "BUTTONS").and_then(|component| field(component, "buttons"));
        let list = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let body = by_kind(components, "BODY").and_then(|body| text(body, "text"));
        Self {
            header: by_kind(components, "HEADER").map(header).unwrap_or_default(),
            body: body.map(variables::names).unwrap_or_default(),
            buttons: list.iter().map(button).collect(),
        }
    }
}

fn header(component: &Value) -> Header {
    let format = text(component, "format").unwrap_or_default();
    if format == "LOCATION" {
        return Header::Location;
    }
    if let Some(kind) = MediaKind::from_name(&format.to_ascii_lowercase()) {
        return Header::Media(kind);
    }
    let names = variables::names(text(component, "text").unwrap_or_default());
    if names.is_empty() { Header::Fixed } else { Header::Text(names) }
}

fn button(button: &Value) -> Button {
    match kind(button).as_str() {
        "QUICK_REPLY" => Button::QuickReply,
        "URL" => Button::Url { variable: text(button, "url").is_some_and(|url| url.contains("{{")) },
        "COPY_CODE" => Button::CopyCode,
        "FLOW" => Button::Flow,
        "CATALOG" => Button::Catalog,
        "MPM" => Button::Products,
        _ => Button::Plain,
    }
}
