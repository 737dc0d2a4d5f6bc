//! The function on Lambda: batches of the queue `campaign`.

use std::process::ExitCode;

use campaign_worker::handle;
use queue::Queue::{Campaign, Send, Webhook};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let services = env.services(&[Campaign, Send, Webhook])?;
        runtime::queue(async |batch| handle(&services, &batch.records, || batch.is_over()).await).await
    })
}
