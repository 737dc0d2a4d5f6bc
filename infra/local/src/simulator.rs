//! The simulator of Meta that the local process starts.

use std::error::Error;

use simulators::graph::{Config, NewCatalog, NewProduct, Simulator, SimulatorSettings};

use crate::demo::Credentials;
use crate::settings::Settings;

/// Meta's id of the demo's catalog.
const CATALOG_ID: &str = "194836987003835";

/// The simulator of this process. Any token and number is registered on first
/// use, so that more numbers than the demo's can be connected; it remembers over
/// restarts what it accepted. Free text is accepted without an open window, as a
/// new number has no history; `POST /_sim/settings {"enforce_window": true}`
/// changes that. The demo's business account has a catalog, as long as nobody made another.
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
    if simulator.catalogs().as_array().is_none_or(Vec::is_empty) {
        simulator.put_catalog(catalog(credentials))?;
    }
    Ok(simulator)
}

/// The catalog of the demo's business account.
fn catalog(credentials: &Credentials) -> NewCatalog {
    let product = |(id, name, price): (&str, &str, &str)| NewProduct {
        retailer_id: id.to_owned(),
        name: Some(name.to_owned()),
        price: Some(price.into()),
        currency: Some("EUR".to_owned()),
        image_url: Some(format!("https://example.com/{id}.jpg")),
        url: Some(format!("https://example.com/{id}")),
        ..NewProduct::default()
    };
    let products = [
        ("pane-altamura", "Pane di Altamura, 1 kg", "4.50"),
        ("focaccia", "Focaccia barese", "6.90"),
        ("taralli", "Taralli al finocchio, 300 g", "3.20"),
        ("olio", "Olio extravergine, 0.75 l", "14.90"),
        ("cesto", "Cesto regalo", "49.00"),
    ];
    NewCatalog {
        id: Some(CATALOG_ID.to_owned()),
        name: Some("Forno demo".to_owned()),
        waba_id: Some(credentials.waba_id.clone()),
        products: products.map(product).into(),
        generate: 0,
    }
}
