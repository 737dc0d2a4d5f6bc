//! The product's rules that need no more than the table and the queues: who asks, people,
//! what they agreed to, what happened, what is due.
//!
//! What sends is in `messaging`, what tells endpoints in `dispatch`: a function that lists
//! contacts links neither.

pub mod accounts;
mod admin;
pub mod agencies;
pub mod barred;
pub mod callers;
pub mod changes;
pub mod contacts;
pub mod credits;
pub mod custom;
pub mod eligibility;
mod error;
pub mod events;
pub mod flows;
pub mod former;
pub mod history;
pub mod integrations;
mod joining;
pub mod labels;
pub mod lists;
pub mod moves;
pub mod pages;
pub mod plans;
mod question;
pub mod reachability;
pub mod receiving;
pub mod renewal;
pub mod schedule;
mod send_request;
pub mod senders;
pub mod suppression;
pub mod verification;

pub use admin::AdminKey;
pub use callers::{Caller, RateClass};
pub use error::{Code, Error, Result};
pub use question::{Question, Topic};
pub use send_request::SendRequest;
