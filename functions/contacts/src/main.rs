//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use contacts::{App, routes};
use queue::Queue::{Campaign, Webhook};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let app = App { store: env.store()?, queues: env.queues(&[Campaign, Webhook])? };
        runtime::http(&env, routes(app)).await
    })
}
