//! The function on Lambda: batches of the queue `webhook`.

use std::process::ExitCode;

use queue::Queue::Webhook;
use webhook_worker::handle;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let courier = env.courier(&[Webhook])?;
        runtime::queue(async |batch| handle(&courier, &batch.records, || batch.is_over()).await).await
    })
}
