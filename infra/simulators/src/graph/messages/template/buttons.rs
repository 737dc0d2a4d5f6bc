//! What a message gives the buttons of its template, or of a card.

use serde_json::Value;

use super::super::fields::{Checked, invalid, need_array, need_object, need_short, need_text, path};
use super::values::{check_value, count_mismatch};
use crate::graph::{errors::GraphError, fields::field, state::shape::Button};

/// Meta's words for what a button of a message is.
const SUB_TYPES: [&str; 10] = [
    "booking_confirmation",
    "catalog",
    "copy_code",
    "flow",
    "mpm",
    "order_details",
    "quick_reply",
    "reminder",
    "url",
    "voice_call",
];
const CODE_MOST: usize = 15;
const SECTIONS_MOST: usize = 10;
const PRODUCTS_MOST: usize = 30;

/// Checks the buttons that are given, each with its path, against those of the template.
pub(super) fn check<'a>(buttons: &[Button], given: impl Iterator<Item = (String, &'a Value)>) -> Checked {
    let mut filled = vec![false; buttons.len()];
    for (at, component) in given {
        let index = button_index(component, &at)?;
        let (Some(button), Some(mark)) = (buttons.get(index), filled.get_mut(index)) else {
            return Err(GraphError::new(
                132_000,
                format!("buttons: Template does not contain a button at index {index}"),
            ));
        };
        *mark = true;
        check_button(button, index, component, &at)?;
    }
    for (index, (button, filled)) in buttons.iter().zip(filled).enumerate() {
        if let (Some(kind), false) = (required(button), filled) {
            return Err(missing(index, kind));
        }
    }
    Ok(())
}

/// What a button is called that cannot be left out.
fn required(button: &Button) -> Option<&'static str> {
    match button {
        Button::Url { variable: true } => Some("Url"),
        Button::CopyCode => Some("CopyCode"),
        Button::Flow => Some("Flow"),
        Button::Products => Some("Mpm"),
        Button::Order => Some("OrderDetails"),
        Button::Url { variable: false }
        | Button::QuickReply
        | Button::Catalog
        | Button::Voice
        | Button::Plain => None,
    }
}

fn missing(index: usize, kind: &str) -> GraphError {
    GraphError::new(131_008, format!("buttons: Button at index {index} of type {kind} requires a parameter"))
}

/// The index of a button, which may be a string or a number.
fn button_index(component: &Value, at: &str) -> Checked<usize> {
    let index = field(component, "index");
    let number = index.and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok()));
    let index = number.and_then(|number| usize::try_from(number).ok()).filter(|index| *index < 10);
    index.ok_or_else(|| invalid(format!("{} must be between 0 and 9", path(at, "index"))))
}

fn check_button(button: &Button, index: usize, component: &Value, at: &str) -> Checked {
    let sub_type = need_text(component, at, "sub_type")?.to_ascii_lowercase();
    if !SUB_TYPES.contains(&sub_type.as_str()) {
        let known = SUB_TYPES.join(", ").to_ascii_uppercase();
        let at = path(at, "sub_type");
        return Err(GraphError::parameter(format!(
            "Param {at} must be one of {{{known}}} - got \"{sub_type}\"."
        )));
    }
    if sub_type != sub_type_of(button) {
        let problem = format!("buttons: Button at index {index} is not of type {sub_type}");
        return Err(GraphError::new(132_012, problem));
    }
    let parameters = match field(component, "parameters") {
        Some(_) => need_array(component, at, "parameters")?,
        None => &[],
    };
    let first_at = format!("{}[0]", path(at, "parameters"));
    match (button, parameters) {
        (Button::Url { variable: false }, [_, ..]) => {
            let problem = format!("buttons: Button at index {index} of type Url does not require parameters");
            Err(GraphError::new(132_018, problem))
        }
        (Button::Url { variable: true }, [parameter]) => check_value(parameter, "buttons", &first_at),
        (Button::CopyCode, [parameter]) => {
            need_short(parameter, &first_at, "coupon_code", CODE_MOST).map(drop)
        }
        (Button::Products | Button::Order, []) => Err(missing(index, required(button).unwrap_or_default())),
        (Button::Url { variable: true } | Button::CopyCode, _) => {
            Err(count_mismatch("buttons", parameters.len(), 1))
        }
        (Button::Products, [parameter]) => check_products(action(parameter, &first_at)?, &first_at),
        (Button::Order, [parameter]) => {
            let details = action(parameter, &first_at)?;
            need_object(details, &path(&first_at, "action"), "order_details").map(drop)
        }
        (Button::Flow | Button::Catalog, [parameter]) => action(parameter, &first_at).map(drop),
        (_, [] | [_]) => Ok(()),
        (_, _) => Err(count_mismatch("buttons", parameters.len(), 1)),
    }
}

/// What a message calls a button of this kind.
fn sub_type_of(button: &Button) -> &'static str {
    match button {
        Button::QuickReply => "quick_reply",
        Button::Url { .. } => "url",
        Button::CopyCode => "copy_code",
        Button::Flow => "flow",
        Button::Catalog => "catalog",
        Button::Products => "mpm",
        Button::Order => "order_details",
        Button::Voice => "voice_call",
        Button::Plain => "",
    }
}

/// The action of a parameter, which is all that it has.
fn action<'a>(parameter: &'a Value, at: &str) -> Checked<&'a Value> {
    let kind = need_text(parameter, at, "type")?;
    if kind != "action" {
        let received = kind.to_ascii_uppercase();
        let problem = format!("buttons: Format mismatch, expected ACTION, received {received}");
        return Err(GraphError::new(132_012, problem));
    }
    need_object(parameter, at, "action")
}

/// Sections of products; a title is needed where there are several.
fn check_products(action: &Value, at: &str) -> Checked {
    let at = path(at, "action");
    need_text(action, &at, "thumbnail_product_retailer_id")?;
    let sections = need_array(action, &at, "sections")?;
    if !(1..=SECTIONS_MOST).contains(&sections.len()) {
        let problem = format!("{} must have 1 to {SECTIONS_MOST} entries", path(&at, "sections"));
        return Err(invalid(problem));
    }
    let mut products = 0;
    for (index, section) in sections.iter().enumerate() {
        let at = format!("{}[{index}]", path(&at, "sections"));
        if sections.len() > 1 || field(section, "title").is_some() {
            need_short(section, &at, "title", 24)?;
        }
        let items = need_array(section, &at, "product_items")?;
        for (index, item) in items.iter().enumerate() {
            need_text(item, &format!("{}[{index}]", path(&at, "product_items")), "product_retailer_id")?;
        }
        products += items.len();
    }
    if !(1..=PRODUCTS_MOST).contains(&products) {
        return Err(invalid(format!("{} must have 1 to {PRODUCTS_MOST} products", path(&at, "sections"))));
    }
    Ok(())
}
