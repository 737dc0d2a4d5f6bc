//! `/api/account`, `/api/get_tokens`, `/api/create_accounts` and `/api/accounts/settings`

pub(crate) mod credits;
pub(crate) mod operators;
pub(crate) mod plans;
pub(crate) mod subaccounts;
pub(crate) mod tenants;

use api_http::{
    Caller, FieldKind, FromParameter, Given, Input, Parameter, Reply, Required, Result, account_of_token,
    request, text_of,
};
use axum::extract::State;
use domain::Invalid;
use domain::account::{Account, Role};
use domain::message::MAX_TEXT;
use domain::plan::Plan;
use domain::quiet::{FrequencyCap, QuietHours};
use ops::accounts;
use ops::accounts::AccountSettings;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::Store;

/// Longest name of an account, in characters.
const MAX_NAME: usize = 255;

/// A plan's limits as the contract shows them.
pub(crate) fn limits(plan: &Plan) -> Value {
    json!({
        "contacts": plan.contacts,
        "messages_per_day": plan.messages_per_day,
        "messages_per_minute": plan.messages_per_minute,
        "accounts": plan.accounts,
        "team_members": plan.team_members,
        "campaigns": plan.campaigns,
        "media": plan.media,
        "assistant_tokens": plan.assistant_tokens,
        "requests_per_minute": plan.requests_per_minute,
        "heavy_requests_per_minute": plan.heavy_requests_per_minute,
    })
}

/// What a key may do, in the words of the contract's `permissions`.
fn permissions(role: Role) -> &'static [&'static str] {
    match role {
        Role::Owner => &["messages", "contacts", "campaigns", "accounts", "keys", "operators"],
        Role::Operator => &["messages", "contacts", "campaigns", "accounts"],
    }
}

/// `GET /api/account`
pub(crate) async fn account(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Value>> {
    let tenant = &caller.tenant;
    let usage = store.usage_of(tenant).await?;
    let contacts = store.contact_total(&tenant.id).await?;
    let ends_at = tenant.plan_ends_at();
    let is_over = ends_at.is_some_and(|at| at <= store.clock().now());
    Ok(Reply(json!({
        "status": "success",
        "profile": {"email": tenant.email, "username": tenant.name, "timezone": tenant.timezone},
        "plan": {
            "name": tenant.plan.name,
            "prices": tenant.plan.price.as_ref().map_or_else(|| json!({}), |price| json!(price)),
            "limits": limits(&tenant.plan),
            "apps": ["whatsapp"],
            "permissions": permissions(caller.key.role),
        },
        "subscription": {
            "status": if is_over { "expired" } else { "active" },
            "renews_at": ends_at.map(|at| format!("{at:.3}")),
        },
        "usage": {
            "tokens": usage.assistant_tokens,
            "messages": usage.messages,
            "cost": 0,
            "contacts": contacts,
            "campaigns": usage.campaigns,
            "media": usage.media,
        },
    })))
}

#[derive(Serialize)]
struct Token {
    id: u64,
    name: String,
    token: String,
    channels: Vec<&'static str>,
}

impl From<Account> for Token {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.0,
            channels: account.number().iter().map(|_| "whatsapp").collect(),
            token: account.token.expose().to_owned(),
            name: account.name,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Tokens {
    status: &'static str,
    tokens: Vec<Token>,
}

/// `GET /api/get_tokens`
pub(crate) async fn tokens(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Tokens>> {
    let accounts = store.accounts(caller.tenant_id()).await?;
    Ok(Reply(Tokens { status: "success", tokens: accounts.into_iter().map(Token::from).collect() }))
}

/// A text that can be taken back: an empty one is kept, where one that is absent, or
/// null, changes nothing.
pub(crate) struct Said(String);

impl FromParameter for Said {
    const KIND: FieldKind = FieldKind::Text;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let text = parameter.text()?;
        Ok(parameter.value().map(|_| Self(text.unwrap_or_default())))
    }
}

/// Words that an owner chooses: none, or an empty text, are ours again.
pub(crate) struct SaidWords(Vec<String>);

impl FromParameter for SaidWords {
    const KIND: FieldKind = FieldKind::List;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let list = parameter.list()?;
        Ok(parameter.value().map(|_| Self(list.unwrap_or_default())))
    }
}

/// A text or an object; an empty one, or null, takes back what was said before.
pub(crate) struct SaidLimit(Value);

impl FromParameter for SaidLimit {
    const KIND: FieldKind = FieldKind::Any;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        Ok(parameter.value().cloned().map(Self))
    }
}

/// A setting that is written as a text of its own, or as an object.
fn text_or_object(said: &Value) -> (Option<&str>, Option<Map<String, Value>>) {
    match said.as_str().filter(|text| !text.trim_start().starts_with('{')) {
        Some(text) => (Some(text.trim()), None),
        None => (None, object_of(said)),
    }
}

/// `3/7`, or `{messages, days}`.
fn cap(said: &Value) -> std::result::Result<Option<FrequencyCap>, Invalid> {
    match text_or_object(said) {
        (Some(""), _) => Ok(None),
        (Some(text), _) => FrequencyCap::parse(text).map(Some),
        (None, Some(object)) if object.is_empty() => Ok(None),
        (None, object) => {
            let field = |name: &str| text_of(object.as_ref()?.get(name)?)?.parse().ok();
            FrequencyCap::new(field("messages").unwrap_or(0), field("days").unwrap_or(0)).map(Some)
        }
    }
}

