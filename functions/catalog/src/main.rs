//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use catalog::{App, routes};
use messaging::Services;
use queue::Queue::{Campaign, Webhook};
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = Queues::of(&env, &[Campaign, Webhook])?;
        let services = Services::of(&env, secrets::store(&env)?, queues)?;
        api_http::lambda(&env, routes(App { services })).await
    })
}
