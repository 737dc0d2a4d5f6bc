//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use contacts::{App, routes};
use queue::Queue::{Campaign, Inbound, Webhook};
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let app =
            App { store: secrets::store(&env)?, queues: Queues::of(&env, &[Campaign, Inbound, Webhook])? };
        api_http::lambda(&env, routes(app)).await
    })
}
