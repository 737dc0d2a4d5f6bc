//! `/api/account`, `/api/get_tokens`, `/api/create_accounts` and `/api/accounts/settings`

pub(crate) mod operators;
pub(crate) mod tenants;

use api_http::{Caller, Input, Reply, Result, account_of_token};
use axum::extract::State;
use domain::account::{Account, Role};
use domain::plan::Plan;
use ops::accounts::AccountSettings;
use ops::{Error, accounts};
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

/// A plan's limits as the contract shows them.
pub(crate) fn limits(plan: &Plan) -> Value {
    json!({
        "contacts": plan.contacts,
        "messages_per_day": plan.messages_per_day,
        "accounts": plan.accounts,
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
    let usage = store.usage(&tenant.id).await?;
    let contacts = store.contact_total(&tenant.id).await?;
    Ok(Reply(json!({
        "status": "success",
        "profile": {"email": tenant.email, "username": tenant.name, "timezone": tenant.timezone},
        "plan": {
            "name": tenant.plan.name,
            "prices": {},
            "limits": limits(&tenant.plan),
            "apps": ["whatsapp"],
            "permissions": permissions(caller.key.role),
        },
        "subscription": {"status": "active", "renews_at": null},
        "usage": {"tokens": 0, "messages": usage.messages, "cost": 0, "contacts": contacts},
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

/// `POST /api/create_accounts`
pub(crate) async fn create(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let settings = AccountSettings { name: Some(input.fields().required("name")?), ..settings(&input)? };
    let account = accounts::create_account(&store, &caller.tenant, settings).await?;
    let token = account.token.expose();
    Ok(Reply(json!({
        "status": "success",
        "account": {"id": account.id.0, "name": account.name, "token": token},
        "token": token,
    })))
}

fn settings(input: &Input) -> Result<AccountSettings> {
    let fields = input.fields();
    // An empty text takes back; what is absent, or null, stays.
    let said = |name| match fields.text(name)? {
        None if fields.get(name).is_some() => Ok(Some(String::new())),
        text => Ok::<_, Error>(text),
    };
    Ok(AccountSettings {
        name: fields.text("name")?,
        greetings_message: said("greetings_message")?,
        no_info_message: said("no_info_message")?,
        help_message: said("help_message")?,
        default_country: said("default_country")?,
    })
}

/// `POST /api/accounts/settings`
pub(crate) async fn change(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let account = account_of_token(&store, &caller, input.fields()).await?;
    let account = accounts::change_account(&store, caller.tenant_id(), account, settings(&input)?).await?;
    Ok(Reply(json!({
        "status": "success",
        "account": {
            "id": account.id.0,
            "name": account.name,
            "greetings_message": account.greetings_message,
            "no_info_message": account.no_info_message,
            "help_message": account.help_message,
            "default_country": account.default_country.map(|code| code.get().to_string()),
        },
    })))
}
