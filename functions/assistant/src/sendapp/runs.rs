//! `/api/flows/{id}/start` and `/api/flows/{id}/runs`

use ::flows::At;
use api_http::{
    ApiError, Caller, Given, Input, Object, PhoneText, Reply, Required, Result, account_of_token,
    idempotent_send, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::MessageId;
use domain::plan::Module;
use domain::sender::SenderId;
use ops::events::EventPublisher;
use ops::flows::ListedRunOf;
use ops::{flows, plans, senders};
use serde::Serialize;
use serde_json::Value;
use store::Store;

use super::time;

/// Runs of a page, and how many there may be.
const PAGE: u64 = 50;
const MAX_PAGE: u64 = 100;

request! {
    /// `POST /api/flows/{id}/start`
    pub(crate) struct StartFlow {
        token: Required<String> = named("token"),
        number: Required<PhoneText> = named("number"),
        sender: Given<SenderId> = named("sender"),
        vars: Given<Object> = named("vars"),
    }
}

#[derive(Serialize)]
struct Started {
    status: &'static str,
    run_id: String,
    flow_id: String,
    version: u32,
}

/// `POST /api/flows/{id}/start`
pub(crate) async fn start(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<StartFlow>,
) -> Result<Response> {
    let store = &publisher.store;
    let work = async |request| {
        plans::require(&caller, Module::Flows)?;
        let flow = flows::get(store, caller.tenant_id(), input.path("id")).await?;
        let StartFlow { token, number, sender, vars } = input.read();
        let account = account_of_token(store, &caller, token).await?;
        let (to, _) = number.get()?.recipient(account.default_country)?;
        let sender = sender.get()?;
        let from = (&account, senders::number(&account, sender.as_ref())?);
        let values = (vars.get()?.unwrap_or_default(), request);
        let started = flows::start(&publisher, &caller, from, (&to, flow), values).await;
        let started = started.map_err(|error| ApiError(error).renamed("to", "number"))?;
        let flows::Started { run, flow, version } = started;
        Ok(Reply::<202, Started>(Started {
            status: "success",
            run_id: run.to_string(),
            flow_id: flow,
            version,
        }))
    };
    idempotent_send(store, &caller, &input, work).await
}

request! {
    /// `GET /api/flows/{id}/runs`
    pub(crate) struct ListRuns {
        before: Given<String> = named("before"),
        limit: Given<u64> = named("limit"),
    }
}

/// Where a contact is in a flow.
#[derive(Serialize)]
struct ListedRun {
    run_id: String,
    contact_id: u64,
    sender: String,
    started_at: String,
    /// `running`, `asking`, `waiting` or `ended`; `replaced` when the contact is in another run by
    /// now.
    state: &'static str,
    step: Option<String>,
    /// How it ended.
    outcome: Option<&'static str>,
    /// Why a message could not be sent.
    reason: Option<String>,
    vars: Value,
}

impl From<ListedRunOf> for ListedRun {
    fn from(ListedRunOf { listed, run }: ListedRunOf) -> Self {
        let state = match run.as_ref().map(|run| &run.at) {
            Some(At::Before { .. } | At::Doing { .. }) => "running",
            Some(At::Asking { .. }) => "asking",
            Some(At::Waiting { .. }) => "waiting",
            Some(At::Ended { .. }) => "ended",
            None => "replaced",
        };
        Self {
            run_id: listed.id.to_string(),
            contact_id: listed.contact.0,
            sender: listed.sender.to_string(),
            started_at: time(listed.began_ms),
            state,
            step: run.as_ref().and_then(|run| run.step().cloned()),
            outcome: run.as_ref().and_then(|run| run.ending()).map(::flows::Ending::as_str),
            reason: run.as_ref().and_then(|run| run.reason.clone()),
            vars: run.map_or(Value::Null, |run| Value::Object(run.vars)),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Runs {
    status: &'static str,
    runs: Vec<ListedRun>,
    /// What to give as `before` for the next page.
    next: Option<String>,
}

/// `GET /api/flows/{id}/runs`: newest first, of the last 30 days.
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListRuns>,
) -> Result<Reply<200, Runs>> {
    let ListRuns { before, limit } = input.read();
    let tenant = caller.tenant_id();
    let flow = flows::get(&store, tenant, input.path("id")).await?;
    let wrong = || domain::Invalid::new("before", "before must be the next of an earlier page");
    let before = before.get()?.map(|text| text.parse::<MessageId>().map_err(|_| wrong())).transpose()?;
    let limit = usize::try_from(limit.or(PAGE)?.clamp(1, MAX_PAGE)).unwrap_or(1);
    let mut runs = flows::runs(&store, tenant, &flow.id, before, limit + 1).await?;
    let is_more = runs.len() > limit;
    runs.truncate(limit);
    let next = runs.last().filter(|_| is_more).map(|run| run.listed.id.to_string());
    Ok(Reply(Runs { status: "success", runs: runs.into_iter().map(ListedRun::from).collect(), next }))
}
