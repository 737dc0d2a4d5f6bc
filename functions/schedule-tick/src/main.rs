//! The function on Lambda: once a minute.

use std::process::ExitCode;

use queue::Queue::{Campaign, Send, Webhook};
use schedule_tick::handle;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let (store, queues) = (env.store_without_secrets()?, env.queues(&[Campaign, Send, Webhook])?);
        runtime::tick(async || handle(&store, &queues).await).await
    })
}
