//! Tenants, keys, accounts and connected numbers.

use channels::cloud::Graph;
use domain::account::{Account, ApiKey, Number, Role, Tenant};
use domain::outcome::About;
use domain::plan::Plan;
use domain::sender::SenderId;
use domain::{AccountId, CallingCode, Secret, TenantId};
use jiff::tz::TimeZone;
use store::numbers::Connected;
use store::{Store, sha256_hex};

use crate::callers::Caller;
use crate::{Code, Error, Result};

/// Most numbers of an account: each is read with it.
const MAX_NUMBERS: usize = 20;
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
        ] {
            if said.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
                return Err(Error::invalid(field, format!("{field} may have at most {MAX_TEXT} characters")));
            }
            if let Some(text) = said {
                *kept = Some(text).filter(|text| !text.is_empty());
            }
        }
        if let Some(code) = self.default_country {
            let code = Some(code.trim()).filter(|code| !code.is_empty());
            account.default_country = code.map(CallingCode::parse).transpose()?;
        }
        Ok(())
    }
}

/// A number to be connected.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Meta's id of the number.
    pub number: String,
    /// Meta's id of the business account.
    pub waba_id: String,
    /// A token that may use it.
    pub access_token: Secret,
    /// Secret of the Meta app whose webhooks report on it.
    pub app_secret: Secret,
    /// What Meta verifies the webhook with.
    pub verify_token: String,
    /// Messages per second that Meta allows.
    pub per_second: u32,
    /// Messaging tier: unique recipients in 24 hours.
    pub tier: Option<u64>,
    /// It sends when none is named.
    pub as_default: bool,
}

fn new_key(store: &Store, tenant: &TenantId, role: Role, name: &str) -> (Secret, ApiKey) {
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
    let tenant = Tenant { id, name, email: email.as_str().to_owned(), timezone, plan, created_at };
    let (secret, key) = new_key(store, &tenant.id, Role::Owner, "owner");
    store.create_tenant(&tenant, &key).await?;
    Ok((tenant, secret))
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
/// [`Code::Forbidden`] for operators, [`Code::InvalidField`] for the name.
pub async fn create_operator(store: &Store, caller: &Caller, name: &str) -> Result<(ApiKey, Secret)> {
    caller.require_owner()?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 255 {
        return Err(Error::invalid("name", "name must have 1 to 255 characters"));
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

/// Connects a WhatsApp number to an account, or renews what is known of it, after Meta
/// confirmed that the token may use it. Answers the account with the number's id.
///
/// # Errors
/// [`Code::InvalidField`] for a missing value or a token that Meta refuses,
/// [`Code::Conflict`] when the number belongs to another account.
pub async fn connect_number(
    store: &Store,
    graph: &Graph,
    caller: &Caller,
    account: Account,
    new: Connection,
) -> Result<(Account, SenderId)> {
    caller.require_owner()?;
    check_connection(&new)?;
    let info = match graph.number(&new.number, &new.waba_id, &new.access_token).await {
        Ok(info) => info,
        Err(channels::Error::Refused(refusal)) => {
            let field = if refusal.about == About::Credentials { "access_token" } else { "phone_number_id" };
            return Err(Error::invalid(
                field,
                format!("WhatsApp refused the connection: {}", refusal.details),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let number = Number {
        id: SenderId::number(&new.number),
        waba_id: new.waba_id,
        display_phone_number: info.display_phone_number,
        verified_name: info.verified_name,
        access_token: new.access_token,
        app_secret: new.app_secret,
        per_second: new.per_second,
        tier: new.tier,
        connected_at: store.clock().now(),
    };
    let is_known = account.number_of(&number.id).is_some();
    if !is_known && account.numbers.len() >= MAX_NUMBERS {
        let message = format!("an account may have at most {MAX_NUMBERS} numbers");
        return Err(Error::new(Code::PlanLimit, message));
    }
    let how = Connected { verify_token: &new.verify_token, as_default: new.as_default };
    let account = match store.connect_number(caller.tenant_id(), account.id, &number, how).await {
        Ok(account) => account,
        Err(store::Error::Conflict) => {
            return Err(Error::conflict("the number is connected to another account"));
        }
        Err(error) => return Err(error.into()),
    };
    store.sender_changed(caller.tenant_id(), &number.id).await?;
    store.audit(caller.tenant_id(), &caller.key.name, "number connected").await?;
    Ok((account, number.id))
}

fn check_connection(new: &Connection) -> Result<()> {
    for (field, id) in [("phone_number_id", &new.number), ("waba_id", &new.waba_id)] {
        if id.is_empty() || id.len() > 32 || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::invalid(field, format!("{field} must be Meta's numeric id")));
        }
    }
    let secrets = [
        ("access_token", new.access_token.expose()),
        ("app_secret", new.app_secret.expose()),
        ("verify_token", &new.verify_token),
    ];
    for (field, value) in secrets {
        if value.trim().is_empty() {
            return Err(Error::invalid(field, format!("{field} is required")));
        }
    }
    if !(1..=10_000).contains(&new.per_second) {
        return Err(Error::invalid("messages_per_second", "messages_per_second must be from 1 to 10000"));
    }
    Ok(())
}
