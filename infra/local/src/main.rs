//! `cargo run`: Staffetta on this machine.

use std::process::ExitCode;

const HELP: &str =
    "Staffetta on this machine: the API on 127.0.0.1:9000, WhatsApp simulated on 127.0.0.1:9001.

It takes no arguments. Settings are environment variables: STAFFETTA_PORT, STAFFETTA_SIMULATOR_PORT, STAFFETTA_AWS_PORT,
STAFFETTA_HOME, STAFFETTA_ADMIN_KEY, STAFFETTA_DEMO_RATE, STAFFETTA_ALLOW, STAFFETTA_CHAOS, STAFFETTA_LOG, META_GRAPH_URL,
META_ACCESS_TOKEN, META_PHONE_NUMBER_ID, META_WABA_ID, META_APP_SECRET, META_VERIFY_TOKEN, AWS_ENDPOINT_URL.
infra/local/README.md explains each.";

#[tokio::main]
async fn main() -> ExitCode {
    runtime::init(runtime::Format::Text);
    if let Some(argument) = std::env::args().nth(1) {
        let help = matches!(argument.as_str(), "--help" | "-h" | "help");
        println!("{}", if help { HELP } else { "staffetta takes no arguments; see --help" });
        return if help { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
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
