//! Tenants, API keys, accounts and their tokens.

use domain::account::{Account, ApiKey, ContactPolicy, Number, Role, Tenant};
use domain::credits::Standing;
use domain::sender::SenderId;
use domain::{AccountId, CallingCode, Secret, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, number, read, s, text};
use crate::plans::PlanItem;
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store, sha256_hex};

pub(crate) fn tenant_key(tenant: &TenantId) -> Key {
    Key::new(Kind::Tenant.pk(tenant), "-")
}

fn api_key_key(hash: &str) -> Key {
    Key::new(Kind::ApiKey.pk(hash), "-")
}

fn key_list_key(tenant: &TenantId, hash: &str) -> Key {
    Key::new(Kind::ApiKeys.pk(tenant), hash)
}

pub(crate) fn account_key(tenant: &TenantId, id: AccountId) -> Key {
    Key::new(Kind::Accounts.pk(tenant), format!("{:010}", id.0))
}

fn token_key(hash: &str) -> Key {
    Key::new(Kind::Token.pk(hash), "-")
}

#[derive(Serialize, Deserialize)]
struct TenantItem {
    id: String,
    name: String,
    email: String,
    timezone: String,
    #[serde(flatten)]
    plan: PlanItem,
    /// Since when it has the plan; from the beginning, when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan_since: Option<i64>,
    /// [`domain::credits::Agency`], JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    /// [`domain::credits::SubAccount`], JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    created: i64,
}

#[derive(Serialize, Deserialize)]
struct KeyItem {
    tenant: String,
    role: String,
    name: String,
    disabled: bool,
    hash: String,
}

#[derive(Serialize, Deserialize)]
struct TokenItem {
    tenant: String,
    account: u64,
}

#[derive(Serialize, Deserialize)]
struct AccountItem {
    id: u64,
    name: String,
    token: String,
    greeting: Option<String>,
    no_info: Option<String>,
    help: Option<String>,
    country: Option<u16>,
    /// [`ContactPolicy`], JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    created: i64,
    /// The default number.
    wa: Option<NumberItem>,
    /// The others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more: Vec<NumberItem>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct NumberItem {
    phone_id: String,
    waba: String,
    display: String,
    verified: String,
    access: String,
    secret: String,
    per_second: u32,
    tier: Option<u64>,
    connected: i64,
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How a tenant stands to others, as its item has it: `agency`, `sub`.
fn standing_texts(standing: &Standing) -> Result<[Option<String>; 2]> {
    let corrupt = |_| Error::Corrupt { kind: "tenant" };
    let agency = standing.agency().map(serde_json::to_string).transpose().map_err(corrupt)?;
    let sub = standing.sub_account().map(serde_json::to_string).transpose().map_err(corrupt)?;
    Ok([agency, sub])
}

fn read_standing(agency: Option<&str>, sub: Option<&str>) -> Result<Standing> {
    let corrupt = |_| Error::Corrupt { kind: "tenant" };
    Ok(match (sub, agency) {
        (Some(sub), _) => Standing::SubAccount(serde_json::from_str(sub).map_err(corrupt)?),
        (None, Some(agency)) => Standing::Agency(serde_json::from_str(agency).map_err(corrupt)?),
        (None, None) => Standing::Direct,
    })
}

/// A tenant that stands otherwise from now on, unless that was changed since it was read.
pub(crate) fn tenant_update(before: &Tenant, standing: &Standing) -> Result<Update> {
    let names = ["agency", "sub"];
    let mut update = Update::of(tenant_key(&before.id)).when(When::Exists);
    for (name, known) in names.into_iter().zip(standing_texts(&before.standing)?) {
        update = update.when(known.map_or(When::Absent(name), |known| When::Is(name, s(known))));
    }
    for (name, text) in names.into_iter().zip(standing_texts(standing)?) {
        update = match text {
            Some(text) => update.set(name, s(text)),
            None => update.remove(name),
        };
    }
    Ok(update)
}

/// Reads a tenant.
pub(crate) fn from_item(item: Item) -> Result<Tenant> {
    read::<TenantItem>(item, "tenant")?.into_tenant()
}

impl TryFrom<&Tenant> for TenantItem {
    type Error = Error;

