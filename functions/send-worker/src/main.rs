//! The function on Lambda: batches of the queue `send`.

use std::process::ExitCode;

use queue::Queue::{Send, Webhook};
use send_worker::handle;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let services = env.services(&[Send, Webhook])?;
        runtime::queue(async |batch| handle(&services, &batch.records, || batch.is_over()).await).await
    })
}
