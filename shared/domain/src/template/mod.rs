//! WhatsApp templates: what they ask for, how parameters fill them, and how one
//! is created.

mod create;
mod filling;
mod params;
mod preview;
mod rules;
mod samples;
mod slot;
mod surplus;
mod tidy;

pub use create::{NewTemplate, TemplateRequest};
pub use filling::{FilledText, Filling, TemplateFile};
pub use params::{ButtonParam, LocationParam, Param, Params, ProductParam, SectionParam};
pub use preview::preview;
pub use samples::FileSample;
pub use slot::{ButtonKind, Place, Slot, all_slots, slots};
pub use surplus::surplus;
pub use tidy::tidy;

use serde_json::Value;

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
    fn text_of(&self, kind: &str) -> &str {
        let component = self.components.iter().find(|component| slot::upper(component, "type") == kind);
        component.map_or("", |component| slot::text(component, "text"))
    }
}
