//! Runs a provider's simulator: `simulators graph --port 9001 --webhook-url URL ...`

use std::{path::PathBuf, process::ExitCode};

use simulators::graph::{Config, Simulator};
use tokio::net::TcpListener;

const USAGE: &str = "usage: simulators graph --port N --webhook-url URL --app-secret S --verify-token T
  [--access-token A] [--phone-number-id P] [--waba-id W] [--display-phone-number D]
  [--state FILE] [--seed N] [--settings JSON]";

struct Arguments {
    port: u16,
    config: Config,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match parse(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    if arguments.next().as_deref() != Some("graph") {
        return Err(USAGE.to_owned());
    }
    let mut config = Config::new("", "");
    let mut port = None;
    let mut given = Vec::new();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => port = Some(value.parse().map_err(|_| "--port must be a port number")?),
            "--webhook-url" => config.webhook_url = Some(value),
            "--app-secret" => config.app_secret = value,
            "--verify-token" => config.verify_token = value,
            "--access-token" => config.access_token = Some(value),
            "--phone-number-id" => config.phone_number_id = Some(value),
            "--waba-id" => config.waba_id = Some(value),
            "--display-phone-number" => config.display_phone_number = value,
            "--state" => config.state = Some(PathBuf::from(value)),
            "--seed" => config.seed = Some(value.parse().map_err(|_| "--seed must be a number")?),
            "--settings" => {
                config.settings = serde_json::from_str(&value)
                    .map_err(|error| format!("--settings is not valid: {error}"))?;
            }
            _ => return Err(format!("unknown argument {name}")),
        }
        given.push(name);
    }
    for required in ["--port", "--webhook-url", "--app-secret", "--verify-token"] {
        if !given.iter().any(|name| name == required) {
            return Err(format!("missing argument {required}"));
        }
    }
    Ok(Arguments { port: port.unwrap_or_default(), config })
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<(), String> {
    let simulator = Simulator::new(arguments.config).map_err(explain)?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| format!("port {} cannot be used: {error}", arguments.port))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("graph simulator is ready on http://{address}");
    simulator.serve(listener, interrupted()).await.map_err(explain)
}

/// The error with its source, for the operator's terminal.
fn explain(error: simulators::graph::Error) -> String {
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
