//! The function on Lambda: batches of the queue `send`.

use std::process::ExitCode;

use messaging::Services;
use queue::Queue::{Send, Webhook};
use queue::Queues;
use send_worker::handle;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let services = Services::of(&env, secrets::store(&env)?, Queues::of(&env, &[Send, Webhook])?)?;
        runtime::queue(async |batch| handle(&services, &batch.records, || batch.is_over()).await).await
    })
}
