//! Opt-out and opt-in words, and what an opt-out blocks.

mod record;

pub use record::{ConsentProof, ConsentRecord};

use crate::message::Category;

/// What a whole inbound message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// No more messages.
    OptOut,
    /// Messages again.
    OptIn,
    /// The account's help text.
    Help,
}

const OPT_OUT: [&str; 14] = [
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "opt out",
    "arresta",
    "cancella",
    "cancellami",
    "disiscrivimi",
    "annulla",
];
const OPT_IN: [&str; 4] = ["start", "yes", "unstop", "inizia"];
const HELP: [&str; 3] = ["help", "info", "aiuto"];

/// Reads a keyword from a message that consists of nothing else, after
/// trimming, case-folding and dropping punctuation.
pub fn keyword(text: &str) -> Option<Keyword> {
    let words: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let folded = words.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if OPT_OUT.contains(&folded.as_str()) {
        Some(Keyword::OptOut)
    } else if OPT_IN.contains(&folded.as_str()) {
        Some(Keyword::OptIn)
    } else if HELP.contains(&folded.as_str()) {
        Some(Keyword::Help)
    } else {
        None
    }
}

/// Whether an opt-out stops a message of this kind; `None` is free text.
/// Utility and authentication templates pass.
pub fn opt_out_blocks(category: Option<Category>) -> bool {
    match category {
        None | Some(Category::Marketing) => true,
        Some(Category::Utility | Category::Authentication) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_messages_only() {
        for text in ["STOP", " stop. ", "Stop!", "opt-out", "OPT OUT", "Cancellami", "ANNULLA", "«stop»"] {
            assert_eq!(keyword(text), Some(Keyword::OptOut), "{text}");
        }
        for text in ["start", "Yes!", "UNSTOP", "inizia"] {
            assert_eq!(keyword(text), Some(Keyword::OptIn), "{text}");
        }
        assert_eq!(keyword("Aiuto?"), Some(Keyword::Help));
        for text in ["please stop", "stop it", "", "yes please", "non stop"] {
            assert_eq!(keyword(text), None, "{text}");
        }
    }
}
