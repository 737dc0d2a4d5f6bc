//! `/api/webhooks`

pub(crate) mod deliveries;
pub(crate) mod register;

use api_http::{Caller, Given, Input, Reply, Result, Texts, request};
use axum::extract::State;
use dispatch::{EndpointChange, EndpointStatus, WebhookDispatcher};
use domain::webhook::{EndpointId, EventType, chosen};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

/// An endpoint as its owner sees it.
#[derive(Serialize)]
pub(crate) struct Webhook {
    id: u64,
    name: String,
    url: String,
    channel: &'static str,
    account_id: Option<u64>,
    events: Vec<&'static str>,
    enabled: bool,
    /// `active`, `off`, `failing`, `down` or `disabled`
    state: &'static str,
    disabled_reason: Option<&'static str>,
    consecutive_failures: u32,
    failing_since: Option<String>,
    next_attempt_at: Option<String>,
    last_sequence: u64,
    created_at: String,
}

pub(crate) fn time(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or_default())
}

impl From<EndpointStatus> for Webhook {
    fn from(EndpointStatus { endpoint, state }: EndpointStatus) -> Self {
        let word = match (endpoint.on, state.disabled) {
            (false, _) => "off",
            (true, Some(_)) => "disabled",
            (true, None) if state.health.is_down() => "down",
            (true, None) if state.health.failures > 0 => "failing",
            (true, None) => "active",
        };
        Self {
            id: endpoint.id.0,
            channel: endpoint.purpose.as_str(),
            account_id: endpoint.purpose.account().map(|account| account.0),
            events: endpoint.purpose.events().into_iter().map(EventType::as_str).collect(),
            name: endpoint.name,
            url: endpoint.url,
            enabled: endpoint.on,
            state: word,
            disabled_reason: state.disabled.map(|reason| reason.as_str()),
            consecutive_failures: state.health.failures,
            failing_since: state.health.failing_since.map(|since| format!("{since:.3}")),
            next_attempt_at: state.due_ms.map(time),
            last_sequence: state.sequence,
            created_at: format!("{:.3}", endpoint.created_at),
        }
    }
}

/// A type of event as an endpoint may choose it.
#[derive(Serialize)]
struct ListedEvent {
    event: &'static str,
    schema: u16,
    /// Of its `data`; of a forwarded body, which is not ours, nothing is said.
    fields: Option<&'static [&'static str]>,
    /// Whether an endpoint gets it that chooses none.
    by_default: bool,
}

#[derive(Serialize)]
pub(crate) struct EventList {
    status: &'static str,
    events: Vec<ListedEvent>,
}

/// `GET /api/webhooks/events`
pub(crate) async fn events(Caller(_): Caller, _: Input) -> Reply<200, EventList> {
    let chosen = EventType::ALL.iter().copied().filter(|kind| kind.can_be_chosen());
    let listed = chosen.map(|kind| ListedEvent {
        event: kind.as_str(),
        schema: kind.schema(),
        fields: kind.fields(),
        by_default: kind.is_ours(),
    });
    Reply(EventList { status: "success", events: listed.collect() })
}

/// The endpoint that the path names.
pub(crate) fn named<R>(input: &Input<R>) -> Result<EndpointId> {
    Ok(input.path("id").parse()?)
}

#[derive(Serialize)]
pub(crate) struct Webhooks {
    status: &'static str,
    webhooks: Vec<Webhook>,
}

#[derive(Serialize)]
pub(crate) struct One {
    status: &'static str,
    webhook: Webhook,
}

impl One {
    fn new(status: EndpointStatus) -> Reply<200, Self> {
        Reply(Self { status: "success", webhook: status.into() })
    }
}

/// `GET /api/webhooks`
pub(crate) async fn list(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Webhooks>> {
    let all = dispatch::list(&store, caller.tenant_id()).await?;
    Ok(Reply(Webhooks { status: "success", webhooks: all.into_iter().map(Webhook::from).collect() }))
}

/// `GET /api/webhooks/{id}`
pub(crate) async fn show(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, One>> {
    Ok(One::new(dispatch::find(&store, caller.tenant_id(), named(&input)?).await?))
}

request! {
    /// `POST /api/webhooks/{id}`
    pub(crate) struct ChangeWebhook {
        name: Given<String> = named("name").max_length(255),
        url: Given<String> = named("url"),
        events: Given<Texts> = named("events"),
        enabled: Given<bool> = named("enabled"),
    }
}

/// `POST /api/webhooks/{id}`: changes what is given.
pub(crate) async fn change(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input<ChangeWebhook>,
) -> Result<Reply<200, One>> {
    let asked = input.read();
    let change = EndpointChange {
        name: asked.name.get()?,
        url: asked.url.get()?,
        events: asked.events.get()?.map(|names| chosen(&names)).transpose()?,
        on: asked.enabled.get()?,
    };
    Ok(One::new(dispatch::change(&dispatcher, &caller, named(&input)?, change).await?))
}

/// `DELETE /api/webhooks/{id}`
pub(crate) async fn remove(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    dispatch::remove(&store, &caller, named(&input)?).await?;
    Ok(Reply(json!({"status": "success"})))
}

/// `POST /api/webhooks/{id}/rotate_secret`
pub(crate) async fn rotate_secret(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let (secret, until) = dispatch::rotate_secret(&store, &caller, named(&input)?).await?;
    Ok(Reply(json!({
        "status": "success",
        "secret": secret.expose(),
        "previous_valid_until": format!("{until:.3}"),
    })))
}
