//! Agencies: tenants that make sub-accounts, which are tenants of their own. An agency sees
//! none but its own.

use domain::account::{Role, Tenant};
use domain::credits::{Agency, MAX_BALANCE, MAX_GRANT, Prices, Standing, SubAccount};
use domain::plan::Plan;
use domain::{PlanId, Secret, TenantId};
use futures::{StreamExt, TryStreamExt, stream};
use queue::CampaignJob;
use store::Store;
use store::agencies::{NewSubAccount, SubAccountLine, priced};
use store::credits::Purse;

use crate::accounts::{NewTenant, check_tenant, new_key};
use crate::events::EventPublisher;
use crate::{Caller, Code, Error, Result, plans};

/// Sub-accounts that are read at once.
const AT_ONCE: usize = 100;
/// Tries against others who change the same tenant.
const TRIES: u32 = 6;

/// A sub-account with what it has.
#[derive(Debug, Clone, PartialEq)]
pub struct SubAccountView {
    /// The tenant.
    pub tenant: Tenant,
    /// Its credits.
    pub purse: Purse,
}

/// A sub-account that is to be made.
#[derive(Debug, Clone)]
pub struct NewSub {
    /// Its name.
    pub name: String,
    /// Its owner's e-mail address; of an agency's sub-accounts one has it.
    pub email: String,
    /// IANA time zone; the agency's, when absent.
    pub timezone: Option<String>,
    /// One of the plans that tenants may see; a copy of the agency's own, when absent.
    pub plan: Option<PlanId>,
    /// Credits to begin with.
    pub credits: u64,
    /// What only the agency says of it.
    pub settings: SubSettings,
}

/// What an agency says of a sub-account. `None` is not said; the inner `None` takes back what
/// was.
#[derive(Debug, Clone, Default)]
pub struct SubSettings {
    /// Prices of its own; the inner `None` are those of the agency.
    pub prices: Option<Option<Prices>>,
    /// Below how many credits the agency is told.
    pub threshold: Option<Option<u64>>,
    /// How many it wants to grant then.
    pub recharge: Option<Option<u64>>,
}

