//! That somebody agreed to be written to, as a body tells it.

use jiff::Timestamp;

use super::node::Node;
use crate::consent::{Answer, ConsentProof};

/// Longest source and detail, in characters.
const MAX_PROOF: usize = 255;

/// A consent that a body tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptIn {
    at: Option<Timestamp>,
    source: Option<String>,
    detail: Option<String>,
}

impl OptIn {
    /// A yes, its time, or an object with `at`, `source` and `detail`. Whatever else it says is
    /// no consent.
    pub(super) fn read(value: &Node) -> Option<Self> {
        let said = Self { at: None, source: None, detail: None };
        match value {
            Node::Bool(true) => Some(said),
            Node::Text(text) | Node::Number(text) => {
                let Some(Answer::Yes(at)) = Answer::parse(text) else { return None };
                Some(Self { at, ..said })
            }
            Node::Map(_) => {
                let text = |name: &str| value.text(name).map(|text| text.chars().take(MAX_PROOF).collect());
                let at = text("at").map(|at: String| at.parse::<Timestamp>());
                // A time that cannot be read proves nothing.
                let at = at.transpose().ok()?;
                let (source, detail) = (text("source"), text("detail"));
                let is_told = at.is_some() || source.is_some();
                is_told.then_some(Self { at, source, detail })
            }
            Node::Null | Node::Bool(false) | Node::List(_) => None,
        }
    }

    /// The proof of it: of a body that came from `source`, at `now`, unless it says more.
    pub(super) fn proof(self, source: &str, now: Timestamp) -> ConsentProof {
        let at_ms = self.at.unwrap_or(now).min(now).as_millisecond();
        ConsentProof { at_ms, source: self.source.unwrap_or_else(|| source.to_owned()), detail: self.detail }
    }
}
