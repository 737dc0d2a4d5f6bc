//! A contact on its way through a flow.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::StepId;

/// Causes that are remembered, so that a copy of one does nothing.
const CAUSES: usize = 16;
/// Largest value of a variable, and of all together, as bytes of JSON.
const MAX_VALUE: usize = 16_000;
const MAX_VARS: usize = 64_000;
/// Longest part of what somebody wrote that is kept, in characters: WhatsApp takes as many.
const MAX_REPLY: usize = 4_096;
/// Replies that wait until a step is done; the first ones go.
const UNHEARD: usize = 10;

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
    /// Steps that did something, so that what each does has a number of its own.
    #[serde(default)]
    pub effects: u64,
    /// What was said while a step was being done: the answer to a question may be faster than
    /// the news that it was asked.
    #[serde(default)]
    pub unheard: Vec<Reply>,
    /// When the contact was heard last, or the run began, in milliseconds since 1970.
    pub heard_ms: i64,
    /// Why a message could not be sent, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
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

impl Ending {
    /// As it is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::HandedOver => "handed_over",
            Self::Expired => "expired",
            Self::OptedOut => "opted_out",
            Self::Loop => "loop",
            Self::Changed => "changed",
            Self::Cancelled => "cancelled",
            Self::Replaced => "replaced",
            Self::Failed => "failed",
        }
    }
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

impl Reply {
    /// What somebody said, as far as a run remembers it.
    pub fn new(text: &str, id: Option<&str>, at_ms: i64) -> Self {
        Self { text: text.chars().take(MAX_REPLY).collect(), id: id.map(str::to_owned), at_ms }
    }
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
            effects: 0,
            unheard: Vec::new(),
            heard_ms: now_ms,
            reason: None,
            causes: Vec::new(),
        }
    }

    /// It, ended.
    #[must_use]
    pub fn ended(mut self, why: Ending) -> Self {
        self.end(why);
        self
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.at, At::Ended { .. })
    }

    /// Why it is over, when it is.
    pub fn ending(&self) -> Option<Ending> {
        match self.at {
            At::Ended { why } => Some(why),
            At::Before { .. } | At::Doing { .. } | At::Asking { .. } | At::Waiting { .. } => None,
        }
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

    /// Whether a cause was heeded.
    pub fn knows(&self, cause: &str) -> bool {
        self.causes.iter().any(|known| known == cause)
    }

    /// Takes note of a cause; answers whether it is new.
    pub fn heed(&mut self, cause: &str) -> bool {
        if self.knows(cause) {
            return false;
        }
        if self.causes.len() == CAUSES {
            self.causes.remove(0);
        }
        self.causes.push(cause.to_owned());
        true
    }

    /// Keeps variables, all of them or none: answers whether there is room.
    #[must_use]
    pub fn keep(&mut self, vars: Map<String, Value>) -> bool {
        let size = |value: &Value| value.to_string().len();
        if vars.values().any(|value| size(value) > MAX_VALUE) {
            return false;
        }
        let stay = self.vars.iter().filter(|(name, _)| !vars.contains_key(*name));
        let total: usize = stay.chain(&vars).map(|(name, value)| name.len() + size(value)).sum();
        if total > MAX_VARS {
            return false;
        }
        self.vars.extend(vars);
        true
    }

    /// Ends it for a reason of ours.
    pub(crate) fn fail(&mut self, reason: &str) {
        self.reason = Some(reason.to_owned());
        self.end(Ending::Failed);
    }

    pub(crate) fn end(&mut self, why: Ending) {
        self.at = At::Ended { why };
        self.unheard.clear();
    }

    /// Begins what a step does, under the next number.
    pub(crate) fn begin(&mut self, step: StepId, again: bool) {
        self.effects += 1;
        self.at = At::Doing { step, again };
    }

    pub(crate) fn hear_later(&mut self, reply: Reply) {
        if self.unheard.len() == UNHEARD {
            self.unheard.remove(0);
        }
        self.unheard.push(reply);
    }
}