impl SubSettings {
    fn check(&self) -> Result<()> {
        let too_much =
            |field: &str, most: u64| Error::invalid(field, format!("{field} may be at most {most}"));
        if self.threshold.flatten().is_some_and(|threshold| threshold > MAX_BALANCE) {
            return Err(too_much("recharge_threshold", MAX_BALANCE));
        }
        match self.recharge.flatten() {
            Some(amount) if !(1..=MAX_GRANT).contains(&amount) => {
                let message = format!("recharge_amount must be from 1 to {MAX_GRANT}");
                Err(Error::invalid("recharge_amount", message))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What is answered to whoever names a sub-account that is none of theirs.
pub(crate) fn unknown(field: &str) -> Error {
    Error::not_found(field, "there is no such sub-account")
}

/// Lets only agencies' owners pass.
///
/// # Errors
/// [`Code::Forbidden`]
pub fn require(caller: &Caller) -> Result<&Agency> {
    caller.require_owner()?;
    let forbidden = || Error::new(Code::Forbidden, "the account is no agency: it has no sub-accounts");
    caller.tenant.standing.agency().ok_or_else(forbidden)
}

/// A sub-account of the caller's.
///
/// # Errors
/// [`Code::NotFound`] names `field`.
pub(crate) async fn own(store: &Store, caller: &Caller, id: &str, field: &str) -> Result<Tenant> {
    let id: TenantId = id.parse().map_err(|_| unknown(field))?;
    let found = store.tenant(&id).await?.ok_or_else(|| unknown(field))?;
    let sub = found.standing.sub_account();
    match sub.is_some_and(|sub| sub.agency == *caller.tenant_id()) {
        true => {
            caller.require_owner()?;
            Ok(found)
        }
        false => Err(unknown(field)),
    }
}

/// Makes a tenant an agency, or one that is none any more.
///
/// # Errors
/// [`Code::NotFound`] names `id`; [`Code::Conflict`] for a sub-account, and for an agency that has
/// sub-accounts.
pub async fn mark(store: &Store, id: &str, is_agency: bool) -> Result<Tenant> {
    let nobody = || Error::not_found("id", "there is no tenant with this id");
    let id: TenantId = id.parse().map_err(|_| nobody())?;
    let tenant = store.tenant(&id).await?.ok_or_else(nobody)?;
    let standing = match (&tenant.standing, is_agency) {
        (Standing::SubAccount(_), _) => {
            return Err(Error::conflict("the tenant is a sub-account of an agency"));
        }
        (Standing::Agency(_), true) | (Standing::Direct, false) => return Ok(tenant),
        (Standing::Direct, true) => Standing::Agency(Agency::default()),
        (Standing::Agency(_), false) => {
            if !store.sub_accounts(&id, None, 1).await?.is_empty() {
                return Err(Error::conflict("the agency has sub-accounts"));
            }
            Standing::Direct
        }
    };
    store.change_standing(&tenant, &standing).await?;
    let what = if is_agency { "agency" } else { "no agency any more" };
    store.audit(&tenant.id, "admin", what).await?;
    Ok(Tenant { standing, ..tenant })
}

/// The plan of a new sub-account.
async fn plan_of(store: &Store, caller: &Caller, id: Option<PlanId>) -> Result<Plan> {
    let Some(id) = id else { return Ok(caller.tenant.plan.clone()) };
    let defined = plans::find(store, id).await?;
    let unknown = || Error::not_found("plan_id", "there is no plan with this id");
    Some(defined).filter(|defined| defined.is_visible).map(|defined| defined.plan).ok_or_else(unknown)
}

/// Makes a sub-account; answers it with its owner's key, which is shown only now.
///
/// # Errors
/// [`Code::Forbidden`] for who is no agency; [`Code::InvalidField`] names what makes no sense;
/// [`Code::NotFound`] names `plan_id`; [`Code::Conflict`] names `email`, of which there is one.
pub async fn create(store: &Store, caller: &Caller, new: NewSub) -> Result<(SubAccountView, Secret)> {
    let agency = require(caller)?;
    new.settings.check()?;
    if new.credits > MAX_GRANT {
        let message = format!("credits must be a whole number from 0 to {MAX_GRANT}");
        return Err(Error::invalid("credits", message));
    }
    let plan = plan_of(store, caller, new.plan).await?;
    let timezone = new.timezone.filter(|zone| !zone.is_empty());
    let timezone = Some(timezone.unwrap_or_else(|| caller.tenant.timezone.clone()));
    let mut tenant = check_tenant(store, NewTenant { name: new.name, email: new.email, timezone, plan })?;
    let prices = new.settings.prices.flatten();
    tenant.standing = Standing::SubAccount(SubAccount {
        agency: caller.tenant_id().clone(),
        has_own_prices: prices.is_some(),
        prices: prices.unwrap_or_else(|| agency.prices.clone()),
        is_disabled: false,
    });
    let (secret, key) = new_key(store, &tenant.id, Role::Owner, "owner");
    let recharge = (new.settings.threshold.flatten(), new.settings.recharge.flatten());
    let made = NewSubAccount {
        tenant: &tenant,
        key: &key,
        agency: caller.tenant_id(),
        recharge,
        credits: new.credits,
        by: &caller.key.name,
    };
    match store.create_sub_account(&made).await {
        Ok(()) => {}
        Err(store::Error::Conflict) => {
            let message = "email is that of another sub-account";
            return Err(Error { field: Some("email".to_owned()), ..Error::conflict(message) });
        }
        Err(error) => return Err(error.into()),
    }
    let purse = store.purse(&tenant.id).await?.unwrap_or_default();
    Ok((SubAccountView { tenant, purse }, secret))
}

/// Sub-accounts of the caller's behind a place, the oldest first, at most `limit`; and where to
/// go on.
///
/// # Errors
/// [`Code::Forbidden`] for who is no agency.
pub async fn list(
    store: &Store,
    caller: &Caller,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<SubAccountView>, Option<String>)> {
    require(caller)?;
    let lines = store.sub_accounts(caller.tenant_id(), after, limit).await?;
    let next = lines.last().filter(|_| lines.len() == limit).map(|line| line.place.clone());
    Ok((views(store, &lines).await?, next))
}

async fn views(store: &Store, lines: &[SubAccountLine]) -> Result<Vec<SubAccountView>> {
    let ids: Vec<TenantId> = lines.iter().map(|line| line.tenant.clone()).collect();
    let (tenants, purses) = futures::try_join!(store.tenants_of(&ids), store.purses(&ids))?;
    let view = |id: &TenantId| {
        let tenant = tenants.iter().find(|tenant| tenant.id == *id)?.clone();
        let purse = purses.iter().find(|(owner, _)| owner == id).map(|(_, purse)| purse.clone());
        Some(SubAccountView { tenant, purse: purse.unwrap_or_default() })
    };
    Ok(ids.iter().filter_map(view).collect())
}

/// One of them.
///
/// # Errors
/// [`Code::NotFound`] names `id`.
pub async fn find(store: &Store, caller: &Caller, id: &str) -> Result<SubAccountView> {
    let tenant = own(store, caller, id, "id").await?;
    let purse = store.purse(&tenant.id).await?.unwrap_or_default();
    Ok(SubAccountView { tenant, purse })
}

/// Switches a sub-account off or on. Off, its keys do not work and it sends nothing; what it
/// was sending waits.
///
/// # Errors
/// [`Code::NotFound`] names `id`.
pub async fn switch(
    publisher: &EventPublisher,
    caller: &Caller,
    id: &str,
    disabled: bool,
) -> Result<SubAccountView> {
    let store = &publisher.store;
    for attempt in 0..TRIES {
        let before = own(store, caller, id, "id").await?;
        let Some(sub) = before.standing.sub_account() else { return Err(unknown("id")) };
        let standing = Standing::SubAccount(SubAccount { is_disabled: disabled, ..sub.clone() });
        match store.disable_sub_account(caller.tenant_id(), &before, &standing, disabled).await {
            Ok(due) => {
                let job =
                    due.map(|due| CampaignJob::Fund { tenant: before.id.to_string(), at_ms: due.at_ms });
                if let Some(job) = job
                    && let Err(error) = publisher.queues.campaign(job, 0).await
                {
                    tracing::warn!(tenant = %before.id, code = error.code, "campaigns that wait go on with the sweep");
                }
                return find(store, caller, id).await;
            }
            Err(store::Error::Conflict) => store.back_off(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(store::Error::Contended.into())
}

/// Changes what an agency says of a sub-account. Campaigns that were launched pay as they did.
///
/// # Errors
/// [`Code::NotFound`] names `id`; [`Code::InvalidField`] what makes no sense.
pub async fn change(
    store: &Store,
    caller: &Caller,
    id: &str,
    settings: SubSettings,
) -> Result<SubAccountView> {
    let known = find(store, caller, id).await?;
    settings.check()?;
    if settings.threshold.is_some() || settings.recharge.is_some() {
        let threshold = settings.threshold.unwrap_or(known.purse.threshold);
        let recharge = settings.recharge.unwrap_or(known.purse.recharge);
        store.watch_balance(&known.tenant.id, threshold, recharge).await?;
    }
    if let Some(prices) = &settings.prices {
        let agency = require(caller)?.prices.clone();
        let changed = |sub: &SubAccount| SubAccount {
            has_own_prices: prices.is_some(),
            prices: prices.clone().unwrap_or_else(|| agency.clone()),
            ..sub.clone()
        };
        restand(store, &known.tenant.id, |standing| {
            standing.sub_account().map(|sub| Standing::SubAccount(changed(sub)))
        })
        .await?;
    }
    find(store, caller, id).await
}

/// Changes how a tenant stands to others, as it stands by then.
async fn restand(store: &Store, id: &TenantId, change: impl Fn(&Standing) -> Option<Standing>) -> Result<()> {
    for attempt in 0..TRIES {
        let Some(tenant) = store.tenant(id).await? else { return Ok(()) };
        let Some(standing) = change(&tenant.standing).filter(|new| *new != tenant.standing) else {
            return Ok(());
        };
        match store.change_standing(&tenant, &standing).await {
            Ok(()) => return Ok(()),
            Err(store::Error::Conflict) => store.back_off(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(store::Error::Contended.into())
}

/// Sets what an agency's sub-accounts pay that have no prices of their own.
///
/// # Errors
/// [`Code::Forbidden`] for who is no agency; [`Code::Unavailable`]: set them again.
pub async fn set_prices(store: &Store, caller: &Caller, prices: &Prices) -> Result<()> {
    require(caller)?;
    restand(store, caller.tenant_id(), |standing| {
        standing.agency().map(|_| Standing::Agency(Agency { prices: prices.clone() }))
    })
    .await?;
    let mut after: Option<String> = None;
    loop {
        let lines = store.sub_accounts(caller.tenant_id(), after.as_deref(), AT_ONCE).await?;
        let changes =
            lines.iter().map(|line| restand(store, &line.tenant, |standing| priced(standing, prices)));
        stream::iter(changes.collect::<Vec<_>>()).buffer_unordered(8).try_collect::<()>().await?;
        match lines.last().filter(|_| lines.len() == AT_ONCE) {
            Some(last) => after = Some(last.place.clone()),
            None => break,
        }
    }
    Ok(store.audit(caller.tenant_id(), &caller.key.name, "prices of sub-accounts").await?)
}
