//! What Meta reports: statuses, messages, preferences, templates.
//!
//! [`receive`] checks the signature over the raw bytes, splits a batch by the
//! account it belongs to, and queues it; [`process`] does the work.

mod change;
mod edition;
mod message;
mod people;
mod preferences;
mod process;
mod receive;
mod statuses;
mod wire;

pub use process::{Inbound, process};
pub use receive::{Intake, Owners, Verification, receive, verify};
