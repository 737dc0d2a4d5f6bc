//! The function on Lambda: what Meta posts to the API.

use std::process::ExitCode;

use bodies::Bodies;
use inbound::{App, routes};
use queue::Queue::{Inbound, Webhook};
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = Queues::of(&env, &[Inbound, Webhook])?;
        let app = App::new(secrets::store(&env)?, queues, Bodies::of(&env)?);
        api_http::lambda(&env, routes(app)).await
    })
}
