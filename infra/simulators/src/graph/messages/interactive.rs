//! Validation of interactive messages.

use serde_json::Value;

use super::{
    commerce,
    fields::{
        Checked, distinct, invalid, need_array, need_object, need_short, need_text, need_url, path, short,
    },
    medium,
};
use crate::graph::{
    fields::field,
    state::{
        accounts::Token,
        media::{MediaKind, MediaShelf},
        world::World,
    },
};

const AT: &str = "interactive";
pub(super) const ACTION: &str = "interactive['action']";
const BODY_MOST: usize = 1_024;
const LIST_BODY_MOST: usize = 4_096;
const SHORT_MOST: usize = 60;

pub(super) fn check(content: &Value, world: &World, token: Token) -> Checked {
    let kind = need_text(content, AT, "type")?;
    let action = need_object(content, AT, "action")?;
    texts(content, kind)?;
    if let Some(header) = field(content, "header") {
        check_header(header, &path(AT, "header"), &world.media)?;
        let only_text = matches!(kind, "list" | "product_list");
        if only_text && field(header, "type").and_then(Value::as_str) != Some("text") {
            return Err(invalid(format!("interactive['header'] of a {kind} must be a text")));
        }
    }
    match kind {
        "button" => buttons(need_array(action, ACTION, "buttons")?),
        "list" => list(action),
        "cta_url" => cta_url(action),
        "flow"
        | "location_request_message"
        | "call_permission_request"
        | "order_details"
        | "address_message" => named(action, kind),
        "catalog_message" => {
            named(action, kind)?;
            commerce::catalog(action, world, token)
        }
        "order_status" => {
            named(action, kind)?;
            commerce::order_status(action)
        }
        "product" => commerce::product(action, world, token),
        "product_list" => {
            need_object(content, AT, "header")?;
            commerce::product_list(action, world, token)
        }
        _ => Err(invalid(format!("interactive['type'] is not known: {kind}"))),
    }
}

fn check_header(header: &Value, at: &str, media: &MediaShelf) -> Checked {
    let kind = need_text(header, at, "type")?;
    if kind == "text" {
        return need_short(header, at, "text", 60).map(drop);
    }
    match MediaKind::from_name(kind) {
        Some(media_kind @ (MediaKind::Image | MediaKind::Video | MediaKind::Document)) => {
            medium::check(need_object(header, at, kind)?, &path(at, kind), media_kind, media)
        }
        _ => Err(invalid(format!("{} must be one of text, image, video, document", path(at, "type")))),
    }
}

fn texts(content: &Value, kind: &str) -> Checked {
    let most = if kind == "list" { LIST_BODY_MOST } else { BODY_MOST };
    // A product and a call permission request may come without a text.
    let required = !matches!(kind, "product" | "call_permission_request");
    if required || field(content, "body").is_some() {
        let body = need_object(content, AT, "body")?;
        need_short(body, &path(AT, "body"), "text", most)?;
    }
    if field(content, "footer").is_some() {
        let footer = need_object(content, AT, "footer")?;
        need_short(footer, &path(AT, "footer"), "text", SHORT_MOST)?;
    }
    Ok(())
}

fn buttons(buttons: &[Value]) -> Checked {
    if !(1..=3).contains(&buttons.len()) {
        return Err(invalid(format!(
            "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3, given: {}",
            buttons.len()
        )));
    }
    let mut ids = Vec::with_capacity(buttons.len());
    for (index, button) in buttons.iter().enumerate() {
        let at = format!("{ACTION}['buttons'][{index}]");
        if need_text(button, &at, "type")? != "reply" {
            return Err(invalid(format!("{} must be reply", path(&at, "type"))));
        }
        let reply = need_object(button, &at, "reply")?;
        let reply_at = path(&at, "reply");
        ids.push(need_short(reply, &reply_at, "id", 256)?);
        need_short(reply, &reply_at, "title", 20)?;
    }
    distinct(ids.into_iter(), "button ids")
}

fn list(action: &Value) -> Checked {
    need_short(action, ACTION, "button", 20)?;
    let sections = need_array(action, ACTION, "sections")?;
    if !(1..=10).contains(&sections.len()) {
        return Err(invalid("Invalid sections count. Min allowed sections: 1, Max allowed sections: 10"));
    }
    let mut ids = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let at = format!("{ACTION}['sections'][{index}]");
        if sections.len() > 1 {
            need_short(section, &at, "title", 24)?;
        } else {
            short(section, &at, "title", 24)?;
        }
        let rows = need_array(section, &at, "rows")?;
        if rows.is_empty() {
            return Err(invalid(format!("{} must not be empty", path(&at, "rows"))));
        }
        for (row_index, row) in rows.iter().enumerate() {
            let row_at = format!("{at}['rows'][{row_index}]");
            ids.push(need_short(row, &row_at, "id", 200)?);
            need_short(row, &row_at, "title", 24)?;
            short(row, &row_at, "description", 72)?;
        }
    }
    if ids.len() > 10 {
        return Err(invalid(format!("Total row count exceed max allowed count: 10, given: {}", ids.len())));
    }
    distinct(ids.into_iter(), "row ids")
}

fn cta_url(action: &Value) -> Checked {
    if need_text(action, ACTION, "name")? != "cta_url" {
        return Err(invalid(format!("{} must be cta_url", path(ACTION, "name"))));
    }
    let parameters = need_object(action, ACTION, "parameters")?;
    let at = path(ACTION, "parameters");
    need_short(parameters, &at, "display_text", 20)?;
    need_url(parameters, &at, "url")
}

/// Types whose action is told by its name.
fn named(action: &Value, kind: &str) -> Checked {
    let expected = match kind {
        "location_request_message" => "send_location",
        "order_details" => "review_and_pay",
        "order_status" => "review_order",
        other => other,
    };
    if need_text(action, ACTION, "name")? != expected {
        return Err(invalid(format!("{} must be {expected}", path(ACTION, "name"))));
    }
    if kind == "flow" {
        let parameters = need_object(action, ACTION, "parameters")?;
        let at = path(ACTION, "parameters");
        need_text(parameters, &at, "flow_cta")?;
        need_text(parameters, &at, "flow_message_version")?;
        if field(parameters, "flow_id").is_none() {
            need_text(parameters, &at, "flow_name")?;
        }
    }
    Ok(())
}
