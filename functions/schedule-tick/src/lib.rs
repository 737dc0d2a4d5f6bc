//! The sweep: campaigns whose time has come, those that are stuck, endpoints that
//! events wait for, and facts that nobody has told on.
//!
//! Trigger: a schedule, once a minute. Reads the due index and the outbox,
//! feeds the queues `campaign`, `send` and `webhook`.

use queue::Queues;
use store::Store;

/// Sweeps once.
pub async fn handle(store: &Store, queues: &Queues) -> ops::Result<usize> {
    ops::schedule::sweep(store, queues).await
}
