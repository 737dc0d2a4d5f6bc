//! The senders: one runner per sending number.
//!
//! Trigger: the queue `send`, one wake-up at a time. Reads and writes the ledger,
//! calls Meta, feeds its own queue when its time is over.

use domain::TenantId;
use ops::Sender;
use queue::{Job, Record, SendJob};

/// Runs the number of each wake-up; answers the ids of the records that must come
/// again. A wake-up for a number that somebody sends on already is done.
pub async fn handle(sender: &Sender, records: &[Record], out_of_time: impl Fn() -> bool) -> Vec<String> {
    let mut failed = Vec::new();
    for record in records {
        // A runner's future is large: it lives on the heap.
        if !Box::pin(work(sender, &record.body, &out_of_time)).await {
            failed.push(record.id.clone());
        }
    }
    failed
}

async fn work(sender: &Sender, body: &str, out_of_time: impl Fn() -> bool) -> bool {
    let job = match Job::<SendJob>::parse(body) {
        Ok(job) => job,
        Err(reason) => {
            tracing::error!(%reason, "a wake-up cannot be read");
            return false;
        }
    };
    let SendJob::Wake { tenant, phone_number_id } = job.job;
    let Ok(tenant) = tenant.parse::<TenantId>() else { return false };
    match ops::sending::run(sender, &tenant, &phone_number_id, job.generation, out_of_time).await {
        Ok(ended) => {
            tracing::debug!(?ended, "a runner ended");
            true
        }
        Err(error) => {
            tracing::error!(code = error.code.as_str(), "a runner failed");
            false
        }
    }
}
