//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use contacts::{App, routes};

fn main() -> ExitCode {
    runtime::lambda(async |env| runtime::http(&env, routes(App { store: env.store()? })).await)
}
