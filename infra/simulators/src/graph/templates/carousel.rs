//! The rules for carousels of media and of products.
//!
//! Source: Meta's pages `media-card-carousel-templates` and `product-card-carousel-templates`.

use serde_json::Value;

use super::{
    buttons,
    refusals::{self, only_marketing, too_long},
    texts::{check_body_text, check_header},
};
use crate::graph::{
    errors::GraphError,
    fields::{by_kind, field, kind, text},
    state::lifecycle::Category,
};

const BODY_MOST: usize = 160;

fn refused(problem: impl Into<String>) -> GraphError {
    GraphError::template(refusals::COMPONENTS, "Invalid carousel", problem)
}

/// What all cards have in common.
#[derive(PartialEq, Eq)]
struct Card {
    format: String,
    has_body: bool,
    buttons: Vec<String>,
}

pub(super) fn check(
    carousel: &Value,
    components: &[Value],
    (category, named): (Category, bool),
) -> Result<(), GraphError> {
    only_marketing(category, "carousel")?;
    for other in ["HEADER", "FOOTER", "BUTTONS", "LIMITED_TIME_OFFER"] {
        if by_kind(components, other).is_some() {
            return Err(refused(format!("A template with a carousel has no {other} beside it.")));
        }
    }
    let cards = field(carousel, "cards").and_then(Value::as_array);
    let cards = cards.ok_or_else(|| GraphError::parameter("The parameter cards is required."))?;
    if !(2..=10).contains(&cards.len()) {
        return Err(refused(format!("A carousel has 2 to 10 cards, given: {}.", cards.len())));
    }
    let mut first = None;
    for card in cards {
        let parts = field(card, "components").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let card = check_card(parts, named)?;
        if *first.get_or_insert_with(|| Card {
            buttons: card.buttons.clone(),
            format: card.format.clone(),
            ..card
        }) != card
        {
            return Err(refused("All cards of a carousel must have the same components."));
        }
    }
    Ok(())
}

fn check_card(parts: &[Value], named: bool) -> Result<Card, GraphError> {
    if let Some(other) =
        parts.iter().map(kind).find(|kind| !matches!(kind.as_str(), "HEADER" | "BODY" | "BUTTONS"))
    {
        return Err(refused(format!("A card has no component of type {other}.")));
    }
    let header = by_kind(parts, "HEADER").ok_or_else(|| refused("A card needs a header."))?;
    let format = text(header, "format").unwrap_or_default().to_ascii_uppercase();
    if !matches!(format.as_str(), "IMAGE" | "VIDEO" | "PRODUCT") {
        return Err(refused("The header of a card is an image, a video or a product."));
    }
    check_header(header, named)?;
    let body = by_kind(parts, "BODY");
    if let Some(body) = body {
        if text(body, "text").is_some_and(|text| text.chars().count() > BODY_MOST) {
            return Err(too_long("body", BODY_MOST));
        }
        check_body_text(body, named)?;
    }
    let component = by_kind(parts, "BUTTONS").ok_or_else(|| refused("A card needs one or two buttons."))?;
    buttons::check(component)?;
    let list = field(component, "buttons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let kinds: Vec<String> = list.iter().map(kind).collect();
    let allowed: &[&str] =
        if format == "PRODUCT" { &["SPM", "URL"] } else { &["QUICK_REPLY", "URL", "PHONE_NUMBER"] };
    if kinds.len() > 2 || !kinds.iter().all(|kind| allowed.contains(&kind.as_str())) {
        return Err(refused(format!("A card has one or two buttons of type {}.", allowed.join(", "))));
    }
    Ok(Card { format, has_body: body.is_some(), buttons: kinds })
}
