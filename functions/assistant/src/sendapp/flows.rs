//! `/api/flows`: made, looked at, changed and deleted.

use std::num::NonZeroU64;

use ::flows::Definition;
use api_http::{Caller, Given, Input, Object, Reply, Required, Result, idempotent, request};
use axum::extract::State;
use axum::response::Response;
use domain::AccountId;
use domain::plan::Module;
use ops::flows::{FlowChange, NewFlow};
use ops::{flows, plans};
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;
use store::flows::StoredFlow;

use super::time;

/// A flow in a list.
#[derive(Serialize)]
struct ListedFlow {
    id: String,
    name: String,
    version: u32,
    account_id: Option<u64>,
    /// What starts it besides a call.
    triggers: Value,
    created_at: String,
    updated_at: String,
}

impl From<&StoredFlow> for ListedFlow {
    fn from(flow: &StoredFlow) -> Self {
        Self {
            id: flow.id.clone(),
            name: flow.definition.name.clone(),
            version: flow.version,
            account_id: flow.account.map(|account| account.0),
            triggers: json!(flow.definition.triggers),
            created_at: time(flow.created_ms),
            updated_at: time(flow.updated_ms),
        }
    }
}

/// A flow with its steps.
#[derive(Serialize)]
struct Flow {
    #[serde(flatten)]
    listed: ListedFlow,
    flow: Definition,
}

impl From<StoredFlow> for Flow {
    fn from(flow: StoredFlow) -> Self {
        Self { listed: ListedFlow::from(&flow), flow: flow.definition }
    }
}

#[derive(Serialize)]
struct One {
    status: &'static str,
    flow: Flow,
    /// What its calls are signed with: of a new one, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl One {
    fn of(flow: StoredFlow) -> Self {
        Self { status: "success", flow: flow.into(), secret: None }
    }
}

#[derive(Serialize)]
pub(crate) struct Flows {
    status: &'static str,
    flows: Vec<ListedFlow>,
}

/// `GET /api/flows`
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    _: Input,
) -> Result<Reply<200, Flows>> {
    let flows = store.flows(caller.tenant_id()).await.map_err(ops::Error::from)?;
    Ok(Reply(Flows { status: "success", flows: flows.iter().map(ListedFlow::from).collect() }))
}

fn read(flow: Required<Object>) -> Result<Definition> {
    Ok(flows::read(&Value::Object(flow.get()?))?)
}

request! {
    /// `POST /api/flows`
    pub(crate) struct CreateFlow {
        flow: Required<Object> = named("flow"),
        account: Given<NonZeroU64> = named("account_id"),
    }
}

/// `POST /api/flows`
pub(crate) async fn create(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<CreateFlow>,
) -> Result<Response> {
    let work = async {
        plans::require(&caller, Module::Flows)?;
        let CreateFlow { flow, account } = input.read();
        let account = account.get()?.map(|id| AccountId(id.get()));
        let new = NewFlow { definition: read(flow)?, account };
        let (flow, secret) = flows::create(&store, &caller, new).await?;
        let secret = Some(secret.reveal().expose().to_owned());
        Ok(Reply::<201, One>(One { secret, ..One::of(flow) }))
    };
    idempotent(&store, &caller, &input, work).await
}

request! {
    /// `POST /api/flows/validate`
    pub(crate) struct ValidateFlow {
        flow: Required<Object> = named("flow"),
    }
}

#[derive(Serialize)]
pub(crate) struct Valid {
    status: &'static str,
    valid: bool,
    steps: usize,
    /// Whether it may be started for somebody who has not written in the last 24 hours.
    opens_with_template: bool,
}

/// `POST /api/flows/validate`: the same as when it is made, without making it.
pub(crate) async fn validate(Caller(_): Caller, input: Input<ValidateFlow>) -> Result<Reply<200, Valid>> {
    let flow = read(input.read().flow)?;
    let opens_with_template = flow.opens_with_template();
    Ok(Reply(Valid { status: "success", valid: true, steps: flow.steps.len(), opens_with_template }))
}

/// `GET /api/flows/{id}`
pub(crate) async fn show(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let flow = flows::get(&store, caller.tenant_id(), input.path("id")).await?;
    Ok(Reply(json!(One::of(flow))))
}

request! {
    /// `POST /api/flows/{id}`
    pub(crate) struct UpdateFlow {
        flow: Required<Object> = named("flow"),
        account: Given<u64> = named("account_id"),
        version: Given<u64> = named("version"),
    }
}

/// `POST /api/flows/{id}`: a new version of all of it.
pub(crate) async fn update(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<UpdateFlow>,
) -> Result<Response> {
    let work = async {
        plans::require(&caller, Module::Flows)?;
        flows::get(&store, caller.tenant_id(), input.path("id")).await?;
        let UpdateFlow { flow, account, version } = input.read();
        // 0 is none: any account's contacts start it.
        let account = account.get()?.map(|id| (id != 0).then_some(AccountId(id)));
        let version = version.get()?.map(|version| u32::try_from(version).unwrap_or(u32::MAX));
        let change = FlowChange { definition: read(flow)?, account, version };
        let flow = flows::update(&store, caller.tenant_id(), input.path("id"), change).await?;
        Ok(Reply::<200, One>(One::of(flow)))
    };
    idempotent(&store, &caller, &input, work).await
}

/// `DELETE /api/flows/{id}`
pub(crate) async fn delete(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let id = input.path("id");
    flows::delete(&store, caller.tenant_id(), id).await?;
    Ok(Reply(json!({"status": "success", "deleted": id})))
}
