//! Plans that whoever runs the installation defines, and what they allow.

use domain::account::Tenant;
use domain::plan::{DefinedPlan, MAX_PLANS, Module, Plan};
use domain::{Invalid, PlanId, TenantId};
use store::Store;
use store::usage::Metered;

use crate::callers::Caller;
use crate::{Code, Error, Result};

fn unknown() -> Error {
    Error::not_found("plan_id", "there is no plan with this id")
}

/// A plan that is defined.
///
/// # Errors
/// [`Code::NotFound`] names `plan_id`.
pub async fn find(store: &Store, id: PlanId) -> Result<DefinedPlan> {
    store.plan(id).await?.ok_or_else(unknown)
}

/// Defines a plan: the one with the number, else the one of the same name, else a new one.
/// Tenants that have it keep the copy that they were given. Answers whether it is new.
///
/// # Errors
/// [`Code::InvalidField`] for a plan that makes no sense, [`Code::NotFound`] names `plan_id`,
/// [`Code::Conflict`] when the name is another plan's or there are too many.
pub async fn define(
    store: &Store,
    id: Option<PlanId>,
    plan: Plan,
    is_visible: bool,
) -> Result<(DefinedPlan, bool)> {
    let plan = plan.check().map_err(|wrong| {
        let own = |text: &str| text.replacen("plan.", "", 1);
        Invalid::new(own(&wrong.field), own(&wrong.message))
    })?;
    match store.define_plan(id, &plan, is_visible).await {
        Ok(defined) => defined.ok_or_else(unknown),
        Err(store::Error::Conflict) => {
            let message = format!("another plan has this name, or there are {MAX_PLANS} already");
            Err(Error { field: Some("name".to_owned()), ..Error::conflict(message) })
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives a tenant a plan as it is defined now, from now on.
///
/// # Errors
/// [`Code::NotFound`] names `plan_id`, or `id` of a tenant that does not exist.
pub async fn give(store: &Store, tenant: &str, id: PlanId) -> Result<Tenant> {
    let no_tenant = || Error::not_found("id", "there is no tenant with this id");
    let tenant: TenantId = tenant.parse().map_err(|_| no_tenant())?;
    let tenant = store.tenant(&tenant).await?.ok_or_else(no_tenant)?;
    let plan = find(store, id).await?.plan;
    let name = plan.name.clone();
    let tenant = Tenant { plan, plan_since: store.clock().now(), ..tenant };
    store.give_plan(&tenant).await?;
    store.audit(&tenant.id, "admin", &format!("plan {name}")).await?;
    Ok(tenant)
}

/// Lets only those pass whose plan has a part of the product.
///
/// # Errors
/// [`Code::PlanLimit`]
pub fn require(caller: &Caller, module: Module) -> Result<()> {
    match caller.tenant.plan.has(module) {
        true => Ok(()),
        false => {
            let message = format!("the plan has no {}", module.title());
            Err(Error::new(Code::PlanLimit, message))
        }
    }
}

/// Counts a campaign against the plan's limit of the month.
///
/// # Errors
/// [`Code::PlanLimit`]
pub async fn count_campaign(store: &Store, caller: &Caller) -> Result<()> {
    let limit = caller.tenant.plan.campaigns;
    count(store, caller, Metered::Campaigns, limit, "campaigns").await
}

/// Counts an uploaded file against the plan's limit of the month.
///
/// # Errors
/// [`Code::PlanLimit`]
pub async fn count_upload(store: &Store, caller: &Caller) -> Result<()> {
    count(store, caller, Metered::Media, caller.tenant.plan.media, "uploads").await
}

async fn count(store: &Store, caller: &Caller, what: Metered, limit: Option<u64>, words: &str) -> Result<()> {
    match store.meter(caller.tenant_id(), what, 1, limit).await {
        Ok(()) => Ok(()),
        Err(store::Error::Conflict) => {
            Err(Error::new(Code::PlanLimit, format!("the plan's {words} of this month are used up")))
        }
        Err(error) => Err(error.into()),
    }
}
