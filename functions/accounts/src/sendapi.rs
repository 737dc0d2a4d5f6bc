//! `/v1/account`

use api_http::{Caller, Reply, Result};
use axum::extract::State;
use serde_json::{Map, Value, json};
use store::Store;

use crate::metered::{Metered, metered};

/// `GET /v1/account/usage`: what the plan limits, and how much of it is used.
pub(crate) async fn usage(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Value>> {
    let (tenant, plan) = (&caller.tenant, &caller.tenant.plan);
    let shown = |one: Metered| {
        let remaining = one.limit.map(|limit| limit.saturating_sub(one.used));
        let used =
            json!({"used": one.used, "limit": one.limit, "remaining": remaining, "period": one.period});
        (one.name.to_owned(), used)
    };
    let usage: Map<String, Value> = metered(&store, tenant).await?.into_iter().map(shown).collect();
    Ok(Reply(json!({"data": {
        "plan": plan.name,
        "expires_at": tenant.plan_ends_at().map(|at| format!("{at:.3}")),
        "messages_per_minute": plan.messages_per_minute,
        "requests_per_minute": plan.requests_per_minute,
        "usage": usage,
    }})))
}
