//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use messages::{App, routes};

fn main() -> ExitCode {
    runtime::lambda(async |env| runtime::http(&env, routes(App { sender: env.sender(&[])? })).await)
}
