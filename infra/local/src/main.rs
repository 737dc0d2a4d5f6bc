//! `cargo run`: Staffetta on this machine.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    runtime::init(runtime::Format::Text);
    let ended = match local::Settings::from_env() {
        Ok(settings) => local::run(settings).await,
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("staffetta: {error}");
            ExitCode::FAILURE
        }
    }
}
