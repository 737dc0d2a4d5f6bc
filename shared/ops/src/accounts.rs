//! Tenants, keys and accounts.

use domain::account::{Account, ApiKey, ContactPolicy, Role, Tenant};
use domain::consent::Keywords;
use domain::credits::Standing;
use domain::plan::Plan;
use domain::quiet::{FrequencyCap, QuietHours};
use domain::{AccountId, CallingCode, Secret, TenantId};
use jiff::tz::TimeZone;
use store::{Store, sha256_hex};

use crate::callers::Caller;
use crate::{Code, Error, Result};

/// Longest text of an account, in characters.
const MAX_TEXT: usize = 4_096;

/// A tenant to be created.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its name.
    pub name: String,
    /// Its owner's e-mail address.
    pub email: String,
    /// IANA time zone; UTC when absent.
    pub timezone: Option<String>,
    /// What it may do.
    pub plan: Plan,
}

/// What an account's owner says of it. `None` is not said; an empty text takes back
/// what was.
#[derive(Debug, Clone, Default)]
pub struct AccountSettings {
    /// Its name, 3 to 255 characters.
    pub name: Option<String>,
    /// Greeting of the assistant.
    pub greetings_message: Option<String>,
    /// What the assistant says when it knows nothing.
    pub no_info_message: Option<String>,
    /// What HELP is answered with.
    pub help_message: Option<String>,
    /// What an opt-out is answered with, once.
    pub opt_out_message: Option<String>,
    /// Words that opt out; none are ours again.
    pub opt_out_words: Option<Vec<String>>,
    /// Words that opt in again; none are ours again.
    pub opt_in_words: Option<Vec<String>>,
    /// Words that are answered with the help text; none are ours again.
    pub help_words: Option<Vec<String>>,
    /// Most marketing messages of a contact; the inner `None` is no cap.
    pub frequency_cap: Option<Option<FrequencyCap>>,
    /// Hours without marketing; the inner `None` is all day.
    pub quiet_hours: Option<Option<QuietHours>>,
    /// Calling code of numbers that are written without one.
    pub default_country: Option<String>,
}

impl AccountSettings {
    /// Those of an account that is only called something.
    pub fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    fn apply(self, account: &mut Account) -> Result<()> {
        if let Some(name) = self.name {
            name.trim().clone_into(&mut account.name);
        }
        if !(3..=255).contains(&account.name.chars().count()) {
            return Err(Error::invalid("name", "name must have 3 to 255 characters"));
        }
        for (field, said, kept) in [
            ("greetings_message", self.greetings_message, &mut account.greetings_message),
            ("no_info_message", self.no_info_message, &mut account.no_info_message),
            ("help_message", self.help_message, &mut account.help_message),
            ("opt_out_message", self.opt_out_message, &mut account.policy.opt_out_message),
        ] {
            if said.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
                return Err(Error::invalid(field, format!("{field} may have at most {MAX_TEXT} characters")));
            }
            if let Some(text) = said {
                *kept = Some(text).filter(|text| !text.is_empty());
            }
        }
        if let Some(cap) = self.frequency_cap {
            account.policy.frequency_cap = cap;
        }
        if let Some(hours) = self.quiet_hours {
            account.policy.quiet_hours = hours;
        }
        let keywords = &mut account.policy.keywords;
        for (field, said, kept) in [
            ("opt_out_words", self.opt_out_words, &mut keywords.opt_out),
            ("opt_in_words", self.opt_in_words, &mut keywords.opt_in),
            ("help_words", self.help_words, &mut keywords.help),
        ] {
            if let Some(words) = said {
                *kept = Some(Keywords::check(field, &words)?).filter(|words| !words.is_empty());
            }
        }
        keywords.check_apart()?;
        if let Some(code) = self.default_country {
            let code = Some(code.trim()).filter(|code| !code.is_empty());
            account.default_country = code.map(CallingCode::parse).transpose()?;
        }
        Ok(())
    }
}

pub(crate) fn new_key(store: &Store, tenant: &TenantId, role: Role, name: &str) -> (Secret, ApiKey) {
    let secret = Secret::new(format!("sk_live_{}", store.entropy().token(40)));
    let hash = sha256_hex(secret.expose());
    let key = ApiKey { hash, tenant: tenant.clone(), role, name: name.to_owned(), disabled: false };
    (secret, key)
}

/// Creates a tenant; answers it with its owner's key, which is shown only now.
///
/// # Errors
/// [`Code::InvalidField`] for a time zone or plan that makes no sense.
pub async fn create_tenant(store: &Store, new: NewTenant) -> Result<(Tenant, Secret)> {
    let tenant = check_tenant(store, new)?;
    let (secret, key) = new_key(store, &tenant.id, Role::Owner, "owner");
    store.create_tenant(&tenant, &key).await?;
    Ok((tenant, secret))
}

