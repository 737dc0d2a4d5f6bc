//! The rules for limited-time offers.
//!
//! Source: Meta's page `templates/marketing-templates/limited-time-offer-templates`.

use serde_json::Value;

use super::refusals::{self, BODY, HEADER, only_marketing, too_long};
use crate::graph::{
    errors::GraphError,
    fields::{by_kind, field, kind, text},
    state::lifecycle::Category,
};

const TEXT_MOST: usize = 16;
const BODY_MOST: usize = 600;

fn refused(problem: &str) -> GraphError {
    GraphError::template(refusals::COMPONENTS, "Invalid limited-time offer", problem)
}

pub(super) fn check(offer: &Value, components: &[Value], category: Category) -> Result<(), GraphError> {
    only_marketing(category, "limited-time offer")?;
    let offer = field(offer, "limited_time_offer").filter(|offer| offer.is_object());
    let offer =
        offer.ok_or_else(|| GraphError::parameter("The parameter limited_time_offer is required."))?;
    let label = text(offer, "text").filter(|label| !label.trim().is_empty());
    let label = label.ok_or_else(|| refused("A limited-time offer needs a text."))?;
    if label.chars().count() > TEXT_MOST {
        return Err(too_long("limited_time_offer", TEXT_MOST));
    }
    let ends = match field(offer, "has_expiration") {
        None => false,
        Some(ends) => {
            ends.as_bool().ok_or_else(|| GraphError::parameter("Param has_expiration must be a boolean."))?
        }
    };
    if by_kind(components, "FOOTER").is_some() {
        return Err(refused("A template with a limited-time offer has no footer."));
    }
    let header = by_kind(components, "HEADER").map(|header| text(header, "format").unwrap_or_default());
    if header.is_some_and(|format| !["image", "video"].iter().any(|good| good.eq_ignore_ascii_case(format))) {
        let problem = "The header of a limited-time offer is an image or a video.";
        return Err(GraphError::template(HEADER, "Invalid header", problem));
    }
    let body = by_kind(components, "BODY").and_then(|body| text(body, "text"));
    let body =
        body.ok_or_else(|| GraphError::template(BODY, "Missing body", "A template needs a BODY component."))?;
    if body.chars().count() > BODY_MOST {
        return Err(too_long("body", BODY_MOST));
    }
    let buttons =
        by_kind(components, "BUTTONS").and_then(|of| field(of, "buttons")).and_then(Value::as_array);
    let buttons = buttons.map_or(&[][..], Vec::as_slice);
    match buttons.iter().position(|button| kind(button) == "COPY_CODE") {
        None if ends => Err(refused("An offer with an expiration needs a copy code button.")),
        Some(1..) => Err(refused("The copy code button of an offer comes first.")),
        Some(0) | None => Ok(()),
    }
}
