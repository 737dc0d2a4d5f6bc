//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use dispatch::WebhookDispatcher;
use queue::Queue::Webhook;
use queue::Queues;
use webhooks::{App, routes};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = Queues::of(&env, &[Webhook])?;
        let dispatcher = WebhookDispatcher::of(&env, secrets::store(&env)?, queues)?;
        api_http::lambda(&env, routes(App { dispatcher })).await
    })
}
