//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use accounts::{App, routes};

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let app = App { store: env.store()?, graph: env.graph()?, admin_key: env.admin_key()? };
        runtime::http(&env, routes(app)).await
    })
}
