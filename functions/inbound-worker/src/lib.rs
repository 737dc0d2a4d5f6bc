//! What providers report: statuses, replies, opt-outs.
//!
//! Trigger: the queue `inbound`, up to 100 jobs at a time. Writes the ledger,
//! messages, conversations, contacts and suppressions.

use ops::Sender;
use ops::inbound::Inbound;
use queue::{InboundJob, Job, Record};

/// Works off all records together; answers the ids of those that must come again.
pub async fn handle(sender: &Sender, records: &[Record]) -> Vec<String> {
    let mut failed = Vec::new();
    let (mut changes, mut ids) = (Vec::new(), Vec::new());
    for record in records {
        let job = Job::<InboundJob>::parse(&record.body).map(|job| Inbound::try_from(job.job));
        match job {
            Ok(Ok(change)) => {
                changes.push(change);
                ids.push(record.id.clone());
            }
            Ok(Err(_)) | Err(_) => {
                tracing::error!("an inbound job cannot be read");
                failed.push(record.id.clone());
            }
        }
    }
    let again = Box::pin(ops::inbound::process(sender, &changes)).await;
    failed.extend(again.into_iter().filter_map(|i| ids.get(i).cloned()));
    failed
}
