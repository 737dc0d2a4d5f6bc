//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use accounts::{App, routes};
use queue::Queue::Campaign;
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = Queues::of(&env, &[Campaign])?;
        let app = App { store: secrets::store(&env)?, queues, admin_key: secrets::admin_key(&env)? };
        api_http::lambda(&env, routes(app)).await
    })
}
