//! The refusals that the parts of a template share, with Meta's subcodes.

use crate::graph::{errors::GraphError, state::lifecycle::Category};

pub(super) const HEADER: u32 = 2_388_047;
pub(super) const BODY: u32 = 2_388_072;
/// Components that do not go together.
pub(super) const COMPONENTS: u32 = 2_388_000;
const CHARACTER_LIMIT: u32 = 2_388_040;
const MISSING_SAMPLE: u32 = 2_388_043;

pub(super) fn too_long(part: &str, most: usize) -> GraphError {
    let text = format!("The {part} has more than {most} characters.");
    GraphError::template(CHARACTER_LIMIT, "Character limit exceeded", text)
}

pub(super) fn missing_sample(part: &str) -> GraphError {
    let text = format!("component of type {part} is missing expected field(s) (example)");
    GraphError::template(
        MISSING_SAMPLE,
        "Message template \"components\" param is missing expected field(s)",
        text,
    )
}

/// Refuses what only a template of category MARKETING may have.
pub(super) fn only_marketing(category: Category, what: &str) -> Result<(), GraphError> {
    if category == Category::Marketing {
        return Ok(());
    }
    let text = format!("Only a template of category MARKETING has a {what}.");
    Err(GraphError::template(COMPONENTS, "Invalid category", text))
}
