//! `/api/v1/user`, and the connected numbers: `/api/v1/whatsapp/connect/account/list`

use api_http::{Caller, Given, Input, Reply, Result, request};
use axum::extract::State;
use domain::account::{Account, Role};
use domain::plan::Module;
use ops::Error;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Store, sha256_hex};

use crate::metered::{messages, metered};

/// What `user/package/list` calls every plan.
const PACKAGE_TYPE: &str = "subscription";

#[derive(Serialize)]
pub(crate) struct Answer {
    status: &'static str,
    message: Value,
}

fn answer(message: Value) -> Reply<200, Answer> {
    Reply(Answer { status: "1", message })
}

/// A limit as the contract writes it.
fn limit(most: Option<u64>) -> Value {
    most.map_or_else(|| "unlimited".into(), Value::from)
}

/// A tenant's id is a text; clients keep a number.
fn user_id(caller: &ops::Caller) -> u32 {
    let hash = sha256_hex(caller.tenant_id().as_str());
    u32::from_str_radix(&hash[..8], 16).unwrap_or(0) >> 1
}

/// The connected numbers, those of one account after those of another.
fn numbers(accounts: &[Account]) -> impl Iterator<Item = (&Account, &domain::account::Number)> {
    accounts.iter().flat_map(|account| account.numbers.iter().map(move |number| (account, number)))
}

/// `user/myInfo`
pub(crate) async fn my_info(
    State(store): State<Store>,
    Caller(caller): Caller,
) -> Result<Reply<200, Answer>> {
    let (tenant, plan) = (&caller.tenant, &caller.tenant.plan);
    let usage = store.usage_of(tenant).await?;
    let contacts = store.contact_total(&tenant.id).await?;
    let accounts = store.accounts(&tenant.id).await?;
    let details = numbers(&accounts).map(|(_, number)| {
        json!({
            "display_phone_number": number.display_phone_number,
            "phone_number_id": number.id.to_string(),
            "whatsapp_business_account_id": number.waba_id,
            "whatsapp_business_name": number.verified_name,
        })
    });
    let user_type = match caller.key.role {
        Role::Owner => "Member",
        Role::Operator => "Team",
    };
    Ok(answer(json!({
        "user_id": user_id(&caller),
        "user_type": user_type,
        "name": tenant.name,
        "email": tenant.email,
        "timezone": tenant.timezone,
        "package_id": plan.id.map(|id| id.0),
        "package_name": plan.name,
        "expired_date": tenant.plan_ends_at().map(|at| format!("{at:.3}")),
        "created_at": format!("{:.3}", tenant.created_at),
        "status": "1",
        "bot_subscriber_data": {"limit": limit(plan.contacts), "count": contacts},
        "message_credit_data": {"limit": limit(plan.messages_per_day), "used": messages(plan, &usage)},
        "whatsapp_bots_details": details.collect::<Vec<_>>(),
    })))
}

/// `user/usage/log`
pub(crate) async fn usage_log(
    State(store): State<Store>,
    Caller(caller): Caller,
) -> Result<Reply<200, Answer>> {
    let shown = metered(&store, &caller.tenant).await?.map(|one| {
        json!({"module_name": one.title, "limit": limit(one.limit), "used": one.used, "period": one.period})
    });
    let plan = &caller.tenant.plan;
    Ok(answer(json!({"modules": shown, "package_name": plan.name, "total_modules": shown.len()})))
}

/// `user/package/list`: the plans that tenants may see.
pub(crate) async fn packages(State(store): State<Store>, Caller(_): Caller) -> Result<Reply<200, Answer>> {
    let plans = store.plans().await?.into_iter().filter(|plan| plan.is_visible);
    let shown = plans.map(|defined| {
        let plan = &defined.plan;
        let modules = Module::ALL.into_iter().filter(|module| plan.has(*module)).map(Module::title);
        json!({
            "id": defined.id.0,
            "package_name": plan.name,
            "package_type": PACKAGE_TYPE,
            "validity": plan.validity_days,
            "price": plan.price.as_ref().map(|price| price.amount),
            "currency": plan.price.as_ref().map(|price| price.currency.as_str()),
            "modules": modules.collect::<Vec<_>>(),
            "messages_per_minute": plan.messages_per_minute,
            "messages_per_day": plan.messages_per_day,
            "subscribers": limit(plan.contacts),
        })
    });
    Ok(answer(shown.collect()))
}

/// `user/module/list`: every part of the product, and whether the plan has it.
pub(crate) async fn modules(State(_): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Answer>> {
    let plan = &caller.tenant.plan;
    let shown = (1_u64..).zip(Module::ALL).map(|(id, module)| {
        json!({
            "id": id,
            "module_name": module.title(),
            "module": module.as_str(),
            "enabled": plan.has(module),
            "status": if plan.has(module) { "1" } else { "0" },
        })
    });
    Ok(answer(shown.collect()))
}

/// `whatsapp/connect/account/list`: the connected numbers.
pub(crate) async fn connected(
    State(store): State<Store>,
    Caller(caller): Caller,
) -> Result<Reply<200, Answer>> {
    let accounts = store.accounts(caller.tenant_id()).await?;
    let shown = numbers(&accounts).map(|(account, number)| {
        json!({
            "id": account.id.0,
            "display_phone_number": number.display_phone_number,
            "phone_number_id": number.id.to_string(),
            "whatsapp_business_account_id": number.waba_id,
            "verified_name": number.verified_name,
            "account_name": account.name,
            "connected_at": format!("{:.3}", number.connected_at),
        })
    });
    Ok(answer(shown.collect()))
}

request! {
    /// `whatsapp/account/connect`
    pub(crate) struct Connect {
        access_token: Given<String> = named("access_token" | "accessToken"),
    }
}

/// `whatsapp/account/connect`, as sister products call it: the connected numbers. A number is connected
/// with the secret that signs its webhooks, which this call has not.
pub(crate) async fn connect(
    store: State<Store>,
    caller: Caller,
    input: Input<Connect>,
) -> Result<Reply<200, Answer>> {
    let asked = input.read();
    let name = asked.access_token.name();
    if asked.access_token.is_given()? {
        let message =
            format!("{name} does not suffice: connect a number with POST /api/accounts/connect_meta");
        return Err(Error::invalid(name, message).into());
    }
    connected(store, caller).await
}
