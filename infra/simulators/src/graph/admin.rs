//! The control plane below `/_sim`, and the same as methods.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    config::SimulatorSettings,
    errors::Error,
    simulator::Simulator,
    state::{
        faults::{ActiveFault, FaultRule},
        journal::Line,
        ledger::{AcceptedMessage, Stats},
    },
    templates,
};

/// How many messages `GET /_sim/messages` shows unless told otherwise.
const SHOWN_MESSAGES: usize = 1_000;

impl Simulator {
    /// Figures since the start or the last reset.
    pub fn stats(&self) -> Stats {
        let world = self.world();
        world.ledger.stats(world.outbox.figures())
    }

    /// The newest accepted messages, oldest first, optionally to one recipient.
    pub fn messages(&self, to: Option<&str>, limit: usize) -> Vec<AcceptedMessage> {
        self.world().ledger.messages(to.map(|to| to.trim_start_matches('+')), limit)
    }

    pub fn settings(&self) -> SimulatorSettings {
        self.world().settings.clone()
    }

    /// Replaces the fields of the settings that `patch` names.
    ///
    /// # Errors
    /// When a field is not known or its value is not valid; nothing is changed then.
    pub fn update_settings(&self, patch: &Value) -> Result<SimulatorSettings, Error> {
        let world = &mut *self.world();
        world.settings = world.settings.merged(patch)?;
        world.remember(&Line::Settings(patch.clone()));
        self.shared.wake.notify_one();
        Ok(world.settings.clone())
    }

    /// Knows a number and its business account, as after their first use with this token.
    pub fn know(&self, access_token: &str, phone_number_id: &str, waba_id: &str) {
        let world = &mut *self.world();
        let lines = world.accounts.know(access_token, phone_number_id, waba_id);
        lines.iter().for_each(|line| world.remember(line));
    }

    /// Where webhooks go from now on.
    pub fn set_webhook_url(&self, url: impl Into<String>) {
        self.world().webhook_url = Some(url.into());
        self.shared.wake.notify_one();
    }

    pub fn faults(&self) -> Vec<ActiveFault> {
        self.world().faults.list()
    }

    /// Adds rules behind the present ones.
    ///
    /// # Errors
    /// When a rule contradicts itself; none is added then.
    pub fn add_faults(&self, rules: Vec<FaultRule>) -> Result<(), Error> {
        let world = &mut *self.world();
        world.faults.add(rules, &mut world.entropy)
    }

    /// Replaces all rules.
    ///
    /// # Errors
    /// When a rule contradicts itself; nothing is changed then.
    pub fn set_faults(&self, rules: Vec<FaultRule>) -> Result<(), Error> {
        let world = &mut *self.world();
        world.faults.replace(rules, &mut world.entropy)
    }

    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Forgets messages, figures, faults, windows and waiting webhooks, on request templates too.
    pub fn reset(&self, templates: bool) {
        self.world().reset(templates);
        self.shared.settled.notify_waiters();
    }

    /// Sets the status of every template of this name, as a review or a quality measure would,
    /// sends the webhook, and returns how many there were.
    pub fn decide_template(&self, name: &str, status: &str, reason: Option<&str>) -> usize {
        let now_ms = self.now_ms();
        let count = templates::decide(&mut self.world(), name, status, reason.unwrap_or("NONE"), now_ms);
        self.shared.wake.notify_one();
        count
    }
}

/// The routes of the control plane.
pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/_sim/stats", get(show_stats))
        .route("/_sim/messages", get(show_messages))
        .route("/_sim/settings", get(show_settings).post(change_settings))
        .route("/_sim/faults", get(show_faults).post(add_faults).put(set_faults).delete(clear_faults))
        .route("/_sim/inbound", post(inbound))
        .route("/_sim/orders", post(order))
        .route("/_sim/catalogs", get(show_catalogs).post(put_catalog))
        .route("/_sim/catalogs/{id}", delete(remove_catalog))
        .route("/_sim/catalogs/{id}/products", post(put_products).delete(remove_products))
        .route("/_sim/templates", post(decide_template))
        .route("/_sim/reset", post(reset))
        .route("/_sim/verify", post(verify))
}

