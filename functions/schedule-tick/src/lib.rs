//! The sweep: campaigns whose time has come, and those that are stuck.
//!
//! Trigger: a schedule, once a minute. Reads the due index, feeds the queues
//! `campaign` and `send`.

use queue::Queues;
use store::Store;

/// The kinds of items that the function touches: what its policy allows.
pub const KINDS: &[&str] = &["ACTIVE", "CAMPAIGNS", "DUE", "LEDGER", "LHEAD", "RUNNER"];

/// Sweeps once.
pub async fn handle(store: &Store, queues: &Queues) -> ops::Result<usize> {
    ops::schedule::sweep(store, queues).await
}
