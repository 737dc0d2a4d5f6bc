//! The function on Lambda: what Meta posts to the API.

use std::process::ExitCode;

use inbound::{App, routes};
use queue::Queue::{Inbound, Webhook};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = env.queues(&[Inbound, Webhook])?;
        let app = App::new(env.store()?, queues, env.files()?.bodies());
        runtime::http(&env, routes(app)).await
    })
}
