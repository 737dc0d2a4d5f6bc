//! Lists by pages: their sizes and cursors.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::errors::GraphError;

const DEFAULT_LIMIT: usize = 25;

/// How many items are asked for.
pub(crate) fn limit(query: &BTreeMap<String, String>) -> Result<usize, GraphError> {
    match query.get("limit").map(|limit| limit.parse::<usize>()) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit)) if limit > 0 => Ok(limit),
        Some(_) => Err(GraphError::parameter("Param limit must be a positive integer.")),
    }
}

/// The cursor of an item.
pub(crate) fn cursor(seq: u64) -> String {
    URL_SAFE_NO_PAD.encode(seq.to_string())
}

/// The item that a cursor is of.
pub(crate) fn position(cursor: &str) -> Result<u64, GraphError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let seq = text.and_then(|text| text.parse().ok());
    seq.ok_or_else(|| GraphError::parameter("Param after or before is not a valid cursor."))
}

/// The address of a page behind or before a cursor. `address` is the request without its query.
pub(crate) fn link(address: &str, query: &BTreeMap<String, String>, direction: &str, cursor: &str) -> String {
    let start = address.len() + 1;
    let mut link = url::form_urlencoded::Serializer::for_suffix(format!("{address}?"), start);
    for (name, value) in query {
        if !matches!(name.as_str(), "after" | "before" | "access_token") {
            link.append_pair(name, value);
        }
    }
    link.append_pair(direction, cursor);
    link.finish()
}
