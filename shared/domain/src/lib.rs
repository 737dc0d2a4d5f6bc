//! The rules and types of the product: pure functions, no IO, no async.
//!
//! Time and randomness come in through [`Clock`] and [`Entropy`]; everything
//! else is a value. Every crate of the workspace may depend on this one, and
//! this one depends on none of them.

pub mod account;
pub mod campaign;
pub mod catalog;
pub mod channel;
mod clock;
pub mod consent;
pub mod contact;
pub mod credits;
mod email;
pub mod identity;
mod ids;
pub mod intake;
pub mod label;
pub mod list;
pub mod media;
pub mod merge;
pub mod message;
pub mod money;
pub mod note;
pub mod outcome;
pub mod pace;
pub mod phone;
pub mod placeholder;
pub mod plan;
pub mod quiet;
pub mod recipient;
mod report;
mod secret;
pub mod sender;
pub mod template;
pub mod text;
pub mod verification;
pub mod webhook;
pub mod weight;

pub use clock::{Clock, Entropy};
pub use email::{EmailAddress, EmailReading};
pub use ids::{AccountId, CampaignId, ContactId, LabelId, ListId, MessageId, PlanId, TenantId};
pub use phone::{CallingCode, PhoneKey, PhoneNumber};
pub use report::ReportFormat;
pub use secret::Secret;

/// A value that a caller sent and that a rule refuses.
///
/// `field` is the name in the dialect-neutral vocabulary (`phone`, `email`,
/// `scheduled_at`, ...); dialects rename it where their contract does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// The field that is wrong.
    pub field: String,
    /// Why, in a sentence a developer can act on.
    pub message: String,
}

impl Invalid {
    /// A refusal of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}
