//! Webhooks: which events there are, how they are signed, when they are sent
//! again and when an endpoint is given up.
//!
//! Form and schedule are those of Standard Webhooks:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

pub mod catalog;
mod endpoint;
mod event;
mod health;
mod schedule;
mod sign;

pub use catalog::{EventData, EventType};
pub use endpoint::{Endpoint, EndpointId, MAX_ENDPOINTS, Purpose, check_name, chosen};
pub use event::{Event, EventId};
pub use health::{
    CallOutcome, DISABLE_AFTER, DOWN_AFTER, DisabledBecause, EndpointHealth, HealthChange, MIN_FAILURES,
};
pub use schedule::{KEPT_FOR, NextAttempt, STEPS, next_attempt, step};
pub use sign::{
    Forged, ID_HEADER, ROTATION_GRACE, SIGNATURE_HEADER, SigningKeys, SigningSecret, TIMESTAMP_HEADER,
    TOLERANCE, verify,
};
