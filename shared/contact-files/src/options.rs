//! How files are imported, and what becomes of their rows.

use std::collections::BTreeMap;

use domain::Invalid;
use domain::contact::NewContact;
use serde::{Deserialize, Serialize};

use crate::field::Field;

/// How a file is to be imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// Names of columns, or their places, and the fields that they hold.
    pub mapping: BTreeMap<String, String>,
    /// The country of numbers that are written without one: its calling code.
    pub country: Option<String>,
    /// The account that brings the contacts.
    pub account: Option<u64>,
    /// Tags of all rows.
    pub tags: Vec<String>,
    /// Nothing is written.
    pub is_dry_run: bool,
}

impl ImportOptions {
    /// Checks what does not depend on the file.
    ///
    /// # Errors
    /// Names `mapping` or `tags`.
    pub fn check(self) -> std::result::Result<Self, Invalid> {
        for field in self.mapping.values() {
            Field::parse(field)?;
        }
        // The rule for tags is that of a contact.
        let one =
            NewContact { external_id: Some("a:b".to_owned()), tags: self.tags, ..NewContact::default() };
        Ok(Self { tags: one.check()?.tags, ..self })
    }
}

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCounts {
    /// Rows that were read, without the empty ones.
    pub read: u64,
    /// Rows that made a contact.
    pub created: u64,
    /// Rows that were merged into one.
    pub updated: u64,
    /// Rows that were refused.
    pub failed: u64,
    /// Rows that were applied only in part.
    pub warnings: u64,
}
