//! The function on Lambda: batches of the queue `webhook`.

use std::process::ExitCode;

use queue::Queue::Webhook;
use webhook_worker::handle;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let dispatcher = env.dispatcher(&[Webhook])?;
        runtime::queue(async |batch| handle(&dispatcher, &batch.records, || batch.is_over()).await).await
    })
}
