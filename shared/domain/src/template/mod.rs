//! WhatsApp templates: what they ask for, how parameters fill them, and how one
//! is created.

mod create;
mod fill;
mod preview;

pub use create::{NewTemplate, TemplateRequest};
pub use fill::{Param, Params, Variable, fill, slots};
pub use preview::preview;

use serde_json::Value;

use crate::media::MediaKind;
use crate::message::Category;

/// Whether Meta lets a template be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateStatus {
    /// It may be sent.
    Approved,
    /// Meta has not decided yet.
    Pending,
    /// Meta refused it.
    Rejected,
    /// `PAUSED`, `DISABLED` and whatever Meta adds.
    Other(String),
}

impl TemplateStatus {
    /// Reads Meta's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "APPROVED" => Self::Approved,
            "PENDING" => Self::Pending,
            "REJECTED" => Self::Rejected,
            other => Self::Other(other.to_owned()),
        }
    }

    /// As Meta writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Approved => "APPROVED",
            Self::Pending => "PENDING",
            Self::Rejected => "REJECTED",
            Self::Other(text) => text,
        }
    }
}

/// A template as Meta lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Meta's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language code.
    pub language: String,
    /// Its category.
    pub category: Option<Category>,
    /// Whether it may be sent.
    pub status: TemplateStatus,
    /// Meta's `components` array, unchanged.
    pub components: Vec<Value>,
}

/// The variables of a text, in order of first use: `1`, `2` or names.
pub fn variables(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start + 2..].find("}}") else { break };
        let name = rest[start + 2..start + 2 + length].trim();
        let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits && !found.iter().any(|v| v == name) {
            found.push(name.to_owned());
        }
        rest = &rest[start + length + 4..];
    }
    found
}

impl Template {
    /// The media kind of the header, when it has one.
    pub fn header_media(&self) -> Option<MediaKind> {
        let header = self.component("HEADER")?;
        match header.get("format").and_then(Value::as_str)? {
            "IMAGE" => Some(MediaKind::Image),
            "VIDEO" => Some(MediaKind::Video),
            "DOCUMENT" => Some(MediaKind::Document),
            _ => None,
        }
    }

    fn component(&self, kind: &str) -> Option<&Value> {
        self.components
            .iter()
            .find(|c| c.get("type").and_then(Value::as_str).is_some_and(|t| t.eq_ignore_ascii_case(kind)))
    }

    fn text_of(&self, kind: &str) -> &str {
        self.component(kind).and_then(|c| c.get("text")).and_then(Value::as_str).unwrap_or_default()
    }

    fn buttons(&self) -> &[Value] {
        self.component("BUTTONS")
            .and_then(|c| c.get("buttons"))
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}
