//! How files are imported, and what becomes of their rows.

use std::collections::BTreeMap;

use domain::contact::NewContact;
use domain::{CallingCode, Invalid};
use serde::{Deserialize, Serialize};
use tables::Charset;

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
    /// The encoding of the file, by its name, where it is not to be guessed.
    pub encoding: Option<String>,
    /// Nothing is written.
    pub is_dry_run: bool,
}

impl ImportOptions {
    /// Checks what does not depend on the file.
    ///
    /// # Errors
    /// Names `mapping`, `tags` or `encoding`.
    pub fn check(self) -> std::result::Result<Self, Invalid> {
        if let Some(name) = self.encoding.as_ref().filter(|_| self.charset().is_none()) {
            let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            let message = format!(
                "encoding: {name} is no encoding that we know: use its name of the web, such as utf-8, \
                 windows-1252 or macintosh, or ibm850"
            );
            return Err(Invalid::new("encoding", message));
        }
        for field in self.mapping.values() {
            Field::parse(field)?;
        }
        // The rule for tags is that of a contact.
        let one =
            NewContact { external_id: Some("a:b".to_owned()), tags: self.tags, ..NewContact::default() };
        Ok(Self { tags: one.check()?.tags, ..self })
    }

    /// The country that is told.
    pub(crate) fn calling_code(&self) -> Option<CallingCode> {
        self.country.as_deref().and_then(|country| CallingCode::parse(country).ok())
    }

    /// The encoding that is told.
    pub(crate) fn charset(&self) -> Option<Charset> {
        self.encoding.as_deref().and_then(Charset::named)
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
