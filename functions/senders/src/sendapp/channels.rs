//! `/api/channels`: custom channels.

use api_http::{Caller, Given, Input, Reply, Required, Result, request};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::channel::{CustomChannel, MAX_NAME, MAX_RATE};
use messaging::custom::{self, NewChannel};
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

use crate::App;

#[derive(Serialize)]
struct Channel {
    name: String,
    url: String,
    /// Messages per second.
    rate: u32,
    created_at: String,
}

impl From<CustomChannel> for Channel {
    fn from(channel: CustomChannel) -> Self {
        let CustomChannel { name, url, per_second, created_at, .. } = channel;
        Self { name, url, rate: per_second, created_at: format!("{created_at:.3}") }
    }
}

#[derive(Serialize)]
pub(crate) struct Channels {
    status: &'static str,
    channels: Vec<Channel>,
}

#[derive(Serialize)]
struct Registered {
    status: &'static str,
    channel: Channel,
    created: bool,
    /// Of a new one, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// `GET /api/channels`
pub(crate) async fn list(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Channels>> {
    let all = custom::list(&store, caller.tenant_id()).await?;
    Ok(Reply(Channels { status: "success", channels: all.into_iter().map(Channel::from).collect() }))
}

request! {
    /// `POST /api/channels`
    pub(crate) struct RegisterChannel {
        rate: Given<u64> = named("rate").at_least(1).at_most(MAX_RATE as u64),
        name: Required<String> = named("name").max_length(MAX_NAME),
        url: Required<String> = named("url"),
    }
}

/// `POST /api/channels`: one of this name is replaced.
pub(crate) async fn register(
    State(app): State<App>,
    Caller(caller): Caller,
    input: Input<RegisterChannel>,
) -> Result<Response> {
    let asked = input.read();
    let rate = asked.rate.get()?;
    let new = NewChannel { name: asked.name.get()?, url: asked.url.get()?, rate };
    let (channel, secret) = custom::register(&app.store, &app.outbound, &caller, new).await?;
    let secret = secret.map(|secret| secret.expose().to_owned());
    let created = secret.is_some();
    let answer = Registered { status: "success", channel: channel.into(), created, secret };
    Ok(match created {
        true => Reply::<201, _>(answer).into_response(),
        false => Reply::<200, _>(answer).into_response(),
    })
}

/// `DELETE /api/channels/{name}`
pub(crate) async fn remove(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    custom::remove(&store, &caller, input.path("name")).await?;
    Ok(Reply(json!({"status": "success"})))
}
