//! What the owner of endpoints does with them.

use std::collections::BTreeSet;

use domain::webhook::catalog::WebhookTest;
use domain::webhook::{
    CallOutcome, Endpoint, EndpointHealth, EndpointId, Event, EventData, EventType, MAX_ENDPOINTS, Purpose,
    SigningSecret,
};
use domain::{Secret, TenantId};
use jiff::Timestamp;
use outbound::Client;
use store::Store;
use store::webhooks::{Attempt, Body, Delivery, DeliveryProgress, EndpointState, Registered, Registration};

use crate::WebhookDispatcher;
use crate::call::SigningEndpoint;
use crate::deliver::numbered;
use ops::{Caller, Code, Error, Result};

/// Deliveries that one call sends again at most.
const MAX_REPLAYED: usize = 5_000;

/// An endpoint to register.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Its name.
    pub name: String,
    /// Where events go.
    pub url: String,
    /// What it is told.
    pub purpose: Purpose,
}

/// What the owner wants otherwise.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// Another name.
    pub name: Option<String>,
    /// Another URL.
    pub url: Option<String>,
    /// Other events, for an endpoint that has a choice; `Some(None)` are all.
    pub events: Option<Option<BTreeSet<EventType>>>,
    /// On or off. On also takes up an endpoint that was given up.
    pub on: Option<bool>,
}

/// An endpoint and how it fares.
#[derive(Debug, Clone)]
pub struct EndpointStatus {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// How it fares.
    pub state: EndpointState,
}

fn unknown() -> Error {
    Error::not_found("id", "there is no webhook with this id")
}

/// Checks a URL that a user gave.
async fn check_url(client: &Client, url: &str) -> Result<String> {
    client.accept(url).await.map_err(|refused| Error::invalid("url", format!("url {refused}")))
}

/// Registers an endpoint. An account's only one for its purpose is replaced: it keeps
/// its secret and its numbers, and what waits for it goes to the new URL. Answers the
/// signing secret of a new one, which is shown this once.
///
/// # Errors
/// Names `url` or `name`; [`Code::PlanLimit`] when there are as many as there may be.
pub async fn register(
    dispatcher: &WebhookDispatcher,
    caller: &Caller,
    new: NewEndpoint,
) -> Result<(Registered, Option<Secret>)> {
    let (store, tenant) = (&dispatcher.store, caller.tenant_id());
    let name = domain::webhook::check_name(&new.name)?;
    let url = check_url(&dispatcher.client, &new.url).await?;
    if store.endpoints(tenant).await?.len() >= MAX_ENDPOINTS
        && store.endpoint_for(tenant, &new.purpose).await?.is_none()
    {
        return Err(Error::new(Code::PlanLimit, format!("there may be at most {MAX_ENDPOINTS} webhooks")));
    }
    let secret = SigningSecret::generate(store.entropy());
    let shown = secret.reveal();
    let registration = Registration { name, url, purpose: new.purpose, secret };
    let registered = store.register_endpoint(tenant, registration).await?;
    let id = registered.endpoint.id;
    store.audit(tenant, &caller.key.name, &format!("registered webhook {id}")).await?;
    if !registered.created {
        take_up(dispatcher, tenant, id).await?;
    }
    Ok((registered.clone(), registered.created.then_some(shown)))
}

/// Gives an endpoint a fresh start: everything that waits is sent.
async fn take_up(dispatcher: &WebhookDispatcher, tenant: &TenantId, id: EndpointId) -> Result<()> {
    let now = dispatcher.store.clock().now_ms();
    let fresh = |state: &EndpointState| {
        let flush = state.sequence > 0;
        let due_ms = flush.then_some(now).or(state.due_ms);
        Some(EndpointState { health: EndpointHealth::default(), disabled: None, flush, due_ms, ..*state })
    };
    dispatcher.store.change_state(tenant, id, fresh).await?;
    dispatcher.come_back(tenant, id, now).await
}

