//! `/api/integrations`

use api_http::{Caller, Input, Reply, Result, account_of_token, cut_to_weight};
use axum::extract::State;
use domain::account::Account;
use domain::intake::{Call, CallId, HEADERS, Payload, Shop};
use domain::{ContactId, Invalid};
use ops::events::EventPublisher;
use ops::integrations::{self, Taken};
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

const LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 100;

#[derive(Serialize)]
pub(crate) struct Id {
    id: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Stored {
        status: &'static str,
        contact: Id,
        /// All of them, when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        contacts: Option<Vec<Id>>,
    },
    Ignored {
        status: &'static str,
        reason: String,
    },
}

impl From<Taken> for Answer {
    fn from(taken: Taken) -> Self {
        let id = |contact: ContactId| Id { id: contact.0 };
        match taken {
            Taken::Stored { first, others } => {
                let all = || [first].into_iter().chain(others.iter().copied()).map(id).collect();
                let contacts = (!others.is_empty()).then(all);
                Self::Stored { status: "ok", contact: id(first), contacts }
            }
            Taken::Ignored(reason) => Self::Ignored { status: "ignored", reason },
        }
    }
}

/// `POST /api/integrations/webhook/{token}`
pub(crate) async fn receive(
    State(publisher): State<EventPublisher>,
    input: Input,
) -> Result<Reply<200, Answer>> {
    let headers: Vec<(&str, &str)> =
        HEADERS.into_iter().filter_map(|name| Some((name, input.header(name)?))).collect();
    let source = input.fields().text("source").unwrap_or_default();
    let payload = Payload {
        body: input.body(),
        content_type: input.header("content-type"),
        source: source.as_deref(),
        headers: &headers,
        country: None,
    };
    let address = integrations::find(&publisher.store, input.path("token")).await?;
    Ok(Reply(integrations::receive(&publisher, &address, payload).await?.into()))
}

/// `GET /api/integrations/webhook/{token}`: some senders look whether the address is
/// there before they post to it.
pub(crate) async fn probe(State(store): State<Store>, input: Input) -> Result<Reply<200, Value>> {
    integrations::find(&store, input.path("token")).await?;
    Ok(Reply(json!({"status": "ok"})))
}

#[derive(Serialize)]
struct Entry {
    id: String,
    at: String,
    source: String,
    outcome: &'static str,
    reason: Option<String>,
    contact_ids: Vec<u64>,
    bytes: u64,
}

impl From<Call> for Entry {
    fn from(call: Call) -> Self {
        Self {
            id: call.id.to_string(),
            at: format!("{:.3}", call.id.at()),
            source: call.source,
            outcome: call.outcome.as_str(),
            reason: call.reason,
            contact_ids: call.contacts.into_iter().map(|id| id.0).collect(),
            bytes: call.bytes,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Log {
    status: &'static str,
    calls: Vec<Entry>,
    /// Pass it as `before` to get what is older.
    next_before: Option<String>,
}

/// `GET /api/integrations/log`
pub(crate) async fn log(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Log>> {
    let fields = input.fields();
    let account = account_of_token(&store, &caller, fields).await?;
    let limit = usize::try_from(fields.integer("limit")?.unwrap_or(LIMIT).clamp(1, MAX_LIMIT)).unwrap_or(1);
    let before = fields.text("before")?.map(|id| id.parse::<CallId>()).transpose();
    let before = before.map_err(|_| Invalid::new("before", "before must be the id of a call"))?;
    let found = integrations::calls(&store, &caller, &account, before, limit).await?;
    let is_full = found.len() == limit;
    let mut calls: Vec<Entry> = found.into_iter().map(Entry::from).collect();
    let is_cut = cut_to_weight(&mut calls);
    let next_before = calls.last().filter(|_| is_full || is_cut).map(|call| call.id.clone());
    Ok(Reply(Log { status: "success", calls, next_before }))
}

/// `GET /api/integrations/secrets`: which are set, never what they are.
pub(crate) async fn secrets(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let account = account_of_token(&store, &caller, input.fields()).await?;
    set_or_not(&store, &caller, &account).await
}

/// `POST /api/integrations/secrets`
pub(crate) async fn set_secret(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let fields = input.fields();
    let account = account_of_token(&store, &caller, fields).await?;
    let shop: Shop = fields.required("shop")?.parse()?;
    let secret = fields.required("secret")?;
    integrations::set_secret(&store, &caller, &account, shop, &secret).await?;
    set_or_not(&store, &caller, &account).await
}

/// `DELETE /api/integrations/secrets`
pub(crate) async fn remove_secret(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let fields = input.fields();
    let account = account_of_token(&store, &caller, fields).await?;
    let shop: Shop = fields.required("shop")?.parse()?;
    integrations::remove_secret(&store, &caller, &account, shop).await?;
    set_or_not(&store, &caller, &account).await
}

async fn set_or_not(store: &Store, caller: &ops::Caller, account: &Account) -> Result<Reply<200, Value>> {
    let set = integrations::shops_with_secret(store, caller, account).await?;
    let secrets = Shop::ALL.into_iter().map(|shop| (shop.as_str().to_owned(), set.contains(&shop).into()));
    Ok(Reply(json!({"status": "success", "secrets": Value::Object(secrets.collect())})))
}