/// `21:00-09:00`, or `{from, to, timezone}`.
fn quiet(said: &Value, zone: &str) -> std::result::Result<Option<QuietHours>, Invalid> {
    match text_or_object(said) {
        (Some(""), _) => Ok(None),
        (Some(text), _) => QuietHours::parse(text, zone).map(Some),
        (None, Some(object)) if object.is_empty() => Ok(None),
        (None, object) => {
            let field = |name: &str| object.as_ref()?.get(name)?.as_str().map(str::to_owned);
            let [from, to] = ["from", "to"].map(|name| field(name).unwrap_or_default());
            let zone = field("timezone").unwrap_or_else(|| zone.to_owned());
            QuietHours::new(&from, &to, &zone).map(Some)
        }
    }
}

fn object_of(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Null => Some(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

request! {
    /// What an account says by itself, and takes for granted.
    pub(crate) struct Settings {
        greetings_message: Given<Said> = named("greetings_message").max_length(MAX_TEXT),
        no_info_message: Given<Said> = named("no_info_message").max_length(MAX_TEXT),
        help_message: Given<Said> = named("help_message").max_length(MAX_TEXT),
        opt_out_message: Given<Said> = named("opt_out_message").max_length(MAX_TEXT),
        opt_out_words: Given<SaidWords> = named("opt_out_words"),
        opt_in_words: Given<SaidWords> = named("opt_in_words"),
        help_words: Given<SaidWords> = named("help_words"),
        frequency_cap: Given<SaidLimit> = named("frequency_cap"),
        quiet_hours: Given<SaidLimit> = named("quiet_hours"),
        default_country: Given<Said> = named("default_country"),
    }
}

impl Settings {
    /// `zone` is the tenant's.
    fn get(self, name: Option<String>, zone: &str) -> Result<AccountSettings> {
        let said = |given: Given<Said>| Ok::<_, Invalid>(given.get()?.map(|Said(text)| text));
        let words = |given: Given<SaidWords>| Ok::<_, Invalid>(given.get()?.map(|SaidWords(list)| list));
        Ok(AccountSettings {
            name,
            greetings_message: said(self.greetings_message)?,
            no_info_message: said(self.no_info_message)?,
            help_message: said(self.help_message)?,
            opt_out_message: said(self.opt_out_message)?,
            opt_out_words: words(self.opt_out_words)?,
            opt_in_words: words(self.opt_in_words)?,
            help_words: words(self.help_words)?,
            frequency_cap: self.frequency_cap.get()?.map(|SaidLimit(said)| cap(&said)).transpose()?,
            quiet_hours: self.quiet_hours.get()?.map(|SaidLimit(said)| quiet(&said, zone)).transpose()?,
            default_country: said(self.default_country)?,
        })
    }
}

request! {
    /// `POST /api/create_accounts`
    pub(crate) struct NewAccount(settings: Settings) {
        name: Required<String> = named("name").max_length(MAX_NAME),
    }
}

/// `POST /api/create_accounts`
pub(crate) async fn create(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<NewAccount>,
) -> Result<Reply<200, Value>> {
    let NewAccount { settings, name } = input.read();
    let settings = settings.get(Some(name.get()?), &caller.tenant.timezone)?;
    let account = accounts::create_account(&store, &caller.tenant, settings).await?;
    let token = account.token.expose();
    Ok(Reply(json!({
        "status": "success",
        "account": {"id": account.id.0, "name": account.name, "token": token},
        "token": token,
    })))
}

request! {
    /// `POST /api/accounts/settings`
    pub(crate) struct ChangeAccount(settings: Settings) {
        token: Required<String> = named("token"),
        name: Given<String> = named("name").max_length(MAX_NAME),
    }
}

/// `POST /api/accounts/settings`
pub(crate) async fn change(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ChangeAccount>,
) -> Result<Reply<200, Value>> {
    let ChangeAccount { settings, token, name } = input.read();
    let account = account_of_token(&store, &caller, token).await?;
    let settings = settings.get(name.get()?, &caller.tenant.timezone)?;
    let account = accounts::change_account(&store, caller.tenant_id(), account, settings).await?;
    let [opt_out_words, opt_in_words, help_words] = account.policy.keywords.shown();
    Ok(Reply(json!({
        "status": "success",
        "account": {
            "id": account.id.0,
            "name": account.name,
            "greetings_message": account.greetings_message,
            "no_info_message": account.no_info_message,
            "help_message": account.help_message,
            "opt_out_message": account.policy.opt_out_message,
            "opt_out_words": opt_out_words,
            "opt_in_words": opt_in_words,
            "help_words": help_words,
            "frequency_cap": account.policy.frequency_cap,
            "quiet_hours": account.policy.quiet_hours.as_ref().map(|hours| {
                let (from, to, timezone) = hours.shown();
                json!({"from": from, "to": to, "timezone": timezone})
            }),
            "default_country": account.default_country.map(|code| code.get().to_string()),
        },
    })))
}
