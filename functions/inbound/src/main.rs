//! The function on Lambda: what Meta posts to the API.

use std::process::ExitCode;

use inbound::{App, routes};
use queue::Queue::Inbound;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let app = App::new(env.store()?, env.queues(&[Inbound])?);
        runtime::http(&env, routes(app)).await
    })
}
