//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use campaigns::{App, routes};
use queue::Queue::{Campaign, Send};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let mut sender = env.sender(&[Campaign, Send])?;
        sender.queues = sender.queues.with_schedules(env.schedules()?);
        runtime::http(&env, routes(App { sender, patience: ops::campaigns::PATIENCE })).await
    })
}
