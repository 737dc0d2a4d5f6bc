//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use assistant::{App, routes};
use queue::Queue::{Inbound, Webhook};
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let app = App { store: secrets::store(&env)?, queues: Queues::of(&env, &[Inbound, Webhook])? };
        api_http::lambda(&env, routes(app)).await
    })
}
