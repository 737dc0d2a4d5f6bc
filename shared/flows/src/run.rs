//! A contact on its way through a flow.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::StepId;

/// Causes that are remembered, so that a copy of one does nothing.
const CAUSES: usize = 16;

/// A contact on its way through a flow. Whoever stores it raises `seq` with each write, on the
/// condition that it still is what was read: of two that advance a run one does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the flow by which it went last.
    pub version: u32,
    /// Where it is.
    pub at: At,
    /// What was answered and set.
    #[serde(default)]
    pub vars: Map<String, Value>,
    /// What the contact said last.
    #[serde(default)]
    pub reply: Option<Reply>,
    /// Wrong answers to the question at which it is.
    #[serde(default)]
    pub tries: u32,
    /// Steps since the contact said something.
    #[serde(default)]
    pub silent_steps: u32,
    /// Messages since the contact said something.
    #[serde(default)]
    pub silent_messages: u32,
    /// How often it was written.
    pub seq: u64,
    /// When the contact was heard last, or the run began, in milliseconds since 1970.
    pub heard_ms: i64,
    /// The causes that were heeded last.
    #[serde(default)]
    pub causes: Vec<String>,
}

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum At {
    /// About to take a step.
    Before {
        /// Which.
        step: StepId,
    },
    /// What the step does is being done: once more by whoever finds it so, under the same id.
    Doing {
        /// Which.
        step: StepId,
        /// A question is asked again.
        #[serde(default)]
        again: bool,
    },
    /// Waits for an answer.
    Asking {
        /// Which question.
        step: StepId,
        /// When it was asked, in milliseconds since 1970.
        asked_ms: i64,
        /// When it waits no longer.
        due_ms: Option<i64>,
    },
    /// Waits for a time.
    Waiting {
        /// Where.
        step: StepId,
        /// The time, in milliseconds since 1970.
        due_ms: i64,
    },
    /// Over.
    Ended {
        /// Why.
        why: Ending,
    },
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It came to an end.
    Finished,
    /// It was handed over to a person.
    HandedOver,
    /// The contact was not heard of for too long.
    Expired,
    /// The contact said STOP, or was deleted.
    OptedOut,
    /// It went round and round without a word of the contact.
    Loop,
    /// Its step is in the flow no more, or the flow ends its runs when it changes.
    Changed,
    /// The flow was deleted, or somebody ended the run.
    Cancelled,
    /// Another flow took its place.
    Replaced,
    /// A message could not be sent.
    Failed,
}

/// What a contact said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The text, or the title of what was tapped.
    pub text: String,
    /// The id of what was tapped.
    #[serde(default)]
    pub id: Option<String>,
    /// When it was said, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Run {
    /// A run that is about to take a flow's first step.
    pub fn new(version: u32, start: &str, now_ms: i64) -> Self {
        Self {
            version,
            at: At::Before { step: start.to_owned() },
            vars: Map::new(),
            reply: None,
            tries: 0,
            silent_steps: 0,
            silent_messages: 0,
            seq: 0,
            heard_ms: now_ms,
            causes: Vec::new(),
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.at, At::Ended { .. })
    }

    /// The step at which it is.
    pub fn step(&self) -> Option<&StepId> {
        match &self.at {
            At::Before { step }
            | At::Doing { step, .. }
            | At::Asking { step, .. }
            | At::Waiting { step, .. } => Some(step),
            At::Ended { .. } => None,
        }
    }

    /// When something is to be done though nobody says anything, in milliseconds since 1970.
    pub fn due_ms(&self, expires_hours: u32) -> Option<i64> {
        let expires = self.heard_ms + i64::from(expires_hours) * 3_600_000;
        match &self.at {
            At::Asking { due_ms, .. } => Some(due_ms.unwrap_or(expires).min(expires)),
            // Who waits for a time need not be heard of meanwhile.
            At::Waiting { due_ms, .. } => Some(*due_ms),
            At::Before { .. } | At::Doing { .. } | At::Ended { .. } => None,
        }
    }

    /// Takes note of a cause; answers whether it is new.
    pub fn heed(&mut self, cause: &str) -> bool {
        if self.causes.iter().any(|known| known == cause) {
            return false;
        }
        if self.causes.len() == CAUSES {
            self.causes.remove(0);
        }
        self.causes.push(cause.to_owned());
        true
    }

    pub(crate) fn end(&mut self, why: Ending) {
        self.at = At::Ended { why };
    }
}
