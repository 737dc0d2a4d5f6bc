//! Sending: one runner per sender.
//!
//! Trigger: the queue `send`, one wake-up at a time. Reads and writes the ledger,
//! calls the channels, feeds its own queue when its time is over.

use domain::TenantId;
use domain::sender::SenderId;
use messaging::Services;
use queue::{Done, Job, Queue, Record, SendJob, Unacknowledged};

/// Runs the sender of each wake-up; answers the ids of the records that must come
/// again. A wake-up for a sender that somebody runs already is done.
pub async fn handle(services: &Services, records: &[Record], out_of_time: impl Fn() -> bool) -> Vec<String> {
    let mut again = Vec::new();
    for record in records {
        let done = match Job::<SendJob>::parse(&record.body) {
            // A runner's future is large: it lives on the heap.
            Ok(job) => Box::pin(work(services, cause(records), job, &out_of_time)).await,
            Err(reason) => reason.into(),
        };
        again.extend(services.queues.settle(Queue::Send, record, done).await);
    }
    again
}

#[expect(clippy::disallowed_methods, reason = "these are a worker's records")]
fn cause(records: &[Record]) -> Unacknowledged<'_> {
    Unacknowledged::of_worker(records)
}

async fn work(
    services: &Services,
    cause: Unacknowledged<'_>,
    job: Job<SendJob>,
    out_of_time: impl Fn() -> bool,
) -> Done {
    let SendJob::Wake { tenant, sender } = job.job;
    let Ok(tenant) = tenant.parse::<TenantId>() else {
        return Done::Never("the job names no tenant".to_owned());
    };
    let Ok(sender) = sender.parse::<SenderId>() else {
        return Done::Never("the job names no sender".to_owned());
    };
    match messaging::sending::run(services, cause, &tenant, &sender, job.generation, out_of_time).await {
        Ok(ended) => {
            tracing::debug!(?ended, "a runner ended");
            Done::Yes
        }
        Err(error) => {
            tracing::error!(%tenant, code = error.code.as_str(), "a runner failed");
            Done::Again
        }
    }
}
