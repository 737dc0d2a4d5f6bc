//! Messages in batches, within the limits of SQS.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::future::try_join_all;

use crate::{Error, Job, WebhookJob};

/// Most messages of one request.
const MESSAGES: usize = 10;
/// Most bytes of one request; SQS takes 1 MiB.
const BYTES: usize = 900_000;

/// A message before it is sent.
struct Message {
    body: String,
    group: String,
}

/// Sends every job, as few requests as it takes. Jobs of one endpoint carry its
/// name as their group: a standard queue with groups is fair between them
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>).
pub(crate) async fn send_all(client: &Client, url: &str, jobs: Vec<WebhookJob>) -> Result<(), Error> {
    let mut messages = Vec::with_capacity(jobs.len());
    for job in jobs {
        let group = job.group();
        messages.push(Message { body: Job::new(job, 0).body()?, group });
    }
    let requests = packed(messages).into_iter().map(|batch| Box::pin(send(client, url, batch)));
    try_join_all(requests).await.map(|_| ())
}

/// Messages as they fit into requests.
fn packed(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut batches: Vec<Vec<Message>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.body.len();
        match batches.last_mut().filter(|last| last.len() < MESSAGES && bytes + size <= BYTES) {
            Some(last) => last.push(message),
            None => {
                bytes = 0;
                batches.push(vec![message]);
            }
        }
        bytes += size;
    }
    batches
}

async fn send(client: &Client, url: &str, batch: Vec<Message>) -> Result<(), Error> {
    let entries = batch.into_iter().enumerate().map(|(i, message)| {
        let entry = SendMessageBatchRequestEntry::builder().id(i.to_string()).message_body(message.body);
        entry.message_group_id(message.group).build().map_err(|_| Error::of(Some("Serialization")))
    });
    let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
    let request = client.send_message_batch().queue_url(url).set_entries(Some(entries));
    let sent = request.send().await.map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))?;
    match sent.failed.first() {
        None => Ok(()),
        Some(failed) => Err(Error::of(Some(&failed.code))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_full_and_never_too_large() {
        let message = |bytes: usize| Message { body: "x".repeat(bytes), group: String::new() };
        let sizes = |messages: Vec<Message>| packed(messages).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes((0..25).map(|_| message(10)).collect()), [10, 10, 5]);
        assert_eq!(sizes(vec![message(800_000), message(90_000), message(90_000)]), [2, 1]);
        assert_eq!(sizes(vec![message(950_000), message(10)]), [1, 1]);
        assert!(packed(Vec::new()).is_empty());
    }
}
