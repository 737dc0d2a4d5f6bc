//! The function on Lambda: batches of the queue `campaign`.

use std::process::ExitCode;

use campaign_worker::handle;
use messaging::Services;
use queue::Queue::{Campaign, Send, Webhook};
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let services =
            Services::of(&env, secrets::store(&env)?, Queues::of(&env, &[Campaign, Send, Webhook])?)?;
        runtime::queue(async |batch| handle(&services, &batch.records, || batch.is_over()).await).await
    })
}
