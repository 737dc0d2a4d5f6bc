//! The function on Lambda: once a minute.

use std::process::ExitCode;

use queue::Queue::{Campaign, Inbound, Send, Webhook};
use queue::Queues;
use schedule_tick::handle;
use store::Store;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let store = Store::without_secrets(&env)?;
        let queues = Queues::of(&env, &[Campaign, Inbound, Send, Webhook])?;
        runtime::tick(async || handle(&store, &queues).await.map_err(|error| error.code.as_str())).await
    })
}