    fn try_from(tenant: &Tenant) -> Result<Self> {
        let [agency, sub] = standing_texts(&tenant.standing)?;
        Ok(Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            email: tenant.email.clone(),
            timezone: tenant.timezone.clone(),
            plan: PlanItem::from(&tenant.plan),
            plan_since: Some(tenant.plan_since.as_millisecond()),
            agency,
            sub,
            created: tenant.created_at.as_millisecond(),
        })
    }
}

impl TenantItem {
    fn into_tenant(self) -> Result<Tenant> {
        Ok(Tenant {
            id: self.id.parse().map_err(|_| Error::Corrupt { kind: "tenant" })?,
            name: self.name,
            email: self.email,
            timezone: self.timezone,
            plan: self.plan.into(),
            plan_since: time(self.plan_since.unwrap_or(self.created)),
            standing: read_standing(self.agency.as_deref(), self.sub.as_deref())?,
            created_at: time(self.created),
        })
    }
}

impl KeyItem {
    fn into_key(self) -> Result<ApiKey> {
        Ok(ApiKey {
            hash: self.hash,
            tenant: self.tenant.parse().map_err(|_| Error::Corrupt { kind: "key" })?,
            role: if self.role == "operator" { Role::Operator } else { Role::Owner },
            name: self.name,
            disabled: self.disabled,
        })
    }
}

impl Store {
    /// Creates a tenant with its first key, all or nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the tenant or the key exists.
    pub async fn create_tenant(&self, tenant: &Tenant, key: &ApiKey) -> Result<()> {
        self.transact(Self::tenant_actions(tenant, key)?).await
    }

    /// What makes a tenant with its first key.
    pub(crate) fn tenant_actions(tenant: &Tenant, key: &ApiKey) -> Result<Vec<Action>> {
        let item = compose(&tenant_key(&tenant.id), "tenant", &TenantItem::try_from(tenant)?)?;
        let mut actions = vec![Action::Put(item, vec![When::Absent("pk")])];
        actions.extend(Self::key_actions(key)?);
        Ok(actions)
    }