/// The endpoints of a tenant, oldest first.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn list(store: &Store, tenant: &TenantId) -> Result<Vec<EndpointStatus>> {
    let endpoints = store.endpoints(tenant).await?;
    let states = endpoints.iter().map(|endpoint| store.endpoint_state(tenant, endpoint.id));
    let states = futures::future::try_join_all(states).await?;
    Ok(endpoints
        .into_iter()
        .zip(states)
        .map(|(endpoint, state)| EndpointStatus { endpoint, state })
        .collect())
}

/// One endpoint.
///
/// # Errors
/// [`Code::NotFound`] names `id`.
pub async fn find(store: &Store, tenant: &TenantId, id: EndpointId) -> Result<EndpointStatus> {
    let endpoint = store.endpoint(tenant, id).await?.ok_or_else(unknown)?;
    Ok(EndpointStatus { state: store.endpoint_state(tenant, id).await?, endpoint })
}

/// Changes an endpoint.
///
/// # Errors
/// [`Code::NotFound`] names `id`; names the field that makes no sense.
pub async fn change(
    dispatcher: &WebhookDispatcher,
    caller: &Caller,
    id: EndpointId,
    change: EndpointChange,
) -> Result<EndpointStatus> {
    let (store, tenant) = (&dispatcher.store, caller.tenant_id());
    let mut endpoint = find(store, tenant, id).await?.endpoint;
    if let Some(name) = change.name {
        endpoint.name = domain::webhook::check_name(&name)?;
    }
    let moved = change.url.is_some();
    if let Some(url) = change.url {
        endpoint.url = check_url(&dispatcher.client, &url).await?;
    }
    if let Some(events) = change.events {
        let Purpose::Events { chosen, .. } = &mut endpoint.purpose else {
            let message = format!("events cannot be chosen for a webhook of {}", endpoint.purpose.as_str());
            return Err(Error::invalid("events", message));
        };
        *chosen = events;
    }
    endpoint.on = change.on.unwrap_or(endpoint.on);
    match store.change_endpoint(tenant, &endpoint).await {
        Err(store::Error::Conflict) => return Err(unknown()),
        changed => changed?,
    }
    store.audit(tenant, &caller.key.name, &format!("changed webhook {id}")).await?;
    if endpoint.on && (moved || change.on == Some(true)) {
        take_up(dispatcher, tenant, id).await?;
    }
    find(store, tenant, id).await
}

/// Removes an endpoint, and what waits for it.
///
/// # Errors
/// [`Code::NotFound`] names `id`.
pub async fn remove(store: &Store, caller: &Caller, id: EndpointId) -> Result<()> {
    let tenant = caller.tenant_id();
    let endpoint = store.endpoint(tenant, id).await?.ok_or_else(unknown)?;
    store.remove_endpoint(tenant, &endpoint).await?;
    store.forget_state(tenant, id).await?;
    Ok(store.audit(tenant, &caller.key.name, &format!("removed webhook {id}")).await?)
}

/// Removes the only endpoint of an account for a purpose, if there is one.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn unregister(store: &Store, caller: &Caller, purpose: &Purpose) -> Result<bool> {
    let Some(endpoint) = store.endpoint_for(caller.tenant_id(), purpose).await? else { return Ok(false) };
    remove(store, caller, endpoint.id).await?;
    Ok(true)
}

/// Puts a new signing secret in place and answers it, this once. The one before it
/// signs too for a day.
///
/// # Errors
/// [`Code::NotFound`] names `id`.
pub async fn rotate_secret(store: &Store, caller: &Caller, id: EndpointId) -> Result<(Secret, Timestamp)> {
    let tenant = caller.tenant_id();
    let (_, keys) = store.endpoint_with_keys(tenant, id).await?.ok_or_else(unknown)?;
    let next = SigningSecret::generate(store.entropy());
    let shown = next.reveal();
    let keys = keys.rotate(next, store.clock().now());
    let until = keys.previous.as_ref().map(|(_, until)| *until).unwrap_or_default();
    store.set_signing_keys(tenant, id, &keys).await?;
    store.audit(tenant, &caller.key.name, &format!("rotated the secret of webhook {id}")).await?;
    Ok((shown, until))
}

/// What is to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayScope {
    /// One delivery, by its number.
    One(u64),
    /// Everything that was taken on from the first time on and before the second, in
    /// milliseconds since 1970.
    Between(i64, i64),
}

