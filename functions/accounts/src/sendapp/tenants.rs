//! `/api/tenants`: what only whoever runs the installation may do.

use api_http::{Given, Input, Reply, Required, Result, Texts, Within, request};
use axum::extract::State;
use domain::account::Tenant;
use domain::plan::{Module, Plan, Price};
use domain::{Invalid, PlanId, Secret};
use ops::accounts::NewTenant;
use ops::{Code, Error, accounts, plans};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::plans::shown;
use crate::App;

/// The currency of a price that names none.
const CURRENCY: &str = "EUR";

request! {
    /// A plan.
    pub(crate) struct PlanFields {
        name: Given<String> = named("name").max_length(255),
        api_access: Given<bool> = named("api_access"),
        requests_per_minute: Given<u64> = named("requests_per_minute"),
        heavy_requests_per_minute: Given<u64> = named("heavy_requests_per_minute"),
        contacts: Given<u64> = named("contacts"),
        messages_per_day: Given<u64> = named("messages_per_day"),
        messages_per_minute: Given<u64> = named("messages_per_minute"),
        accounts: Given<u64> = named("accounts"),
        team_members: Given<u64> = named("team_members"),
        campaigns: Given<u64> = named("campaigns"),
        media: Given<u64> = named("media"),
        assistant_tokens: Given<u64> = named("assistant_tokens"),
        modules: Given<Texts> = named("modules"),
        price: Given<u64> = named("price"),
        currency: Given<String> = named("currency"),
        validity: Given<u64> = named("validity").at_least(1).at_most(36_500),
    }
}

impl PlanFields {
    /// Whether the plan has a name of its own.
    pub(super) fn is_named(&self) -> Result<bool> {
        Ok(self.name.is_given()?)
    }
}

type PlanObject = Within<PlanFields>;

request! {
    /// `POST /api/tenants`
    pub(crate) struct CreateTenant {
        name: Required<String> = named("name").max_length(255),
        email: Required<String> = named("email"),
        timezone: Given<String> = named("timezone"),
        plan: Given<PlanObject> = named("plan"),
        plan_id: Given<u64> = named("plan_id"),
    }
}

/// Lets only whoever has the admin key pass.
pub(super) async fn admit<R>(app: &App, input: &Input<R>) -> Result<()> {
    let stranger = || Error::new(Code::Unauthorized, "the admin key is missing or not valid");
    let given = input.header("x-admin-key").ok_or_else(stranger)?;
    match is_admin(app.admin_key.read().await?.as_ref(), given) {
        true => Ok(()),
        false => Err(stranger().into()),
    }
}

fn shown_tenant(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id.as_str(),
        "name": tenant.name,
        "email": tenant.email,
        "timezone": tenant.timezone,
        "plan": shown(&tenant.plan),
        "plan_ends_at": tenant.plan_ends_at().map(|at| format!("{at:.3}")),
        "created_at": format!("{:.3}", tenant.created_at),
    })
}

/// `POST /api/tenants`: the key is shown only here.
pub(crate) async fn create(State(app): State<App>, input: Input<CreateTenant>) -> Result<Reply<201, Value>> {
    admit(&app, &input).await?;
    let asked = input.read();
    let plan = match asked.plan_id.get()? {
        Some(id) => plans::find(&app.store, PlanId(id)).await?.plan,
        None => plan(asked.plan)?,
    };
    let new = NewTenant {
        name: asked.name.get()?,
        email: asked.email.get()?,
        timezone: asked.timezone.get()?,
        plan,
    };
    let (tenant, key) = accounts::create_tenant(&app.store, new).await?;
    Ok(Reply(json!({
        "status": "success",
        "tenant": shown_tenant(&tenant),
        "apikey": key.expose(),
    })))
}

request! {
    /// `POST /api/tenants/{id}/plan`
    pub(crate) struct GivePlan {
        plan_id: Given<u64> = named("plan_id").required(),
    }
}

