//! `/api/whatsapp-meta/set_webhook`, `/api/sms/set_webhook` and `POST /api/webhooks`

use api_http::{Caller, Given, Input, Reply, Required, Result, Texts, account_of_token, request};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use dispatch::{NewEndpoint, WebhookDispatcher};
use domain::account::Account;
use domain::webhook::{Purpose, chosen};
use ops::callers;
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

use super::Webhook;

#[derive(Serialize)]
struct Registered {
    status: &'static str,
    webhook: Webhook,
    /// Of a new one, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

async fn register(
    dispatcher: &WebhookDispatcher,
    caller: &ops::Caller,
    new: NewEndpoint,
) -> Result<Registered> {
    let (registered, secret) = dispatch::register(dispatcher, caller, new).await?;
    let status = dispatch::find(&dispatcher.store, caller.tenant_id(), registered.endpoint.id).await?;
    let secret = secret.map(|secret| secret.expose().to_owned());
    Ok(Registered { status: "success", webhook: status.into(), secret })
}

request! {
    /// `POST` of `set_webhook`
    pub(crate) struct SetWebhook {
        token: Required<String> = named("token"),
        url: Required<String> = named("url"),
    }
}

async fn set(
    dispatcher: &WebhookDispatcher,
    caller: &ops::Caller,
    asked: SetWebhook,
    purpose: fn(&Account) -> Purpose,
) -> Result<Response> {
    let account = account_of_token(&dispatcher.store, caller, asked.token).await?;
    let url = asked.url.get()?;
    let new = NewEndpoint { name: account.name.clone(), url, purpose: purpose(&account) };
    Ok(Reply::<200, _>(register(dispatcher, caller, new).await?).into_response())
}

request! {
    /// `DELETE` of `set_webhook`
    pub(crate) struct UnsetWebhook {
        token: Required<String> = named("token"),
    }
}

async fn unset(
    store: &Store,
    caller: &ops::Caller,
    asked: UnsetWebhook,
    purpose: fn(&Account) -> Purpose,
) -> Result<Reply<200, Value>> {
    let account = account_of_token(store, caller, asked.token).await?;
    let removed = dispatch::unregister(store, caller, &purpose(&account)).await?;
    Ok(Reply(json!({"status": "success", "removed": removed})))
}

fn meta(account: &Account) -> Purpose {
    Purpose::Meta(account.id)
}

fn sms(account: &Account) -> Purpose {
    Purpose::Sms(account.id)
}

/// `POST /api/whatsapp-meta/set_webhook`
pub(crate) async fn set_meta(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input<SetWebhook>,
) -> Result<Response> {
    set(&dispatcher, &caller, input.read(), meta).await
}

/// `DELETE /api/whatsapp-meta/set_webhook`: also when there is none.
pub(crate) async fn unset_meta(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<UnsetWebhook>,
) -> Result<Reply<200, Value>> {
    unset(&store, &caller, input.read(), meta).await
}

/// `POST /api/sms/set_webhook`
pub(crate) async fn set_sms(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input<SetWebhook>,
) -> Result<Response> {
    set(&dispatcher, &caller, input.read(), sms).await
}

/// `DELETE /api/sms/set_webhook`: also when there is none.
pub(crate) async fn unset_sms(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<UnsetWebhook>,
) -> Result<Reply<200, Value>> {
    unset(&store, &caller, input.read(), sms).await
}

request! {
    /// `POST /api/webhooks`
    pub(crate) struct NewWebhook {
        token: Given<String> = named("token"),
        url: Required<String> = named("url"),
        events: Given<Texts> = named("events"),
        name: Given<String> = named("name").max_length(255),
    }
}

/// `POST /api/webhooks`: events of ours, of one account or of all.
pub(crate) async fn create(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input<NewWebhook>,
) -> Result<Response> {
    let asked = input.read();
    let account = match asked.token.get()? {
        Some(token) => Some(callers::account(&dispatcher.store, &caller, Some(&token)).await?.id),
        None => None,
    };
    let url = asked.url.get()?;
    let chosen = asked.events.get()?.map_or(Ok(None), |names| chosen(&names))?;
    let name = asked.name.or("Webhook".to_owned())?;
    let new = NewEndpoint { name, url, purpose: Purpose::Events { account, chosen } };
    Ok(Reply::<201, _>(register(&dispatcher, &caller, new).await?).into_response())
}
