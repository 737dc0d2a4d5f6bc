//! What a template expects from a message that uses it.

use serde_json::Value;

use super::{
    media::MediaKind,
    variables::{self, Variables},
};
use crate::graph::fields::{by_kind, field, kind, text};

/// What a template, or a card of its carousel, expects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) header: Header,
    pub(crate) body: Variables,
    pub(crate) buttons: Vec<Button>,
    /// A limited-time offer that ends.
    pub(crate) offer: bool,
    /// The cards of the carousel.
    pub(crate) cards: Vec<Shape>,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Header {
    /// Absent, or a text without variables.
    #[default]
    Fixed,
    Text(Variables),
    Media(MediaKind),
    /// A short film that plays by itself.
    Gif,
    Location,
    Product,
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
    /// What is to be paid.
    Order,
    Voice,
    /// Buttons that take no parameters.
    Plain,
}

impl Shape {
    pub(super) fn of(components: &[Value]) -> Self {
        let list = |kind: &str, name: &str| {
            let list = by_kind(components, kind).and_then(|component| field(component, name));
            list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
        };
        let body = by_kind(components, "BODY").and_then(|body| text(body, "text"));
        let offer = by_kind(components, "LIMITED_TIME_OFFER").and_then(|of| field(of, "limited_time_offer"));
        let ends = offer.and_then(|offer| field(offer, "has_expiration")).and_then(Value::as_bool);
        let card = |card: &Value| {
            field(card, "components").and_then(Value::as_array).map_or_else(Self::default, |of| Self::of(of))
        };
        Self {
            header: by_kind(components, "HEADER").map(header).unwrap_or_default(),
            body: body.map(variables::names).unwrap_or_default(),
            buttons: list("BUTTONS", "buttons").iter().map(button).collect(),
            offer: ends.unwrap_or(false),
            cards: list("CAROUSEL", "cards").iter().map(card).collect(),
        }
    }
}

fn header(component: &Value) -> Header {
    let format = text(component, "format").unwrap_or_default();
    match format {
        "LOCATION" => return Header::Location,
        "PRODUCT" => return Header::Product,
        "GIF" => return Header::Gif,
        _ => {}
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
        "ORDER_DETAILS" => Button::Order,
        "VOICE_CALL" => Button::Voice,
        _ => Button::Plain,
    }
}
