//! `/api/integrations`

use api_http::{
    Caller, Given, Input, Reply, Request, Required, Result, account_of_token, cut_to_weight, request,
};
use axum::extract::State;
use domain::account::Account;
use domain::intake::{CallId, Found, HEADERS, IntakeCall, Payload, Shop};
use domain::{ContactId, Invalid};
use ops::events::EventPublisher;
use ops::integrations::{self, Taken};
use serde::Serialize;
use serde_json::{Map, Value, json};
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

request! {
    /// `POST /api/integrations/webhook/{token}`, whose body may be anything.
    pub(crate) struct Receive {
        source: Given<String> = named("source"),
    }
}

/// `POST /api/integrations/webhook/{token}`
pub(crate) async fn receive(
    State(publisher): State<EventPublisher>,
    input: Input<Receive>,
) -> Result<Reply<200, Answer>> {
    let (headers, source) = (signing_headers(&input), input.read().source.get().unwrap_or_default());
    let payload = payload(&input, &headers, source.as_deref());
    let address = integrations::find(&publisher.store, input.path("token")).await?;
    Ok(Reply(integrations::receive(&publisher, &address, payload).await?.into()))
}

request! {
    /// `POST /api/integrations/try`, whose body may be anything.
    pub(crate) struct Try {
        token: Required<String> = named("token"),
        source: Given<String> = named("source"),
    }
}

/// A contact that a body would bring.
#[derive(Serialize)]
struct Candidate {
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    metadata: Map<String, Value>,
    /// The contact that it would be merged into; none is made for it.
    contact_id: Option<u64>,
    notes: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Tried {
    status: &'static str,
    outcome: &'static str,
    reason: Option<String>,
    source: String,
    contacts: Vec<Candidate>,
    /// The names of the keys that were there.
    seen: Vec<String>,
}

/// `POST /api/integrations/try`: what a body would bring, if it were posted to the
/// account's address. Nothing is written.
pub(crate) async fn try_body(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<Try>,
) -> Result<Reply<200, Tried>> {
    let asked = input.read();
    let account = account_of_token(&store, &caller, asked.token).await?;
    let (headers, source) = (signing_headers(&input), asked.source.get()?);
    let payload = payload(&input, &headers, source.as_deref());
    let trial = integrations::try_body(&store, &caller, account, payload).await?;
    let candidate = |(found, merged): (Found, Option<ContactId>)| Candidate {
        name: found.name,
        phone: found.phone.map(|phone| phone.as_str().to_owned()),
        email: found.email.map(|email| email.as_str().to_owned()),
        metadata: found.extra,
        contact_id: merged.map(|id| id.0),
        notes: found.notes,
    };
    Ok(Reply(Tried {
        status: "success",
        outcome: trial.outcome.as_str(),
        reason: trial.reason,
        source: trial.source,
        contacts: trial.contacts.into_iter().map(candidate).collect(),
        seen: trial.seen,
    }))
}

/// What of a call tells who sent it.
fn signing_headers<R: Request>(input: &Input<R>) -> Vec<(&str, &str)> {
    HEADERS.into_iter().filter_map(|name| Some((name, input.header(name)?))).collect()
}

fn payload<'a, R: Request>(
    input: &'a Input<R>,
    headers: &'a [(&'a str, &'a str)],
    source: Option<&'a str>,
) -> Payload<'a> {
    Payload { body: input.body(), content_type: input.header("content-type"), source, headers, country: None }
}

/// `GET /api/integrations/webhook/{token}`: some senders look whether the address is
/// there before they post to it.
pub(crate) async fn probe(State(store): State<Store>, input: Input) -> Result<Reply<200, Value>> {
    integrations::find(&store, input.path("token")).await?;
    Ok(Reply(json!({"status": "ok"})))
}

#[derive(Serialize)]
struct ListedCall {
    id: String,
    at: String,
    source: String,
    outcome: &'static str,
    reason: Option<String>,
    contact_ids: Vec<u64>,
    bytes: u64,
}

impl From<IntakeCall> for ListedCall {
    fn from(call: IntakeCall) -> Self {
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
    calls: Vec<ListedCall>,
    /// Pass it as `before` to get what is older.
    next_before: Option<String>,
}

request! {
    /// `GET /api/integrations/log`
    pub(crate) struct ListCalls {
        token: Required<String> = named("token"),
        limit: Given<u64> = named("limit"),
        before: Given<String> = named("before"),
    }
}

/// `GET /api/integrations/log`
pub(crate) async fn log(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListCalls>,
) -> Result<Reply<200, Log>> {
    let asked = input.read();
    let account = account_of_token(&store, &caller, asked.token).await?;
    let limit = usize::try_from(asked.limit.or(LIMIT)?.clamp(1, MAX_LIMIT)).unwrap_or(1);
    let before = asked.before.get()?.map(|id| id.parse::<CallId>()).transpose();
    let before = before.map_err(|_| Invalid::new("before", "before must be the id of a call"))?;
    let found = integrations::calls(&store, &caller, &account, before, limit).await?;
    let is_full = found.len() == limit;
    let mut calls: Vec<ListedCall> = found.into_iter().map(ListedCall::from).collect();
    let is_cut = cut_to_weight(&mut calls);
    let next_before = calls.last().filter(|_| is_full || is_cut).map(|call| call.id.clone());
    Ok(Reply(Log { status: "success", calls, next_before }))
}

request! {
    /// `GET /api/integrations/secrets`
    pub(crate) struct ListSecrets {
        token: Required<String> = named("token"),
    }
}

/// `GET /api/integrations/secrets`: which are set, never what they are.
pub(crate) async fn secrets(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListSecrets>,
) -> Result<Reply<200, Value>> {
    let account = account_of_token(&store, &caller, input.read().token).await?;
    set_or_not(&store, &caller, &account).await
}

request! {
    /// `POST /api/integrations/secrets`
    pub(crate) struct SetSecret {
        token: Required<String> = named("token"),
        shop: Required<String> = named("shop").one_of(&["shopify", "woocommerce"]),
        secret: Required<String> = named("secret").max_length(255),
    }
}

/// `POST /api/integrations/secrets`
pub(crate) async fn set_secret(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<SetSecret>,
) -> Result<Reply<200, Value>> {
    let asked = input.read();
    let account = account_of_token(&store, &caller, asked.token).await?;
    let shop: Shop = asked.shop.get()?.parse()?;
    let secret = asked.secret.get()?;
    integrations::set_secret(&store, &caller, &account, shop, &secret).await?;
    set_or_not(&store, &caller, &account).await
}

request! {
    /// `DELETE /api/integrations/secrets`
    pub(crate) struct RemoveSecret {
        token: Required<String> = named("token"),
        shop: Required<String> = named("shop").one_of(&["shopify", "woocommerce"]),
    }
}

/// `DELETE /api/integrations/secrets`
pub(crate) async fn remove_secret(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<RemoveSecret>,
) -> Result<Reply<200, Value>> {
    let asked = input.read();
    let account = account_of_token(&store, &caller, asked.token).await?;
    let shop: Shop = asked.shop.get()?.parse()?;
    integrations::remove_secret(&store, &caller, &account, shop).await?;
    set_or_not(&store, &caller, &account).await
}

async fn set_or_not(store: &Store, caller: &ops::Caller, account: &Account) -> Result<Reply<200, Value>> {
    let set = integrations::shops_with_secret(store, caller, account).await?;
    let secrets = Shop::ALL.into_iter().map(|shop| (shop.as_str().to_owned(), set.contains(&shop).into()));
    Ok(Reply(json!({"status": "success", "secrets": Value::Object(secrets.collect())})))
}
