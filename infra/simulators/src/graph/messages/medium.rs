//! Validation of a media object, as media messages, headers and template parameters have one.

use serde_json::Value;

use super::fields::{Checked, invalid, is_url, path, short, wrong_type};
use crate::graph::{
    errors::GraphError,
    fields::field,
    state::media::{MediaKind, MediaShelf},
};

const CAPTION_MOST: usize = 1_024;
const FILENAME_MOST: usize = 240;

/// Exactly one of `id` and `link`, and what its kind may carry besides.
pub(super) fn check(content: &Value, at: &str, kind: MediaKind, media: &MediaShelf) -> Checked {
    let reference = |name| field(content, name).map(|value| value.as_str().ok_or(name)).transpose();
    let wrong = |name| wrong_type(at, name, "a string");
    match (reference("id").map_err(wrong)?, reference("link").map_err(wrong)?) {
        (Some(id), None) => uploaded(id, at, kind, media)?,
        (None, Some(link)) if !is_url(link) => {
            return Err(invalid(format!("{} is not a valid URI.", path(at, "link"))));
        }
        (None, Some(_)) => {}
        (Some(_), Some(_)) => {
            return Err(GraphError::parameter(format!("Param {at} must have either id or link, not both.")));
        }
        (None, None) => {
            return Err(GraphError::parameter(format!("Param {at} must have one of id, link.")));
        }
    }
    let captioned = !matches!(kind, MediaKind::Audio | MediaKind::Sticker);
    if !captioned && field(content, "caption").is_some() {
        return Err(GraphError::parameter(format!("Unexpected key \"caption\" on param \"{at}\".")));
    }
    if kind != MediaKind::Document && field(content, "filename").is_some() {
        return Err(GraphError::parameter(format!("Unexpected key \"filename\" on param \"{at}\".")));
    }
    short(content, at, "caption", CAPTION_MOST)?;
    short(content, at, "filename", FILENAME_MOST)
}

fn uploaded(id: &str, at: &str, kind: MediaKind, media: &MediaShelf) -> Checked {
    let known = media.get(id).ok_or_else(|| {
        let field = path(at, "id");
        GraphError::parameter(format!(
            "Param {field} is not a valid whatsapp business account media attachment ID"
        ))
    })?;
    if kind.accepts(&known.mime_type) {
        return Ok(());
    }
    Err(GraphError::new(131_053, format!("{} cannot be sent as {}", known.mime_type, kind.name())))
}
