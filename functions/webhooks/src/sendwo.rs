//! `/api/v1/webhook/workflow`

use api_http::{ApiError, Caller, Fields, Input, Reply, Result, idempotent};
use axum::extract::State;
use axum::response::Response;
use dispatch::{Change, New, Status, WebhookDispatcher};
use domain::webhook::{EndpointId, EventType, Purpose, chosen};
use ops::{Error, callers};
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

const NAME: [&str; 3] = ["workflowName", "workflow_name", "name"];
const URL: [&str; 4] = ["targetUrl", "target_url", "webhook_url", "url"];
const ID: [&str; 3] = ["workflowId", "workflow_id", "id"];

#[derive(Serialize)]
struct Workflow {
    id: u64,
    workflow_id: u64,
    workflow_name: String,
    target_url: String,
    events: Vec<&'static str>,
    /// `"1"` or `"0"`
    status: &'static str,
    disabled_reason: Option<&'static str>,
    created_at: String,
}

impl From<Status> for Workflow {
    fn from(Status { endpoint, state }: Status) -> Self {
        Self {
            id: endpoint.id.0,
            workflow_id: endpoint.id.0,
            events: endpoint.purpose.events().into_iter().map(EventType::as_str).collect(),
            workflow_name: endpoint.name,
            target_url: endpoint.url,
            status: if endpoint.on && state.disabled.is_none() { "1" } else { "0" },
            disabled_reason: state.disabled.map(|reason| reason.as_str()),
            created_at: format!("{:.3}", endpoint.created_at),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Workflows {
    status: &'static str,
    message: Vec<Workflow>,
}

/// `webhook/workflow/list`
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
) -> Result<Reply<200, Workflows>> {
    let all = dispatch::list(&store, caller.tenant_id()).await?.into_iter();
    let workflows = all.filter(|status| matches!(status.endpoint.purpose, Purpose::Events { .. }));
    Ok(Reply(Workflows { status: "1", message: workflows.map(Workflow::from).collect() }))
}

#[derive(Serialize)]
pub(crate) struct Answer {
    status: &'static str,
    message: &'static str,
    workflow_id: u64,
    data: Workflow,
    /// Of a new one, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// The error about a field as this dialect calls it.
fn renamed(fields: Fields<'_>) -> impl Fn(Error) -> ApiError + '_ {
    move |error| {
        let error = ApiError::from(error).renamed("name", fields.name_of(&NAME));
        error.renamed("url", fields.name_of(&URL)).renamed("id", fields.name_of(&ID))
    }
}

/// `webhook/workflow/create`
pub(crate) async fn create(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    idempotent(&dispatcher.store, &caller, &input, async {
        let fields = input.fields();
        let account = account(&dispatcher.store, &caller, fields).await?;
        let new = New {
            name: fields.required(fields.name_of(&NAME))?,
            url: fields.required(fields.name_of(&URL))?,
            purpose: Purpose::Events { account, chosen: events(fields)?.flatten() },
        };
        let made = dispatch::register(&dispatcher, &caller, new).await.map_err(renamed(fields))?;
        let (registered, secret) = made;
        let status = dispatch::find(&dispatcher.store, caller.tenant_id(), registered.endpoint.id).await?;
        Ok(Reply::<200, _>(Answer {
            status: "1",
            message: "Webhook workflow created successfully.",
            workflow_id: registered.endpoint.id.0,
            data: status.into(),
            secret: secret.map(|secret| secret.expose().to_owned()),
        }))
    })
    .await
}

/// The number whose events are wanted, when the caller names one.
async fn account(
    store: &Store,
    caller: &ops::Caller,
    fields: Fields<'_>,
) -> Result<Option<domain::AccountId>> {
    let name = fields.name_of(&["phoneNumberId", "phone_number_id", "phoneNumberID"]);
    let Some(number) = fields.text(name)? else { return Ok(None) };
    let found = callers::account_of_number(store, caller, Some(&number)).await;
    let (account, _) = found.map_err(|error| ApiError(error).renamed("phone_number_id", name))?;
    Ok(Some(account.id))
}

type Events = Option<Option<std::collections::BTreeSet<EventType>>>;

fn events(fields: Fields<'_>) -> Result<Events> {
    Ok(fields.list("events")?.map(|names| chosen(&names)).transpose()?)
}

fn named(fields: Fields<'_>) -> Result<EndpointId> {
    let name = fields.name_of(&ID);
    let id = fields.integer(name)?.ok_or_else(|| Error::invalid(name, format!("{name} is required")))?;
    Ok(EndpointId(id))
}

/// `webhook/workflow/update`: changes what is given.
pub(crate) async fn update(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Answer>> {
    let fields = input.fields();
    let change = Change {
        name: fields.text(fields.name_of(&NAME))?,
        url: fields.text(fields.name_of(&URL))?,
        events: events(fields)?,
        on: fields.switch(fields.name_of(&["enabled", "active"]))?,
    };
    let id = named(fields)?;
    let changed = dispatch::change(&dispatcher, &caller, id, change).await.map_err(renamed(fields))?;
    let message = "Webhook workflow updated successfully.";
    Ok(Reply(Answer { status: "1", message, workflow_id: id.0, data: changed.into(), secret: None }))
}

/// `webhook/workflow/delete`
pub(crate) async fn delete(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let fields = input.fields();
    dispatch::remove(&store, &caller, named(fields)?).await.map_err(renamed(fields))?;
    Ok(Reply(json!({"status": "1", "message": "Webhook workflow deleted successfully."})))
}
