//! `/api/v1/webhook/workflow`

use api_http::{ApiError, Caller, Given, Input, Reply, Required, Result, Texts, idempotent, request};
use axum::extract::State;
use axum::response::Response;
use dispatch::{EndpointChange, EndpointStatus, NewEndpoint, WebhookDispatcher};
use domain::webhook::{EndpointId, EventType, Purpose, chosen};
use ops::{Error, callers};
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

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

impl From<EndpointStatus> for Workflow {
    fn from(EndpointStatus { endpoint, state }: EndpointStatus) -> Self {
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

/// The error about a field as the caller calls it.
fn renamed<const N: usize>(names: [(&'static str, &'static str); N]) -> impl Fn(Error) -> ApiError {
    move |error| {
        let rename = |error: ApiError, (ours, theirs)| error.renamed(ours, theirs);
        names.into_iter().fold(ApiError::from(error), rename)
    }
}

request! {
    /// `webhook/workflow/create`
    pub(crate) struct NewWorkflow {
        number: Given<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
        name: Required<String> = named("workflowName" | "workflow_name" | "name").max_length(255),
        url: Required<String> = named("targetUrl" | "target_url" | "webhook_url" | "url"),
        events: Given<Texts> = named("events"),
    }
}

/// `webhook/workflow/create`
pub(crate) async fn create(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input<NewWorkflow>,
) -> Result<Response> {
    idempotent(&dispatcher.store, &caller, &input, async {
        let asked = input.read();
        let account = account(&dispatcher.store, &caller, asked.number).await?;
        let names = [("name", asked.name.name()), ("url", asked.url.name())];
        let new = NewEndpoint {
            name: asked.name.get()?,
            url: asked.url.get()?,
            purpose: Purpose::Events { account, chosen: events(asked.events)?.flatten() },
        };
        let made = dispatch::register(&dispatcher, &caller, new).await.map_err(renamed(names))?;
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
    number: Given<String>,
) -> Result<Option<domain::AccountId>> {
    let name = number.name();
    let Some(number) = number.get()? else { return Ok(None) };
    let found = callers::account_of_number(store, caller, Some(&number)).await;
    let (account, _) = found.map_err(|error| ApiError(error).renamed("phone_number_id", name))?;
    Ok(Some(account.id))
}

type Events = Option<Option<std::collections::BTreeSet<EventType>>>;

fn events(events: Given<Texts>) -> Result<Events> {
    Ok(events.get()?.map(|names| chosen(&names)).transpose()?)
}

request! {
    /// Which workflow is meant.
    pub(crate) struct Named {
        id: Required<u64> = named("workflowId" | "workflow_id" | "id").at_least(1),
    }
}

request! {
    /// `webhook/workflow/update`
    pub(crate) struct ChangeWorkflow(named: Named) {
        name: Given<String> = named("workflowName" | "workflow_name" | "name").max_length(255),
        url: Given<String> = named("targetUrl" | "target_url" | "webhook_url" | "url"),
        events: Given<Texts> = named("events"),
        enabled: Given<bool> = named("enabled" | "active"),
    }
}

/// `webhook/workflow/update`: changes what is given.
pub(crate) async fn update(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input<ChangeWorkflow>,
) -> Result<Reply<200, Answer>> {
    let ChangeWorkflow { named: Named { id }, name, url, events: wanted, enabled } = input.read();
    let names = [("name", name.name()), ("url", url.name()), ("id", id.name())];
    let change =
        EndpointChange { name: name.get()?, url: url.get()?, events: events(wanted)?, on: enabled.get()? };
    let id = EndpointId(id.get()?);
    let changed = dispatch::change(&dispatcher, &caller, id, change).await.map_err(renamed(names))?;
    let message = "Webhook workflow updated successfully.";
    Ok(Reply(Answer { status: "1", message, workflow_id: id.0, data: changed.into(), secret: None }))
}

/// `webhook/workflow/delete`
pub(crate) async fn delete(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<Named>,
) -> Result<Reply<200, Value>> {
    let id = input.read().id;
    let names = [("id", id.name())];
    dispatch::remove(&store, &caller, EndpointId(id.get()?)).await.map_err(renamed(names))?;
    Ok(Reply(json!({"status": "1", "message": "Webhook workflow deleted successfully."})))
}
