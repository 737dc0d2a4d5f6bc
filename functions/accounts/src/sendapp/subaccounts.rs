//! `/api/subaccounts`: what an agency does with the tenants that it made.

use api_http::{
    Caller, FieldKind, FromParameter, Given, Input, Object, Parameter, Reply, Required, Result, request,
};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::credits::{MAX_BALANCE, MAX_DESCRIPTION, MAX_GRANT, Prices};
use domain::{Invalid, PlanId};
use ops::agencies::{self, NewSub, SubAccountView, SubSettings};
use ops::credits::{GrantDone, NewGrant, grant};
use ops::events::EventPublisher;
use serde_json::{Value, json};
use store::Store;

use super::credits::shown_credits;
use super::plans::shown;
use super::tenants::admit;
use crate::App;
use crate::dmchamp::replayed;

/// Sub-accounts of a page, unless the caller says how many.
const LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 100;

/// A number that can be taken back: an empty text, or `0`, is none.
pub(crate) struct Said(Option<u64>);

impl FromParameter for Said {
    const KIND: FieldKind = FieldKind::Integer;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let number = parameter.integer()?;
        Ok(parameter.value().map(|_| Self(number.filter(|number| *number > 0))))
    }
}

/// Prices; an empty object takes back what was said before.
pub(crate) struct SaidPrices(Option<Prices>);

impl FromParameter for SaidPrices {
    const KIND: FieldKind = FieldKind::FreeObject;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let Some(list) = parameter.object()? else { return Ok(None) };
        Ok(Some(Self(if list.is_empty() { None } else { Some(Prices::read(&list)?) })))
    }
}

request! {
    /// What only the agency says.
    pub(crate) struct Settings {
        prices: Given<SaidPrices> = named("prices"),
        threshold: Given<Said> = named("recharge_threshold").at_most(MAX_BALANCE),
        recharge: Given<Said> = named("recharge_amount").at_most(MAX_GRANT),
    }
}

impl Settings {
    fn get(self) -> Result<SubSettings> {
        Ok(SubSettings {
            prices: self.prices.get()?.map(|SaidPrices(prices)| prices),
            threshold: self.threshold.get()?.map(|Said(number)| number),
            recharge: self.recharge.get()?.map(|Said(number)| number),
        })
    }
}

fn shown_sub(sub: &SubAccountView) -> Value {
    let SubAccountView { tenant, purse } = sub;
    let standing = tenant.standing.sub_account();
    json!({
        "id": tenant.id.as_str(),
        "name": tenant.name,
        "email": tenant.email,
        "timezone": tenant.timezone,
        "plan": shown(&tenant.plan),
        "disabled": standing.is_some_and(|sub| sub.is_disabled),
        "prices": standing.map(|sub| &sub.prices),
        "own_prices": standing.is_some_and(|sub| sub.has_own_prices),
        "credits": shown_credits(purse),
        "created_at": format!("{:.3}", tenant.created_at),
    })
}

request! {
    /// `POST /api/subaccounts`
    pub(crate) struct NewSubAccount(settings: Settings) {
        name: Required<String> = named("name").max_length(255),
        email: Required<String> = named("email"),
        timezone: Given<String> = named("timezone"),
        plan_id: Given<u64> = named("plan_id"),
        credits: Given<u64> = named("credits").at_most(MAX_GRANT),
    }
}

/// `POST /api/subaccounts`: the key is shown only here.
pub(crate) async fn create(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<NewSubAccount>,
) -> Result<Reply<201, Value>> {
    agencies::require(&caller)?;
    let NewSubAccount { settings, name, email, timezone, plan_id, credits } = input.read();
    let new = NewSub {
        name: name.get()?,
        email: email.get()?,
        timezone: timezone.get()?,
        plan: plan_id.get()?.map(PlanId),
        credits: credits.or(0)?,
        settings: settings.get()?,
    };
    let (sub, key) = agencies::create(&store, &caller, new).await?;
    Ok(Reply(json!({"status": "success", "subaccount": shown_sub(&sub), "apikey": key.expose()})))
}

request! {
    /// `GET /api/subaccounts`
    pub(crate) struct ListSubAccounts {
        after: Given<String> = named("after").max_length(100),
        limit: Given<u64> = named("limit"),
    }
}

