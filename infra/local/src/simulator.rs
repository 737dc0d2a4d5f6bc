//! The simulator of Meta that the local process starts.

use std::error::Error;

use simulators::graph::{Config, Simulator, SimulatorSettings};

use crate::demo::Credentials;
use crate::settings::Settings;

/// The simulator of this process. Any token and number is registered on first
/// use, so that more numbers than the demo's can be connected; it remembers over
/// restarts what it accepted. Free text is accepted without an open window, as a
/// new number has no history; `POST /_sim/settings {"enforce_window": true}`
/// changes that.
pub(crate) fn of(settings: &Settings, credentials: &Credentials) -> Result<Simulator, Box<dyn Error>> {
    let secret = credentials.meta_app_secret.clone();
    let behaviour = SimulatorSettings {
        enforce_window: false,
        throughput_per_second: Some(settings.demo_rate.max(80)),
        ..SimulatorSettings::default()
    };
    let config = Config {
        webhook_url: Some(format!("{}/webhooks/meta", settings.url())),
        state: Some(settings.home.join("simulator.jsonl")),
        settings: behaviour,
        ..Config::new(secret, credentials.meta_verify_token.clone())
    };
    let simulator = Simulator::new(config)?;
    // The first thing that somebody tries may be what a customer writes.
    let Credentials { meta_access_token: token, phone_number_id, waba_id, .. } = credentials;
    simulator.know(token, phone_number_id, waba_id);
    Ok(simulator)
}
