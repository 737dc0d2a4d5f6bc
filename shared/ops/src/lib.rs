//! The product: every rule that more than one dialect or worker needs.
//!
//! Operations take just the stores they use, so that a function links no more
//! than it needs; [`Services`] bundles what sending takes.

pub mod accounts;
mod admin;
pub mod answering;
pub mod callers;
pub mod campaigns;
pub mod contacts;
pub mod custom;
mod delivery;
mod eligibility;
mod error;
pub mod events;
pub mod files;
pub mod history;
pub mod inbound;
pub mod integrations;
pub mod messages;
pub mod pages;
mod receiving;
pub mod schedule;
pub mod senders;
pub mod sending;
pub mod suppression;
pub mod templates;
pub mod webhooks;

pub use admin::AdminKey;
pub use callers::{Caller, RateClass};
pub use error::{Code, Error, Result};

use channels::cloud::Graph;
use files::Files;
use queue::Queues;
use store::Store;

/// What operations run on: the table, the ways out, the files and the queues.
#[derive(Debug, Clone)]
pub struct Services {
    /// The table.
    pub store: Store,
    /// Meta's API.
    pub graph: Graph,
    /// Calls addresses that users give: custom channels and endpoints.
    pub outbound: outbound::Client,
    /// Uploaded files.
    pub files: Files,
    /// The queues.
    pub queues: Queues,
}
