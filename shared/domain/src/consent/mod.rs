//! Opt-out and opt-in words, and what an opt-out blocks.

mod answer;
mod record;
mod words;

pub use answer::Answer;
pub use record::{ConsentProof, ConsentRecord};
pub use words::{Keyword, Keywords};

use crate::message::Category;

/// Whether an opt-out stops a message of this kind; `None` is free text.
/// Utility and authentication templates pass.
pub fn opt_out_blocks(category: Option<Category>) -> bool {
    match category {
        None | Some(Category::Marketing) => true,
        Some(Category::Utility | Category::Authentication) => false,
    }
}
