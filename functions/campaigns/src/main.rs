//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use campaigns::{App, routes};
use queue::Queue::{Campaign, Send};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let mut services = env.services(&[Campaign, Send])?;
        services.queues = services.queues.with_schedules(env.schedules()?);
        runtime::http(&env, routes(App { services, patience: ops::campaigns::PATIENCE })).await
    })
}
