//! The function on Lambda: batches of the queue `inbound`.

use std::process::ExitCode;

use inbound_worker::handle;
use messaging::Services;
use queue::Queue::{Inbound, Send, Webhook};
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = Queues::of(&env, &[Inbound, Send, Webhook])?;
        let services = Services::of(&env, secrets::store(&env)?, queues)?;
        runtime::queue(async |batch| handle(&services, &batch.records).await).await
    })
}
