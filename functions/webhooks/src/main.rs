//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use queue::Queue::Webhook;
use webhooks::{App, routes};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let app = App { dispatcher: env.dispatcher(&[Webhook])? };
        runtime::http(&env, routes(app)).await
    })
}
