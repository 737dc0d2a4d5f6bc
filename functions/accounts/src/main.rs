//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use accounts::{App, routes};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let app = App { store: secrets::store(&env)?, admin_key: secrets::admin_key(&env)? };
        api_http::lambda(&env, routes(app)).await
    })
}
