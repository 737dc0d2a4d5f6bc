//! Credits that an agency grants: once under each key that it names, for good.

use domain::credits::{MAX_BALANCE, MAX_DESCRIPTION, MAX_GRANT};
use domain::{EmailAddress, TenantId};
use queue::CampaignJob;
use store::credits::{Grant, GrantKey, Granted};

use crate::events::EventPublisher;
use crate::{Caller, Code, Error, Result, agencies};

/// Longest key, in bytes.
const MAX_KEY: usize = 255;

/// Credits that an agency wants to grant.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The owner's e-mail address, where the sub-account is not named by its id.
    pub email: Option<EmailAddress>,
    /// The sub-account.
    pub id: Option<String>,
    /// How many credits.
    pub amount: u64,
    /// Why, for people.
    pub description: Option<String>,
    /// Keys under each of which this is granted once.
    pub keys: Vec<String>,
}

/// Credits that were granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantDone {
    /// The sub-account.
    pub tenant: TenantId,
    /// How many credits.
    pub amount: u64,
    /// What there was with them.
    pub balance: u64,
    /// It was granted before, under the same key.
    pub is_repeated: bool,
}

fn check(new: &NewGrant) -> Result<()> {
    if !(1..=MAX_GRANT).contains(&new.amount) {
        let message = format!("amount must be a whole number of credits from 1 to {MAX_GRANT}");
        return Err(Error::invalid("amount", message));
    }
    if new.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        let message = format!("description may have at most {MAX_DESCRIPTION} characters");
        return Err(Error::invalid("description", message));
    }
    if new.keys.iter().any(|key| key.len() > MAX_KEY) {
        let message = format!("idempotency_key may have at most {MAX_KEY} characters");
        return Err(Error::invalid("idempotency_key", message));
    }
    Ok(())
}

/// Grants credits to a sub-account of the caller's; campaigns of it that wait for some go on.
///
/// # Errors
/// [`Code::Forbidden`] for who is no agency, or an operator; [`Code::InvalidField`] names `amount`,
/// `description`, `email` or `idempotency_key`; [`Code::NotFound`] names `email`, or
/// `sub_account_id`; [`Code::IdempotencyConflict`] when something else was granted under a key.
pub async fn grant(publisher: &EventPublisher, caller: &Caller, new: &NewGrant) -> Result<GrantDone> {
    let store = &publisher.store;
    agencies::require(caller)?;
    check(new)?;
    let agency = caller.tenant_id();
    let tenant = grantee(publisher, caller, new).await?;
    let grant = Grant {
        agency,
        tenant: &tenant,
        amount: new.amount,
        description: new.description.as_deref(),
        by: &caller.key.name,
        keys: &new.keys,
    };
    match store.grant(&grant).await? {
        Granted::Yes(recorded, due) => {
            // Whoever breaks off from here on leaves the rest to the sweep.
            let job = CampaignJob::Fund { tenant: tenant.to_string(), at_ms: due.at_ms };
            if let Err(error) = publisher.queues.campaign(job, 0).await {
                tracing::warn!(%tenant, code = error.code, "campaigns that wait for credits wait for the sweep");
            }
            let (amount, balance) = (recorded.amount, recorded.balance);
            Ok(GrantDone { tenant, amount, balance, is_repeated: false })
        }
        Granted::Before(before) => repeated(&before, tenant, new.amount),
        Granted::TooMuch => {
            let message = format!("amount is too large: there may be at most {MAX_BALANCE} credits");
            Err(Error::invalid("amount", message))
        }
        Granted::Nobody => Err(agencies::unknown("email")),
    }
}

/// The sub-account that is meant.
async fn grantee(publisher: &EventPublisher, caller: &Caller, new: &NewGrant) -> Result<TenantId> {
    let store = &publisher.store;
    match (&new.id, &new.email) {
        (Some(id), email) => {
            let own = agencies::own(store, caller, id, "sub_account_id").await?;
            let is_meant = |email: &EmailAddress| email.as_str().eq_ignore_ascii_case(&own.email);
            match email.as_ref().is_none_or(is_meant) {
                true => Ok(own.id),
                false => Err(agencies::unknown("email")),
            }
        }
        (None, Some(email)) => {
            let found = store.sub_account_by_email(caller.tenant_id(), email).await?;
            found.ok_or_else(|| agencies::unknown("email"))
        }
        (None, None) => Err(Error::invalid("email", "email is required")),
    }
}

/// The same again is answered as the first time.
fn repeated(before: &GrantKey, tenant: TenantId, amount: u64) -> Result<GrantDone> {
    if before.tenant != tenant.as_str() || before.amount != amount {
        let what = if before.tenant == tenant.as_str() { "another amount" } else { "another sub-account" };
        let message = format!("the idempotency key was used for {what}");
        let field = Some("idempotency_key".to_owned());
        return Err(Error { field, ..Error::new(Code::IdempotencyConflict, message) });
    }
    Ok(GrantDone { tenant, amount, balance: before.balance, is_repeated: true })
}
