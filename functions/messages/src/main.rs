//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use messages::{App, routes};
use queue::Queue::Webhook;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let services = env.services(&[Webhook])?;
        runtime::http(&env, routes(App { services })).await
    })
}
