//! Labels: tags that have a number, as the Sendwo contract names them.

use crate::contact::{MAX_TAG, clean_tags};
use crate::{Invalid, LabelId};

/// Most labels of a tenant. Tags beyond go without a number.
pub const MAX_LABELS: u64 = 10_000;

/// A label: a tag, and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its number, which stays the same.
    pub id: LabelId,
    /// The tag, as it was first written.
    pub name: String,
}

/// The name of a label: a tag, within its limit.
///
/// # Errors
/// Names the field `name`.
pub fn clean_label(name: &str) -> Result<String, Invalid> {
    let name = clean_tags([name]).pop().unwrap_or_default();
    if name.is_empty() {
        return Err(Invalid::new("name", "name must not be empty"));
    }
    if name.chars().count() > MAX_TAG {
        return Err(Invalid::new("name", format!("name may have at most {MAX_TAG} characters")));
    }
    Ok(name)
}
