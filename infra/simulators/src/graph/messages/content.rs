//! Validation of messages that are no template: which type has which rules, and the short ones.

use serde_json::Value;

use super::{
    fields::{Checked, flag, invalid, need, need_array, need_object, need_text, path, short, wrong_type},
    interactive, medium,
};
use crate::graph::{
    errors::GraphError,
    fields::field,
    state::{accounts::Token, media::MediaKind, world::World},
};

const TEXT_MOST: usize = 4_096;
const CONTACTS_MOST: usize = 257;

/// Checks the content of a message that is no template.
pub(super) fn check(kind: &str, body: &Value, world: &World, token: Token) -> Checked {
    match kind {
        "text" => text(need_object(body, "", "text")?),
        "location" => location(need_object(body, "", "location")?, "location"),
        "contacts" => contacts(need_array(body, "", "contacts")?),
        "reaction" => reaction(need_object(body, "", "reaction")?),
        "interactive" => interactive::check(need_object(body, "", "interactive")?, world, token),
        _ => match MediaKind::from_name(kind) {
            Some(media_kind) => medium::check(need_object(body, "", kind)?, kind, media_kind, &world.media),
            None => Err(GraphError::parameter(
                "Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, \
                 REACTION, STICKER, TEMPLATE, TEXT, VIDEO}.",
            )),
        },
    }
}

fn text(content: &Value) -> Checked {
    let body = need_text(content, "text", "body")?;
    if body.chars().count() > TEXT_MOST {
        let problem = format!("Param text['body'] must be at most {TEXT_MOST} characters long.");
        return Err(GraphError::parameter(problem));
    }
    flag(content, "text", "preview_url")
}

pub(super) fn location(content: &Value, at: &str) -> Checked {
    for (name, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        let value = need(content, at, name)?;
        let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        let number = number.ok_or_else(|| wrong_type(at, name, "a number"))?;
        if !(-most..=most).contains(&number) {
            return Err(invalid(format!("{} is out of range", path(at, name))));
        }
    }
    short(content, at, "name", 1_000)?;
    short(content, at, "address", 1_000)
}

fn contacts(contacts: &[Value]) -> Checked {
    if contacts.is_empty() || contacts.len() > CONTACTS_MOST {
        return Err(invalid(format!("contacts must have 1 to {CONTACTS_MOST} entries")));
    }
    for (index, contact) in contacts.iter().enumerate() {
        let at = format!("contacts[{index}]");
        let name = need_object(contact, &at, "name")?;
        let name_at = path(&at, "name");
        need_text(name, &name_at, "formatted_name")?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        if !parts.iter().any(|part| field(name, part).is_some()) {
            let problem = format!("Param {name_at} needs one more name than formatted_name.");
            return Err(GraphError::parameter(problem));
        }
        for list in ["phones", "emails", "urls", "addresses"] {
            if field(contact, list).is_some_and(|value| !value.is_array()) {
                return Err(wrong_type(&at, list, "a JSON array"));
            }
        }
    }
    Ok(())
}

fn reaction(content: &Value) -> Checked {
    need_text(content, "reaction", "message_id")?;
    // An empty emoji removes the reaction.
    let emoji = need(content, "reaction", "emoji")?;
    let emoji = emoji.as_str().ok_or_else(|| wrong_type("reaction", "emoji", "a string"))?;
    if emoji.chars().count() > 16 || emoji.chars().any(|char| char.is_ascii_alphanumeric()) {
        return Err(invalid("reaction['emoji'] must be one emoji"));
    }
    Ok(())
}
