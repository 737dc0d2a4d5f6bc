//! Who calls, and whether they may.

use domain::account::{Account, ApiKey, Role, Tenant};
use domain::sender::SenderId;
use domain::{AccountId, CallingCode, Secret, TenantId};
use store::{Store, sha256_hex};

use crate::{Code, Error, Result};

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose key it is.
    pub tenant: Tenant,
    /// The key.
    pub key: ApiKey,
}

/// What a request costs: its share of the plan's request limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateClass {
    /// Most requests.
    Normal,
    /// Bulk imports, uploads and template creations.
    Heavy,
}

impl Caller {
    /// The tenant's id.
    pub fn tenant_id(&self) -> &TenantId {
        &self.tenant.id
    }

    /// Lets only owners pass.
    ///
    /// # Errors
    /// [`Code::Forbidden`] for operators.
    pub fn require_owner(&self) -> Result<()> {
        match self.key.role {
            Role::Owner => Ok(()),
            Role::Operator => Err(Error::new(Code::Forbidden, "an operator's key may not do this")),
        }
    }
}

/// Finds the caller behind a key.
///
/// # Errors
/// [`Code::Unauthorized`] without a key or with one that nobody has or that is
/// switched off; [`Code::Forbidden`] when the plan has no API access, or the tenant's agency
/// switched it off.
pub async fn authenticate(store: &Store, key: Option<&Secret>) -> Result<Caller> {
    let unauthorized = |message| Error::new(Code::Unauthorized, message);
    let key = key.ok_or_else(|| unauthorized("an API key is required"))?;
    let wrong = || unauthorized("the API key is not valid");
    let known = store.api_key(&sha256_hex(key.expose())).await?.ok_or_else(wrong)?;
    if known.disabled {
        return Err(unauthorized("the API key is switched off"));
    }
    let tenant = store.tenant(&known.tenant).await?.ok_or_else(wrong)?;
    if tenant.standing.sub_account().is_some_and(|sub| sub.is_disabled) {
        return Err(Error::new(Code::Forbidden, "the account is switched off by its agency"));
    }
    if !tenant.plan.api_access {
        return Err(Error::new(Code::Forbidden, "the plan has no API access"));
    }
    Ok(Caller { tenant, key: known })
}

/// Counts a request against the plan's limit per key and minute.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait.
pub async fn admit(store: &Store, caller: &Caller, class: RateClass) -> Result<()> {
    let (name, limit) = match class {
        RateClass::Normal => ("n", caller.tenant.plan.requests_per_minute),
        RateClass::Heavy => ("h", caller.tenant.plan.heavy_requests_per_minute),
    };
    let (count, left) = store.count_request(caller.tenant_id(), &caller.key.hash, name).await?;
    if count > u64::from(limit) {
        let message = format!("more than {limit} requests in a minute: wait {left} seconds");
        return Err(Error::new(Code::RateLimited, message).after(left));
    }
    Ok(())
}

/// Finds the caller's account by its token.
///
/// # Errors
/// [`Code::InvalidField`] without a token, [`Code::NotFound`] for one that is not
/// the caller's; both name `token`.
pub async fn account(store: &Store, caller: &Caller, token: Option<&str>) -> Result<Account> {
    let token = token.map(str::trim).filter(|t| !t.is_empty());
    let token = token.ok_or_else(|| Error::invalid("token", "token is required"))?;
    let unknown = || Error::not_found("token", "token is not the token of one of your accounts");
    let owner = store.account_of_token(&Secret::new(token)).await?;
    let (tenant, id) = owner.ok_or_else(unknown)?;
    if tenant != caller.tenant.id {
        return Err(unknown());
    }
    store.account(&tenant, id).await?.ok_or_else(unknown)
}

/// Finds the caller's account by a connected number, with its id: the provider's id, or
/// the number as people read it.
///
/// # Errors
/// [`Code::InvalidField`] without a number, [`Code::NotFound`] for one that is not
/// connected to an account of the caller's; both name `phone_number_id`.
pub async fn account_of_number(
    store: &Store,
    caller: &Caller,
    number: Option<&str>,
) -> Result<(Account, SenderId)> {
    let number = number.map(str::trim).filter(|n| !n.is_empty());
    let number = number.ok_or_else(|| Error::invalid("phone_number_id", "phone_number_id is required"))?;
    let named = number.parse::<SenderId>().ok();
    let accounts = store.accounts(caller.tenant_id()).await?.into_iter();
    let mut found = accounts.filter_map(|account| {
        let id = account.number_of(named.as_ref()?)?.id.clone();
        Some((account, id))
    });
    let unknown = "phone_number_id is not the id of one of your numbers";
    found.next().ok_or_else(|| Error::not_found("phone_number_id", unknown))
}

/// Finds the caller's account that a contract calls a session.
///
/// # Errors
/// [`Code::NotFound`] names `session_id`.
pub async fn account_of_session(store: &Store, caller: &Caller, id: AccountId) -> Result<Account> {
    let unknown = || Error::not_found("session_id", "session_id is not the id of one of your sessions");
    store.account(caller.tenant_id(), id).await?.ok_or_else(unknown)
}

/// The country of numbers that name none, in a call that names no account: that of the
/// caller's accounts, where all that have one have the same.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn home_country(store: &Store, caller: &Caller) -> Result<Option<CallingCode>> {
    let accounts = store.accounts(caller.tenant_id()).await?;
    let mut countries = accounts.iter().filter_map(|account| account.default_country);
    let first = countries.next();
    Ok(first.filter(|first| countries.all(|country| country == *first)))
}