type Answer = Result<Json<Value>, Error>;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Journal(_) | Self::Client(_) | Self::Listener(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

async fn show_stats(State(simulator): State<Simulator>) -> Json<Stats> {
    Json(simulator.stats())
}

async fn show_messages(
    State(simulator): State<Simulator>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Json<Value> {
    let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(SHOWN_MESSAGES);
    // An unescaped plus sign arrives as a space.
    let to = query.get("to").map(|to| to.trim());
    Json(json!({ "messages": simulator.messages(to, limit) }))
}

async fn show_settings(State(simulator): State<Simulator>) -> Json<SimulatorSettings> {
    Json(simulator.settings())
}

async fn change_settings(
    State(simulator): State<Simulator>,
    Json(patch): Json<Value>,
) -> Result<Json<SimulatorSettings>, Error> {
    simulator.update_settings(&patch).map(Json)
}

async fn show_faults(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({ "rules": simulator.faults() }))
}

async fn add_faults(State(simulator): State<Simulator>, Json(rules): Json<Value>) -> Answer {
    simulator.add_faults(rules_of(rules)?)?;
    Ok(Json(json!({ "rules": simulator.faults() })))
}

async fn set_faults(State(simulator): State<Simulator>, Json(rules): Json<Value>) -> Answer {
    simulator.set_faults(rules_of(rules)?)?;
    Ok(Json(json!({ "rules": simulator.faults() })))
}

async fn clear_faults(State(simulator): State<Simulator>) -> Json<Value> {
    simulator.clear_faults();
    Json(json!({ "rules": [] }))
}

/// A list, `{"rules": [...]}`, or one rule.
fn rules_of(mut body: Value) -> Result<Vec<FaultRule>, Error> {
    let list = body.get_mut("rules").map(Value::take).unwrap_or(body);
    if list.is_array() { parse(list) } else { parse(list).map(|rule| vec![rule]) }
}

fn parse<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(Error::invalid)
}

async fn inbound(State(simulator): State<Simulator>, Json(mut body): Json<Value>) -> Answer {
    if let Some(raw) = body.get("raw") {
        simulator.raw_webhook(raw);
        return Ok(Json(json!({ "success": true })));
    }
    if let Some(choice) = body.get_mut("user_preferences") {
        simulator.user_preferences(&parse(choice.take())?)?;
        return Ok(Json(json!({ "success": true })));
    }
    let id = simulator.inbound(parse(body)?)?;
    Ok(Json(json!({ "success": true, "id": id })))
}

async fn order(State(simulator): State<Simulator>, Json(body): Json<Value>) -> Answer {
    let id = simulator.order(parse(body)?)?;
    Ok(Json(json!({ "success": true, "id": id })))
}

async fn show_catalogs(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({ "catalogs": simulator.catalogs() }))
}

async fn put_catalog(State(simulator): State<Simulator>, Json(body): Json<Value>) -> Answer {
    let (id, products) = simulator.put_catalog(parse(body)?)?;
    Ok(Json(json!({ "id": id, "products": products })))
}

async fn remove_catalog(State(simulator): State<Simulator>, Path(id): Path<String>) -> Json<Value> {
    Json(json!({ "success": simulator.remove_catalog(&id) }))
}

async fn put_products(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(mut body): Json<Value>,
) -> Answer {
    let products = body.get_mut("products").map(Value::take).unwrap_or(body);
    let (id, products) = simulator.put_products(&id, parse(products)?)?;
    Ok(Json(json!({ "id": id, "products": products })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    retailer_ids: Vec<String>,
}

async fn remove_products(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let Removed { retailer_ids } = parse(body)?;
    Ok(Json(json!({ "removed": simulator.remove_products(&id, &retailer_ids)? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    name: String,
    status: String,
    reason: Option<String>,
}

async fn decide_template(State(simulator): State<Simulator>, Json(body): Json<Value>) -> Answer {
    let Decision { name, status, reason } = parse(body)?;
    let known = ["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "PENDING_DELETION", "IN_APPEAL"];
    if !known.contains(&status.as_str()) {
        return Err(Error::Invalid(format!("status must be one of {}", known.join(", "))));
    }
    let count = simulator.decide_template(&name, &status, reason.as_deref());
    Ok(Json(json!({ "templates": count })))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reset {
    templates: bool,
}

async fn reset(State(simulator): State<Simulator>, body: bytes::Bytes) -> Answer {
    let options = if body.is_empty() {
        Reset::default()
    } else {
        serde_json::from_slice(&body).map_err(Error::invalid)?
    };
    simulator.reset(options.templates);
    Ok(Json(json!({ "success": true })))
}

async fn verify(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({ "verified": simulator.verify_webhook().await }))
}