/// `GET /api/subaccounts`: the oldest first.
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListSubAccounts>,
) -> Result<Reply<200, Value>> {
    let ListSubAccounts { after, limit } = input.read();
    let limit = usize::try_from(limit.or(LIMIT)?.clamp(1, MAX_LIMIT)).unwrap_or_default();
    let (subs, next) = agencies::list(&store, &caller, after.get()?.as_deref(), limit).await?;
    let subs: Vec<Value> = subs.iter().map(shown_sub).collect();
    Ok(Reply(json!({"status": "success", "subaccounts": subs, "next": next})))
}

fn answer(sub: &SubAccountView) -> Reply<200, Value> {
    Reply(json!({"status": "success", "subaccount": shown_sub(sub)}))
}

/// `GET /api/subaccounts/{id}`
pub(crate) async fn get(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    Ok(answer(&agencies::find(&store, &caller, input.path("id")).await?))
}

request! {
    /// `POST /api/subaccounts/{id}/settings`
    pub(crate) struct ChangeSubAccount(settings: Settings) {}
}

/// `POST /api/subaccounts/{id}/settings`: what is not said stays.
pub(crate) async fn change(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ChangeSubAccount>,
) -> Result<Reply<200, Value>> {
    let id = input.path("id");
    agencies::find(&store, &caller, id).await?;
    let settings = input.read().settings.get()?;
    Ok(answer(&agencies::change(&store, &caller, id, settings).await?))
}

/// `POST /api/subaccounts/{id}/disable`
pub(crate) async fn disable(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    Ok(answer(&agencies::switch(&publisher, &caller, input.path("id"), true).await?))
}

/// `POST /api/subaccounts/{id}/enable`
pub(crate) async fn enable(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    Ok(answer(&agencies::switch(&publisher, &caller, input.path("id"), false).await?))
}

request! {
    /// `POST /api/subaccounts/{id}/credits`
    pub(crate) struct GrantTo {
        amount: Required<u64> = named("amount").at_least(1).at_most(MAX_GRANT),
        description: Given<String> = named("description").max_length(MAX_DESCRIPTION),
    }
}

/// `POST /api/subaccounts/{id}/credits`: once under each key.
pub(crate) async fn grant_credits(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<GrantTo>,
) -> Result<Response> {
    let id = input.path("id");
    agencies::find(&publisher.store, &caller, id).await?;
    let keys = input.idempotency_keys()?;
    let GrantTo { amount, description } = input.read();
    let new = NewGrant {
        email: None,
        id: Some(id.to_owned()),
        amount: amount.get()?,
        description: description.get()?,
        keys,
    };
    let GrantDone { tenant, amount, balance, is_repeated } = grant(&publisher, &caller, &new).await?;
    let granted = json!({
        "status": "success",
        "subaccount_id": tenant.as_str(),
        "credits_added": amount,
        "new_balance": balance,
    });
    Ok(replayed(Reply::<200, _>(granted).into_response(), is_repeated))
}

/// `GET /api/subaccounts/prices`
pub(crate) async fn prices(Caller(caller): Caller) -> Result<Reply<200, Value>> {
    let prices = &agencies::require(&caller)?.prices;
    Ok(Reply(json!({"status": "success", "prices": prices})))
}

request! {
    /// `POST /api/subaccounts/prices`
    pub(crate) struct SetPrices {
        prices: Required<Object> = named("prices"),
    }
}

/// `POST /api/subaccounts/prices`: of all sub-accounts that have none of their own.
pub(crate) async fn set_prices(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<SetPrices>,
) -> Result<Reply<200, Value>> {
    agencies::require(&caller)?;
    let prices = Prices::read(&input.read().prices.get()?)?;
    agencies::set_prices(&store, &caller, &prices).await?;
    Ok(Reply(json!({"status": "success", "prices": prices})))
}

request! {
    /// `POST /api/tenants/{id}/agency`
    pub(crate) struct MarkAgency {
        agency: Given<bool> = named("agency"),
    }
}

/// `POST /api/tenants/{id}/agency`: whoever runs the installation says who is one.
pub(crate) async fn mark(State(app): State<App>, input: Input<MarkAgency>) -> Result<Reply<200, Value>> {
    admit(&app, &input).await?;
    let is_agency = input.read().agency.or(true)?;
    let tenant = agencies::mark(&app.store, input.path("id"), is_agency).await?;
    let is_agency = tenant.standing.agency().is_some();
    Ok(Reply(json!({"status": "success", "tenant": {"id": tenant.id.as_str(), "agency": is_agency}})))
}