    /// Reads a tenant, strongly consistent: a changed plan counts at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>> {
        self.get_item(&tenant_key(id)).await?.map(from_item).transpose()
    }

    /// Gives a tenant another plan.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such tenant, or it stands to others otherwise than
    /// it was read.
    pub async fn give_plan(&self, tenant: &Tenant) -> Result<()> {
        let item = compose(&tenant_key(&tenant.id), "tenant", &TenantItem::try_from(tenant)?)?;
        let mut when = vec![When::Exists];
        for (name, known) in ["agency", "sub"].into_iter().zip(standing_texts(&tenant.standing)?) {
            when.push(known.map_or(When::Absent(name), |known| When::Is(name, s(known))));
        }
        self.replace(item, when).await
    }

    /// Finds a key by the SHA-256 of what a caller sent, strongly consistent and
    /// never cached, so that a regenerated key stops at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>> {
        let item = self.get::<KeyItem>(&api_key_key(hash), "key").await?;
        item.map(KeyItem::into_key).transpose()
    }

    fn key_actions(key: &ApiKey) -> Result<[Action; 2]> {
        let item = KeyItem {
            tenant: key.tenant.to_string(),
            role: key.role.as_str().to_owned(),
            name: key.name.clone(),
            disabled: key.disabled,
            hash: key.hash.clone(),
        };
        Ok([
            Action::Put(compose(&api_key_key(&key.hash), "key", &item)?, vec![When::Absent("pk")]),
            Action::Put(compose(&key_list_key(&key.tenant, &key.hash), "key", &item)?, Vec::new()),
        ])
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the key exists.
    pub async fn create_api_key(&self, key: &ApiKey) -> Result<()> {
        self.transact(Self::key_actions(key)?.into()).await
    }

    /// Puts a new key in the place of an old one, in one transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the old key is gone already.
    pub async fn replace_api_key(&self, old: &ApiKey, new: &ApiKey) -> Result<()> {
        let mut actions = vec![
            Action::Delete(api_key_key(&old.hash), vec![When::Exists]),
            Action::Delete(key_list_key(&old.tenant, &old.hash), Vec::new()),
        ];
        actions.extend(Self::key_actions(new)?);
        self.transact(actions).await
    }

    /// The keys of a tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn api_keys(&self, tenant: &TenantId) -> Result<Vec<ApiKey>> {
        let query = Query { pk: Kind::ApiKeys.pk(tenant), ..Query::default() };
        let items = self.query(&query).await?;
        items.into_iter().map(|item| read::<KeyItem>(item, "key")?.into_key()).collect()
    }

    /// Switches a key off or on.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such key.
    pub async fn disable_api_key(&self, key: &ApiKey, disabled: bool) -> Result<()> {
        let flag = || aws_sdk_dynamodb::types::AttributeValue::Bool(disabled);
        let change = |key| Update::of(key).set("disabled", flag()).when(When::Exists);
        self.transact(vec![
            Action::Update(change(api_key_key(&key.hash))),
            Action::Update(change(key_list_key(&key.tenant, &key.hash))),
        ])
        .await
    }

    /// The next account number of a tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn next_account_id(&self, tenant: &TenantId) -> Result<AccountId> {
        self.next_number(tenant, "accounts").await.map(AccountId)
    }

    pub(crate) async fn next_number(&self, tenant: &TenantId, what: &'static str) -> Result<u64> {
        let key = Key::new(Kind::Counter.pk(tenant), what);
        let item = self.update_returning(Update::of(key).add("next", n(1))).await?;
        number(&item, "next").ok_or(Error::Corrupt { kind: "counter" })
    }

    /// Creates an account with its token's lookup.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the account or the token exists.
    pub async fn create_account(&self, tenant: &TenantId, account: &Account) -> Result<()> {
        let lookup = TokenItem { tenant: tenant.to_string(), account: account.id.0 };
        let token = token_key(&sha256_hex(account.token.expose()));
        self.transact(vec![
            Action::Put(self.account_item(tenant, account).await?, vec![When::Absent("pk")]),
            Action::Put(compose(&token, "token", &lookup)?, vec![When::Absent("pk")]),
        ])
        .await
    }

    /// Writes down what an account's owner says of it; its token and number stay as
    /// they are.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such account.
    pub async fn change_account(&self, tenant: &TenantId, account: &Account) -> Result<()> {
        let texts = [
            ("greeting", &account.greetings_message),
            ("no_info", &account.no_info_message),
            ("help", &account.help_message),
        ];
        let mut update = Update::of(account_key(tenant, account.id)).set("name", s(&account.name));
        for (name, text) in texts {
            update = match text {
                Some(text) => update.set(name, s(text)),
                None => update.remove(name),
            };
        }
        update = match account.default_country {
            Some(code) => update.set("country", n(code.get())),
            None => update.remove("country"),
        };
        update = match policy_text(&account.policy)? {
            Some(policy) => update.set("policy", s(policy)),
            None => update.remove("policy"),
        };
        self.update(update.when(When::Exists)).await
    }

    /// What an account heeds of people; nothing of its own when there is no such account.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contact_policy(&self, tenant: &TenantId, account: AccountId) -> Result<ContactPolicy> {
        let keys = vec![account_key(tenant, account)];
        let items = self.get_some(keys, Some("pk, sk, policy")).await?;
        let policy = items.first().and_then(|item| text(item, "policy"));
        policy.map_or_else(|| Ok(ContactPolicy::default()), |policy| read_policy(&policy))
    }

    async fn account_item(&self, tenant: &TenantId, account: &Account) -> Result<Item> {
        let item = AccountItem {
            id: account.id.0,
            name: account.name.clone(),
            token: self.sealer().seal(tenant, &account.token).await?,
            greeting: account.greetings_message.clone(),
            no_info: account.no_info_message.clone(),
            help: account.help_message.clone(),
            country: account.default_country.map(CallingCode::get),
            policy: policy_text(&account.policy)?,
            created: account.created_at.as_millisecond(),
            wa: None,
            more: Vec::new(),
        };
        compose(&account_key(tenant, account.id), "account", &item)
    }

    pub(crate) async fn number_item(&self, tenant: &TenantId, number: &Number) -> Result<NumberItem> {
        Ok(NumberItem {
            phone_id: number.id.to_string(),
            waba: number.waba_id.clone(),
            display: number.display_phone_number.clone(),
            verified: number.verified_name.clone(),
            access: self.sealer().seal(tenant, &number.access_token).await?,
            secret: self.sealer().seal(tenant, &number.app_secret).await?,
            per_second: number.per_second,
            tier: number.tier,
            connected: number.connected_at.as_millisecond(),
        })
    }

    pub(crate) async fn read_account(&self, tenant: &TenantId, item: Item) -> Result<Account> {
        let item: AccountItem = read(item, "account")?;
        let mut numbers = Vec::with_capacity(1 + item.more.len());
        for number in item.wa.into_iter().chain(item.more) {
            numbers.push(self.read_number(tenant, number).await?);
        }
        Ok(Account {
            id: AccountId(item.id),
            name: item.name,
            token: self.sealer().open(tenant, &item.token).await?,
            greetings_message: item.greeting,
            no_info_message: item.no_info,
            help_message: item.help,
            policy: item
                .policy
                .map_or_else(|| Ok(ContactPolicy::default()), |policy| read_policy(&policy))?,
            default_country: item.country.and_then(|c| CallingCode::parse(&c.to_string()).ok()),
            numbers,
            created_at: time(item.created),
        })
    }

    async fn read_number(&self, tenant: &TenantId, wa: NumberItem) -> Result<Number> {
        Ok(Number {
            access_token: self.sealer().open(tenant, &wa.access).await?,
            app_secret: self.sealer().open(tenant, &wa.secret).await?,
            id: SenderId::number(&wa.phone_id),
            waba_id: wa.waba,
            display_phone_number: wa.display,
            verified_name: wa.verified,
            per_second: wa.per_second,
            tier: wa.tier,
            connected_at: time(wa.connected),
        })
    }

    /// Reads one account.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the installation's key is another one.
    pub async fn account(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>> {
        let item = self.get_item(&account_key(tenant, id)).await?;
        match item {
            Some(item) => Box::pin(self.read_account(tenant, item)).await.map(Some),
            None => Ok(None),
        }
    }

    /// The accounts of a tenant, oldest first.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the installation's key is another one.
    pub async fn accounts(&self, tenant: &TenantId) -> Result<Vec<Account>> {
        let query = Query { pk: Kind::Accounts.pk(tenant), ..Query::default() };
        let items = self.query(&query).await?;
        let mut accounts = Vec::with_capacity(items.len());
        for item in items {
            accounts.push(self.read_account(tenant, item).await?);
        }
        Ok(accounts)
    }

    /// The ids of a tenant's accounts, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn account_ids(&self, tenant: &TenantId) -> Result<Vec<AccountId>> {
        let project = Some("id".to_owned());
        let query = Query { pk: Kind::Accounts.pk(tenant), project, ..Query::default() };
        let items = self.query(&query).await?;
        Ok(items.iter().filter_map(|item| number(item, "id")).map(AccountId).collect())
    }

    /// Finds the account that a token names, whoever owns it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn account_of_token(&self, token: &Secret) -> Result<Option<(TenantId, AccountId)>> {
        let key = token_key(&sha256_hex(token.expose()));
        let Some(item) = self.get::<TokenItem>(&key, "token").await? else { return Ok(None) };
        let tenant = item.tenant.parse().map_err(|_| Error::Corrupt { kind: "token" })?;
        Ok(Some((tenant, AccountId(item.account))))
    }
}

fn policy_text(policy: &ContactPolicy) -> Result<Option<String>> {
    if *policy == ContactPolicy::default() {
        return Ok(None);
    }
    serde_json::to_string(policy).map(Some).map_err(|_| Error::Corrupt { kind: "account" })
}

fn read_policy(text: &str) -> Result<ContactPolicy> {
    serde_json::from_str(text).map_err(|_| Error::Corrupt { kind: "account" })
}
