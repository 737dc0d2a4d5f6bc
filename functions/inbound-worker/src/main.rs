//! The function on Lambda: batches of the queue `inbound`.

use std::process::ExitCode;

use inbound_worker::handle;
use queue::Queue::{Inbound, Send, Webhook};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let services = env.services(&[Inbound, Send, Webhook])?;
        runtime::queue(async |batch| handle(&services, &batch.records).await).await
    })
}
