//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use messages::{App, routes};
use messaging::Services;
use queue::Queue::Webhook;
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = Queues::of(&env, &[Webhook])?;
        let services = Services::of(&env, secrets::store(&env)?, queues)?;
        api_http::lambda(&env, routes(App { services })).await
    })
}