/// A tenant that makes sense, with an id of its own.
pub(crate) fn check_tenant(store: &Store, new: NewTenant) -> Result<Tenant> {
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 255 {
        return Err(Error::invalid("name", "name must have 1 to 255 characters"));
    }
    let email: domain::EmailAddress = new.email.parse()?;
    let timezone = new.timezone.filter(|t| !t.is_empty()).unwrap_or_else(|| "UTC".to_owned());
    TimeZone::get(&timezone)
        .map_err(|_| Error::invalid("timezone", "timezone must be an IANA name such as Europe/Rome"))?;
    let id: TenantId = store.entropy().token(12).parse()?;
    let plan = new.plan.check()?;
    let created_at = store.clock().now();
    Ok(Tenant {
        id,
        name,
        email: email.as_str().to_owned(),
        timezone,
        plan,
        plan_since: created_at,
        standing: Standing::Direct,
        created_at,
    })
}

/// The tenant's time zone.
pub fn time_zone(tenant: &Tenant) -> TimeZone {
    TimeZone::get(&tenant.timezone).unwrap_or(TimeZone::UTC)
}

/// Replaces the owner's key: the old one stops at once, the new one is shown
/// only now.
///
/// # Errors
/// [`Code::Forbidden`] for operators.
pub async fn regenerate_key(store: &Store, caller: &Caller) -> Result<Secret> {
    caller.require_owner()?;
    let (secret, key) = new_key(store, caller.tenant_id(), Role::Owner, &caller.key.name);
    store.replace_api_key(&caller.key, &key).await?;
    store.audit(caller.tenant_id(), &caller.key.name, "key regenerated").await?;
    Ok(secret)
}

/// Creates an operator's key, which is shown only now.
///
/// # Errors
/// [`Code::Forbidden`] for operators, [`Code::InvalidField`] for the name,
/// [`Code::PlanLimit`] when the plan has no room for another one.
pub async fn create_operator(store: &Store, caller: &Caller, name: &str) -> Result<(ApiKey, Secret)> {
    caller.require_owner()?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 255 {
        return Err(Error::invalid("name", "name must have 1 to 255 characters"));
    }
    if let Some(limit) = caller.tenant.plan.team_members
        && team_size(store, caller.tenant_id()).await? >= limit
    {
        return Err(Error::new(Code::PlanLimit, "the plan's limit of team members is reached"));
    }
    let (secret, key) = new_key(store, caller.tenant_id(), Role::Operator, name);
    store.create_api_key(&key).await?;
    store.audit(caller.tenant_id(), &caller.key.name, "operator created").await?;
    Ok((key, secret))
}

/// The id by which an operator is named: the beginning of its key's hash.
pub fn operator_id(key: &ApiKey) -> &str {
    key.hash.get(..16).unwrap_or(&key.hash)
}

/// The operators of the caller's tenant.
///
/// # Errors
/// [`Code::Forbidden`] for operators.
pub async fn operators(store: &Store, caller: &Caller) -> Result<Vec<ApiKey>> {
    caller.require_owner()?;
    let keys = store.api_keys(caller.tenant_id()).await?;
    Ok(keys.into_iter().filter(|k| k.role == Role::Operator).collect())
}

/// How many operators a tenant has.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn team_size(store: &Store, tenant: &TenantId) -> Result<u64> {
    let keys = store.api_keys(tenant).await?;
    Ok(keys.iter().filter(|key| key.role == Role::Operator).count() as u64)
}

/// Switches an operator's key off or on.
///
/// # Errors
/// [`Code::Forbidden`] for operators, [`Code::NotFound`] for an unknown one.
pub async fn disable_operator(store: &Store, caller: &Caller, id: &str, disabled: bool) -> Result<ApiKey> {
    let found = operators(store, caller).await?.into_iter().find(|k| operator_id(k) == id);
    let mut key = found.ok_or_else(|| Error::not_found("id", "there is no operator with this id"))?;
    store.disable_api_key(&key, disabled).await?;
    let what = if disabled { "operator disabled" } else { "operator enabled" };
    store.audit(caller.tenant_id(), &caller.key.name, what).await?;
    key.disabled = disabled;
    Ok(key)
}

/// Creates an account with its token.
///
/// # Errors
/// [`Code::InvalidField`] for a setting, [`Code::PlanLimit`] when the plan has no
/// room for another account.
pub async fn create_account(store: &Store, tenant: &Tenant, settings: AccountSettings) -> Result<Account> {
    let mut account = Account {
        id: AccountId::NONE,
        name: String::new(),
        token: Secret::new(store.entropy().token(32)),
        greetings_message: None,
        no_info_message: None,
        help_message: None,
        policy: ContactPolicy::default(),
        default_country: None,
        numbers: Vec::new(),
        created_at: store.clock().now(),
    };
    settings.apply(&mut account)?;
    if let Some(limit) = tenant.plan.accounts
        && store.accounts(&tenant.id).await?.len() as u64 >= limit
    {
        return Err(Error::new(Code::PlanLimit, "the plan's account limit is reached"));
    }
    account.id = store.next_account_id(&tenant.id).await?;
    store.create_account(&tenant.id, &account).await?;
    Ok(account)
}

/// Changes what an account's owner said of it.
///
/// # Errors
/// [`Code::InvalidField`] for a setting.
pub async fn change_account(
    store: &Store,
    tenant: &TenantId,
    mut account: Account,
    settings: AccountSettings,
) -> Result<Account> {
    settings.apply(&mut account)?;
    store.change_account(tenant, &account).await?;
    Ok(account)
}