/// What was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// How many.
    pub count: usize,
    /// Where those begin that one call had no room for, in milliseconds since 1970.
    pub next_from_ms: Option<i64>,
}

/// Sends deliveries of an endpoint again, whatever they came to, under the ids that they
/// had; of more than one call takes, the oldest.
///
/// # Errors
/// [`Code::NotFound`] names `delivery_id`.
pub async fn replay(
    dispatcher: &WebhookDispatcher,
    caller: &Caller,
    of: &EndpointStatus,
    what: ReplayScope,
) -> Result<Replayed> {
    let (store, tenant) = (&dispatcher.store, caller.tenant_id());
    let (id, newest) = (of.endpoint.id, of.state.sequence);
    let mut found = match what {
        ReplayScope::One(sequence) => {
            let found = store.deliveries_of(tenant, id, [sequence]).await?;
            if found.is_empty() {
                return Err(Error::not_found("delivery_id", "there is no delivery with this id"));
            }
            found
        }
        ReplayScope::Between(from_ms, to_ms) => {
            store.deliveries_between(tenant, id, newest, (from_ms, to_ms), MAX_REPLAYED + 1).await?
        }
    };
    let next_from_ms = found.get(MAX_REPLAYED).map(|next| next.at_ms);
    found.truncate(MAX_REPLAYED);
    // A test is not an event: it is not sent again.
    found.retain(|delivery| delivery.kind != EventType::WebhookTest);
    if !found.is_empty() {
        store.replay_deliveries(tenant, id, &found).await?;
        store.audit(tenant, &caller.key.name, &format!("replayed events of webhook {id}")).await?;
        dispatcher.look_at(tenant, id, store.clock().now_ms()).await?;
    }
    Ok(Replayed { count: found.len(), next_from_ms })
}

/// Sends a test event to an endpoint now, whether it is on or not, and answers what
/// came of it. It is not sent again. An endpoint that failed before and takes it is
/// well again: what waits is sent, unless it is off or disabled.
///
/// # Errors
/// [`Code::NotFound`] names `id`.
pub async fn send_test(
    dispatcher: &WebhookDispatcher,
    caller: &Caller,
    id: EndpointId,
) -> Result<(u64, Attempt)> {
    let (store, tenant) = (&dispatcher.store, caller.tenant_id());
    let (endpoint, keys) = store.endpoint_with_keys(tenant, id).await?.ok_or_else(unknown)?;
    let now = store.clock().now();
    let unique = store.entropy().ulid(now).to_string();
    let data = EventData::WebhookTest(WebhookTest { endpoint: id.0, name: endpoint.name.clone() });
    let event = Event {
        account: endpoint.purpose.account(),
        ..Event::new(tenant, &[&unique], now.as_millisecond(), data)
    };
    let (sequence, state) = store.take_sequence(tenant, id, 1).await?;
    let text = numbered(&event.body().to_string(), sequence);
    let mut delivery = Delivery {
        sequence,
        kind: event.kind(),
        event: event.id,
        at_ms: now.as_millisecond(),
        body: Body::Inline(text.clone()),
        signature: None,
        progress: DeliveryProgress::Failed,
        attempts: 1,
        last: None,
    };
    let target = SigningEndpoint { tenant: tenant.clone(), endpoint, keys };
    let called = dispatcher.call(&target, &delivery, text.into()).await;
    if called.outcome == CallOutcome::Delivered {
        delivery.progress = DeliveryProgress::Delivered;
    }
    delivery.last = Some(called.attempt.clone());
    if delivery.progress == DeliveryProgress::Failed {
        store.write_attempts(tenant, id, &[(sequence, 1, called.attempt.clone())]).await?;
    }
    let taken = delivery.progress == DeliveryProgress::Delivered;
    store.write_deliveries(tenant, id, &[delivery]).await?;
    if taken && target.endpoint.on && state.disabled.is_none() && state.health != EndpointHealth::default() {
        take_up(dispatcher, tenant, id).await?;
    }
    Ok((sequence, called.attempt))
}
