//! Values of a template's texts and headers.

use serde_json::Value;

use super::super::fields::{Checked, need_object, need_text, path};
use crate::graph::{errors::GraphError, fields::field};

/// One value of a text: text, or a localisable currency or date.
pub(super) fn check_value(parameter: &Value, part: &str, at: &str) -> Checked {
    let kind = need_text(parameter, at, "type")?;
    let text = match kind {
        "text" => field(parameter, "text").and_then(Value::as_str).unwrap_or_default(),
        "currency" | "date_time" => {
            let value = need_object(parameter, at, kind)?;
            need_text(value, &path(at, kind), "fallback_value")?
        }
        other => {
            let problem =
                format!("{part}: Format mismatch, expected TEXT, received {}", other.to_ascii_uppercase());
            return Err(GraphError::new(132_012, problem));
        }
    };
    if text.trim().is_empty() {
        return Err(GraphError::new(131_008, "Parameter of type text is missing text value"));
    }
    if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
        let problem = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(GraphError::new(132_018, problem));
    }
    Ok(())
}

/// The only parameter of a media, location or product header.
pub(super) fn sole<'a>(parameters: &'a [Value], at: &str, kind: &str) -> Checked<&'a Value> {
    let mismatch = |received: &str| {
        let (expected, received) = (kind.to_ascii_uppercase(), received.to_ascii_uppercase());
        let problem = format!("header: Format mismatch, expected {expected}, received {received}");
        GraphError::new(132_012, problem)
    };
    match parameters {
        [] => Err(mismatch("unknown")),
        [parameter] => {
            let given = need_text(parameter, &format!("{at}[0]"), "type")?;
            if given == kind {
                need_object(parameter, &format!("{at}[0]"), kind)
            } else {
                Err(mismatch(given))
            }
        }
        more => Err(count_mismatch("header", more.len(), 1)),
    }
}

pub(super) fn count_mismatch(part: &str, given: usize, expected: usize) -> GraphError {
    let problem = format!(
        "{part}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
    );
    GraphError::new(132_000, problem)
}
