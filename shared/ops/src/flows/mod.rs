//! Bot flows of a tenant: how they are made and changed, what starts them, and how far contacts
//! are. What their steps do is done by whoever sends (`messaging::flows`).

mod runs;
mod start;

use ::flows::Definition;
use domain::webhook::SigningSecret;
use domain::{AccountId, TenantId};
use serde_json::Value;
use store::Store;
use store::flows::{MAX_FLOWS, Starts, StoredFlow};

use crate::{Caller, Code, Error, Result};

pub use runs::{
    BY_PERSON_MS, Beginning, ListedRunOf, begin, country, end_all, hand_over, party, resume, runs, save,
};
pub(crate) use start::tag_facts;
pub use start::{Started, answered_campaign, listen_later, start, tagged};

/// How often a change is tried that meets others.
const TRIES: u32 = 8;

/// What somebody makes a flow of.
#[derive(Debug, Clone)]
pub struct NewFlow {
    /// Its name, steps and triggers.
    pub definition: Definition,
    /// The account whose contacts start it; any of the tenant otherwise.
    pub account: Option<AccountId>,
}

/// Reads a flow, and checks that it holds together and that its account is the tenant's.
///
/// # Errors
/// [`Code::InvalidField`] names the part that is wrong, such as `steps.ask_day.text`.
pub fn read(value: &Value) -> Result<Definition> {
    Ok(Definition::read(value)?)
}

/// Makes a flow. Answers it with what its calls are signed with, which is told only here.
///
/// # Errors
/// [`Code::PlanLimit`] when there are as many as there may be; [`Code::NotFound`] names `account_id`.
pub async fn create(store: &Store, caller: &Caller, new: NewFlow) -> Result<(StoredFlow, SigningSecret)> {
    let tenant = caller.tenant_id();
    check_account(store, tenant, new.account).await?;
    let now = store.clock().now();
    let secret = SigningSecret::generate(store.entropy());
    let flow = StoredFlow {
        id: store.entropy().ulid(now).to_string(),
        version: 1,
        account: new.account,
        definition: new.definition,
        secret: store.seal_flow_secret(tenant, &secret).await?,
        created_ms: now.as_millisecond(),
        updated_ms: now.as_millisecond(),
    };
    for attempt in 0..TRIES {
        let starts = store.starts(tenant).await?;
        if starts.flows() >= MAX_FLOWS {
            let message = format!("there may be at most {MAX_FLOWS} flows");
            return Err(Error::new(Code::PlanLimit, message));
        }
        match store.create_flow(tenant, &flow, starts).await {
            Ok(()) => return Ok((flow, secret)),
            Err(store::Error::Conflict | store::Error::Contended) => store.back_off(attempt).await,
            Err(error) => return Err(error.into()),
        }
        // It was written all the same, though the answer was lost.
        if store.flow(tenant, &flow.id).await?.is_some() {
            return Ok((flow, secret));
        }
    }
    Err(store::Error::Contended.into())
}

async fn check_account(store: &Store, tenant: &TenantId, account: Option<AccountId>) -> Result<()> {
    let Some(id) = account else { return Ok(()) };
    match store.account(tenant, id).await? {
        Some(_) => Ok(()),
        None => Err(Error::not_found("account_id", "there is no such account")),
    }
}

/// A flow.
///
/// # Errors
/// [`Code::NotFound`] names `flow_id`.
pub async fn get(store: &Store, tenant: &TenantId, id: &str) -> Result<StoredFlow> {
    let is_id = !id.is_empty() && id.len() <= 64;
    let found = if is_id { store.flow(tenant, id).await? } else { None };
    found.ok_or_else(|| Error::not_found("flow_id", "there is no such flow"))
}

/// What changes of a flow.
#[derive(Debug, Clone)]
pub struct FlowChange {
    /// What it becomes.
    pub definition: Definition,
    /// The account whose contacts start it from now on; as before when nothing is said.
    pub account: Option<Option<AccountId>>,
    /// The version that it is made of; whichever there is when nothing is said.
    pub version: Option<u32>,
}

/// Makes a new version of a flow. Contacts who are on their way go on by it, or end, as it says.
///
/// # Errors
/// [`Code::NotFound`] names `flow_id` or `account_id`; [`Code::Conflict`] names `version` when the flow
/// is another one by now.
pub async fn update(store: &Store, tenant: &TenantId, id: &str, change: FlowChange) -> Result<StoredFlow> {
    check_account(store, tenant, change.account.flatten()).await?;
    for attempt in 0..TRIES {
        let (before, starts) = (get(store, tenant, id).await?, store.starts(tenant).await?);
        if change.version.is_some_and(|version| version != before.version) {
            let message = format!("the flow has version {} by now", before.version);
            return Err(Error { field: Some("version".to_owned()), ..Error::conflict(message) });
        }
        let account = change.account.unwrap_or(before.account);
        if before.definition == change.definition && before.account == account {
            return Ok(before);
        }
        let flow = StoredFlow {
            version: before.version + 1,
            account,
            definition: change.definition.clone(),
            updated_ms: store.clock().now_ms(),
            ..before
        };
        match store.replace_flow(tenant, &flow, starts).await {
            Ok(()) => return Ok(flow),
            Err(store::Error::Conflict | store::Error::Contended) => store.back_off(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(store::Error::Contended.into())
}

/// Deletes a flow. Contacts who are on their way in it end when they are looked at next.
///
/// # Errors
/// [`Code::NotFound`] names `flow_id`.
pub async fn delete(store: &Store, tenant: &TenantId, id: &str) -> Result<()> {
    for attempt in 0..TRIES {
        let starts: Starts = store.starts(tenant).await?;
        let flow = get(store, tenant, id).await;
        if attempt > 0 && flow.as_ref().is_err_and(|error| error.code == Code::NotFound) {
            // An earlier try of ours did it.
            return Ok(());
        }
        match store.delete_flow(tenant, &flow?.id, starts).await {
            Ok(()) => return Ok(()),
            Err(store::Error::Conflict | store::Error::Contended) => store.back_off(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(store::Error::Contended.into())
}
