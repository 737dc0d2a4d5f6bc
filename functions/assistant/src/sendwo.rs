//! `/api/v1/whatsapp/trigger-bot-flow` and `bot-flow/list`

use api_http::{
    ApiError, Caller, Given, Input, Object, PhoneText, Reply, Required, Result, idempotent_send, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::plan::Module;
use ops::events::EventPublisher;
use ops::{callers, flows, plans, senders};
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

request! {
    /// `trigger-bot-flow`
    pub(crate) struct TriggerFlow {
        number: Required<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
        to: Required<PhoneText> = named("to" | "phone_number" | "phoneNumber"),
        flow: Required<String> = named("flowId" | "flow_id" | "bot_flow_unique_id" | "botFlowUniqueId").max_length(64),
        vars: Given<Object> = named("vars" | "variables"),
    }
}

#[derive(Serialize)]
struct Triggered {
    status: &'static str,
    message: &'static str,
    data: Value,
}

/// `trigger-bot-flow`: starts a flow for a recipient.
pub(crate) async fn trigger(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<TriggerFlow>,
) -> Result<Response> {
    let store = &publisher.store;
    let work = async |request| {
        plans::require(&caller, Module::Flows)?;
        let TriggerFlow { number, to, flow, vars } = input.read();
        let (by_number, by_phone, by_flow) = (number.name(), to.name(), flow.name());
        let found = callers::account_of_number(store, &caller, Some(&number.get()?)).await;
        let (account, sender) =
            found.map_err(|error| ApiError(error).renamed("phone_number_id", by_number))?;
        let (to, _) = to.get()?.recipient(account.default_country)?;
        let from = (&account, senders::number(&account, Some(&sender))?);
        let values = (vars.get()?.unwrap_or_default(), request);
        let flow = flows::get(store, caller.tenant_id(), &flow.get()?).await;
        let flow = flow.map_err(|error| ApiError(error).renamed("flow_id", by_flow))?;
        let started = flows::start(&publisher, &caller, from, (&to, flow), values).await;
        let started = started.map_err(|error| ApiError(error).renamed("to", by_phone))?;
        let data = json!({"run_id": started.run.to_string(), "flow_id": started.flow});
        let message = "Bot flow triggered successfully.";
        Ok(Reply::<200, Triggered>(Triggered { status: "1", message, data }))
    };
    idempotent_send(store, &caller, &input, work).await
}

#[derive(Serialize)]
struct Listed {
    id: String,
    bot_flow_unique_id: String,
    name: String,
}

#[derive(Serialize)]
pub(crate) struct Flows {
    status: &'static str,
    message: Vec<Listed>,
}

/// `bot-flow/list`
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    _: Input,
) -> Result<Reply<200, Flows>> {
    let flows = store.flows(caller.tenant_id()).await.map_err(ops::Error::from)?;
    let listed = flows.into_iter().map(|flow| Listed {
        id: flow.id.clone(),
        bot_flow_unique_id: flow.id,
        name: flow.definition.name,
    });
    Ok(Reply(Flows { status: "1", message: listed.collect() }))
}
