//! The sweep: campaigns whose time has come, and those that are stuck.
//!
//! Trigger: a schedule, once a minute. Reads the due index, feeds the queues
//! `campaign` and `send`.

use ops::Sender;

/// Sweeps once.
pub async fn handle(sender: &Sender) -> ops::Result<usize> {
    ops::schedule::sweep(sender).await
}
