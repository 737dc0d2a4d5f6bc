//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use senders::{App, routes};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let (graph, outbound) = (channels::cloud::Graph::of(&env)?, outbound::Client::of(&env)?);
        let app = App { store: secrets::store(&env)?, graph, outbound };
        api_http::lambda(&env, routes(app)).await
    })
}
