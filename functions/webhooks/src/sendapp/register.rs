//! `/api/whatsapp-meta/set_webhook`, `/api/sms/set_webhook` and `POST /api/webhooks`

use api_http::{Caller, Input, Reply, Result, account_of_token};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use dispatch::{New, WebhookDispatcher};
use domain::account::Account;
use domain::webhook::{Purpose, chosen};
use ops::Error;
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

async fn register(dispatcher: &WebhookDispatcher, caller: &ops::Caller, new: New) -> Result<Registered> {
    let (registered, secret) = dispatch::register(dispatcher, caller, new).await?;
    let status = dispatch::find(&dispatcher.store, caller.tenant_id(), registered.endpoint.id).await?;
    let secret = secret.map(|secret| secret.expose().to_owned());
    Ok(Registered { status: "success", webhook: status.into(), secret })
}

async fn set(
    dispatcher: &WebhookDispatcher,
    caller: &ops::Caller,
    input: &Input,
    purpose: fn(&Account) -> Purpose,
) -> Result<Response> {
    let fields = input.fields();
    let account = account_of_token(&dispatcher.store, caller, fields).await?;
    let url = fields.text("url")?.ok_or_else(|| Error::invalid("url", "url is required"))?;
    let new = New { name: account.name.clone(), url, purpose: purpose(&account) };
    Ok(Reply::<200, _>(register(dispatcher, caller, new).await?).into_response())
}

async fn unset(
    store: &Store,
    caller: &ops::Caller,
    input: &Input,
    purpose: fn(&Account) -> Purpose,
) -> Result<Reply<200, Value>> {
    let account = account_of_token(store, caller, input.fields()).await?;
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
    input: Input,
) -> Result<Response> {
    set(&dispatcher, &caller, &input, meta).await
}

/// `DELETE /api/whatsapp-meta/set_webhook`: also when there is none.
pub(crate) async fn unset_meta(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    unset(&store, &caller, &input, meta).await
}

/// `POST /api/sms/set_webhook`
pub(crate) async fn set_sms(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    set(&dispatcher, &caller, &input, sms).await
}

/// `DELETE /api/sms/set_webhook`: also when there is none.
pub(crate) async fn unset_sms(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    unset(&store, &caller, &input, sms).await
}

/// `POST /api/webhooks`: events of ours, of one account or of all.
pub(crate) async fn create(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    let fields = input.fields();
    let account = match fields.text("token")? {
        Some(_) => Some(account_of_token(&dispatcher.store, &caller, fields).await?.id),
        None => None,
    };
    let url = fields.text("url")?.ok_or_else(|| Error::invalid("url", "url is required"))?;
    let chosen = fields.list("events")?.map_or(Ok(None), |names| chosen(&names))?;
    let name = fields.text("name")?.unwrap_or_else(|| "Webhook".to_owned());
    let new = New { name, url, purpose: Purpose::Events { account, chosen } };
    Ok(Reply::<201, _>(register(&dispatcher, &caller, new).await?).into_response())
}
