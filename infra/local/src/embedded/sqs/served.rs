//! What requests come to.

use std::time::Duration;

use serde_json::Value;

/// What became of a request that was not refused.
#[derive(Debug)]
pub(super) enum Served {
    /// What the action says.
    Answer(Value),
    /// No message is visible.
    Empty(Pause),
}

/// How long an empty receive may go on.
#[derive(Debug)]
pub(super) struct Pause {
    /// The longest wait of the request or its queue.
    pub(super) wait: Duration,
    /// When the next message becomes visible, in milliseconds since 1970.
    pub(super) due_at: Option<i64>,
}
