//! `/api/plans`: what whoever runs the installation offers.

use api_http::{Given, Input, Reply, Result, request};
use axum::extract::State;
use domain::PlanId;
use domain::plan::{DefinedPlan, Module, Plan};
use ops::{Error, plans};
use serde_json::{Value, json};

use super::limits;
use super::tenants::{PlanFields, admit, read_plan};
use crate::App;

/// A plan, as only its tenant and whoever runs the installation see it.
pub(super) fn shown(plan: &Plan) -> Value {
    let modules = Module::ALL.into_iter().filter(|module| plan.has(*module));
    json!({
        "id": plan.id.map(|id| id.0),
        "name": plan.name,
        "price": plan.price,
        "validity": plan.validity_days,
        "modules": modules.map(Module::as_str).collect::<Vec<_>>(),
        "api_access": plan.api_access,
        "limits": limits(plan),
    })
}

fn defined(plan: &DefinedPlan) -> Value {
    let mut shown = shown(&plan.plan);
    shown["visible"] = plan.is_visible.into();
    shown
}

/// `GET /api/plans`
pub(crate) async fn list(State(app): State<App>, input: Input) -> Result<Reply<200, Value>> {
    admit(&app, &input).await?;
    let plans: Vec<Value> = app.store.plans().await?.iter().map(defined).collect();
    Ok(Reply(json!({"status": "success", "plans": plans})))
}

request! {
    /// `POST /api/plans`
    pub(crate) struct DefinePlan(plan: PlanFields) {
        id: Given<u64> = named("id"),
        visible: Given<bool> = named("visible"),
    }
}

/// `POST /api/plans`: makes a plan, or changes the one with the id, or of this name. What is not said
/// is as in the plan of a self-hosted tenant.
pub(crate) async fn define(State(app): State<App>, input: Input<DefinePlan>) -> Result<Reply<200, Value>> {
    admit(&app, &input).await?;
    let DefinePlan { plan, id, visible } = input.read();
    if !plan.is_named()? {
        return Err(Error::invalid("name", "name is required").into());
    }
    let (id, visible) = (id.get()?.map(PlanId), visible.or(true)?);
    let (plan, created) = plans::define(&app.store, id, read_plan(plan)?, visible).await?;
    Ok(Reply(json!({"status": "success", "plan": defined(&plan), "created": created})))
}
