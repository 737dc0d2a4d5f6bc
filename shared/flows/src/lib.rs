//! Bot flows: what one is, whether it holds together, and how a contact goes through it.
//! Pure: whoever runs them stores a [`Run`] before it does what [`advance`] answers, and tells
//! what came of it.

mod answer;
mod check;
mod condition;
mod definition;
mod machine;
mod outgoing;
mod run;
mod start;
mod values;

pub use condition::{Case, Facts, Hours, Op, When};
pub use definition::{
    Ask, AskKind, Call, Choice, Condition, Definition, Goto, HandOver, Media, MediaKind, Message, OnChange,
    Product, Set, Step, StepId, Template, Trigger, Wait, WordMatch,
};
pub use machine::{Effect, Event, advance, effect, is_choice, is_expired, resume_after_change};
pub use outgoing::Outgoing;
pub use run::{At, Ending, Reply, Run};
pub use start::{Deed, Fit};

/// Most steps of a flow.
pub const MAX_STEPS: usize = 100;
/// Most bytes of a flow, as JSON.
pub const MAX_BYTES: usize = 32_000;
/// Most steps that a run takes without hearing from the contact.
pub const MAX_SILENT_STEPS: u32 = 100;
/// Most messages that a run sends without hearing from the contact.
pub const MAX_SILENT_MESSAGES: u32 = 10;
