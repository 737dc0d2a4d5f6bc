//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use messages::{App, routes};
use queue::Queue::Webhook;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let sender = env.sender(&[Webhook])?;
        let relay = env.relay(&sender)?;
        runtime::http(&env, routes(App { sender, relay })).await
    })
}
