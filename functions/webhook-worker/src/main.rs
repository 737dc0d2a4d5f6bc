//! The function on Lambda: batches of the queue `webhook`.

use std::process::ExitCode;

use dispatch::WebhookDispatcher;
use queue::Queue::Webhook;
use queue::Queues;
use webhook_worker::handle;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let (store, queues) = (secrets::store(&env)?, Queues::of(&env, &[Webhook])?);
        let dispatcher = WebhookDispatcher::of(&env, store, queues)?;
        runtime::queue(async |batch| handle(&dispatcher, &batch.records, || batch.is_over()).await).await
    })
}