/// `POST /api/tenants/{id}/plan`: a copy of the plan as it is defined now.
pub(crate) async fn give_plan(State(app): State<App>, input: Input<GivePlan>) -> Result<Reply<200, Value>> {
    admit(&app, &input).await?;
    let id = input.read().plan_id.needed()?;
    let tenant = plans::give(&app.store, input.path("id"), PlanId(id)).await?;
    Ok(Reply(json!({"status": "success", "tenant": shown_tenant(&tenant)})))
}

/// Compares in constant time; without an admin key nobody is admin.
fn is_admin(admin_key: Option<&Secret>, given: &str) -> bool {
    let Some(key) = admin_key else { return false };
    let hash = |text: &str| store::sha256_hex(text);
    bool::from(hash(key.expose()).as_bytes().ct_eq(hash(given).as_bytes()))
}

/// What is not said is as in the plan of a self-hosted tenant.
fn plan(plan: Given<PlanObject>) -> std::result::Result<Plan, Invalid> {
    let Some(Within(given)) = plan.get()? else { return Ok(Plan::default()) };
    let within = |invalid: Invalid| {
        Invalid::new(format!("plan.{}", invalid.field), format!("plan.{}", invalid.message))
    };
    read_plan(given).map_err(within)
}

pub(super) fn read_plan(given: PlanFields) -> std::result::Result<Plan, Invalid> {
    let usual = Plan::default();
    let per_minute = |limit: Given<u64>, usual: u32| {
        let name = limit.name();
        let too_large = |_| Invalid::new(name, format!("{name} is too large"));
        u32::try_from(limit.or(usual.into())?).map_err(too_large)
    };
    let too_long = |_| Invalid::new("validity", "validity is too large");
    let currency = given.currency.get()?;
    let price = given.price.get()?;
    let price =
        price.map(|amount| Price::new(amount, currency.as_deref().unwrap_or(CURRENCY))).transpose()?;
    let modules = given.modules.get()?;
    Ok(Plan {
        id: None,
        price,
        validity_days: given.validity.get()?.map(u32::try_from).transpose().map_err(too_long)?,
        modules: modules.map(|words| words.iter().map(|word| Module::parse(word)).collect()).transpose()?,
        name: given.name.or(usual.name)?,
        api_access: given.api_access.or(usual.api_access)?,
        requests_per_minute: per_minute(given.requests_per_minute, usual.requests_per_minute)?,
        heavy_requests_per_minute: per_minute(
            given.heavy_requests_per_minute,
            usual.heavy_requests_per_minute,
        )?,
        contacts: given.contacts.get()?,
        messages_per_day: given.messages_per_day.get()?,
        messages_per_minute: given.messages_per_minute.get()?,
        accounts: given.accounts.get()?,
        team_members: given.team_members.get()?,
        campaigns: given.campaigns.get()?,
        media: given.media.get()?,
        assistant_tokens: given.assistant_tokens.get()?,
    })
}

#[cfg(test)]
mod tests {
    use api_http::{Fields, Request};
    use ops::AdminKey;

    use super::*;

    fn plan_of(params: &Value) -> std::result::Result<Plan, Invalid> {
        plan(CreateTenant::read(Fields::from(params.as_object().unwrap())).plan)
    }

    #[tokio::test]
    async fn only_the_admin_key_opens() {
        for (key, given, want) in [
            (Some("open sesame"), "open sesame", true),
            (Some("open sesame"), "open", false),
            (Some("open sesame"), "", false),
            (None, "open sesame", false),
            (Some(""), "", false),
        ] {
            let key = AdminKey::fixed(key.map(Secret::new)).read().await.unwrap();
            assert_eq!(is_admin(key.as_ref(), given), want, "{given:?}");
        }
    }

    #[test]
    fn plans_are_the_usual_one_with_changes() {
        let params = json!({"plan": {"name": "Small", "contacts": "100", "api_access": false}});
        let plan = plan_of(&params).unwrap();
        assert_eq!((plan.name.as_str(), plan.contacts, plan.api_access), ("Small", Some(100), false));
        assert_eq!(plan.requests_per_minute, Plan::default().requests_per_minute);
        let params = json!({"plan": {"contacts": "many"}});
        let error = plan_of(&params).unwrap_err();
        assert_eq!(error.field, "plan.contacts");
    }
}
