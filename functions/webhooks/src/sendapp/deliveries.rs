//! `/api/webhooks/{id}/deliveries`, `/replay` and `/test`

use api_http::{Caller, Given, Input, Reply, Result, cut_to_weight, request};
use axum::extract::State;
use dispatch::{ReplayScope, Replayed, WebhookDispatcher};
use jiff::Timestamp;
use ops::Error;
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;
use store::webhooks::{Attempt, Delivery};

use super::{named, time};

const LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 500;

/// A delivery in the list.
#[derive(Serialize)]
struct ListedDelivery {
    id: u64,
    event_id: String,
    event: &'static str,
    /// `delivered`, `waiting` or `failed`
    state: &'static str,
    attempts: u32,
    created_at: String,
    last_attempt_at: Option<String>,
    last_status: Option<u16>,
    last_duration_ms: Option<u64>,
    last_error: Option<String>,
}

impl From<&Delivery> for ListedDelivery {
    fn from(delivery: &Delivery) -> Self {
        let last = delivery.last.as_ref();
        Self {
            id: delivery.sequence,
            event_id: delivery.event.to_string(),
            event: delivery.kind.as_str(),
            state: delivery.progress.as_str(),
            attempts: delivery.attempts,
            created_at: time(delivery.at_ms),
            last_attempt_at: last.map(|attempt| time(attempt.at_ms)),
            last_status: last.and_then(|attempt| attempt.status),
            last_duration_ms: last.map(|attempt| attempt.took_ms),
            last_error: last.and_then(|attempt| attempt.error.clone()),
        }
    }
}

/// One call of the endpoint.
#[derive(Serialize)]
struct ListedAttempt {
    at: String,
    status: Option<u16>,
    duration_ms: u64,
    error: Option<String>,
    /// The beginning of an answer that was no success.
    answer: Option<String>,
}

impl From<Attempt> for ListedAttempt {
    fn from(attempt: Attempt) -> Self {
        let Attempt { at_ms, status, took_ms, error, answer } = attempt;
        Self { at: time(at_ms), status, duration_ms: took_ms, error, answer }
    }
}

#[derive(Serialize)]
pub(crate) struct DeliveryPage {
    status: &'static str,
    deliveries: Vec<ListedDelivery>,
    /// `before` of the next page.
    next_before: Option<u64>,
}

request! {
    /// `GET /api/webhooks/{id}/deliveries`
    pub(crate) struct ListDeliveries {
        limit: Given<u64> = named("limit"),
        before: Given<u64> = named("before"),
    }
}

/// `GET /api/webhooks/{id}/deliveries`: newest first.
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListDeliveries>,
) -> Result<Reply<200, DeliveryPage>> {
    let (asked, id, tenant) = (input.read(), named(&input)?, caller.tenant_id());
    let limit = asked.limit.or(LIMIT)?.clamp(1, MAX_LIMIT);
    let newest = dispatch::find(&store, tenant, id).await?.state.sequence;
    let before = asked.before.or(u64::MAX)?.min(newest + 1);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (found, mut next_before) = store.deliveries(tenant, id, before, limit).await?;
    let mut deliveries: Vec<ListedDelivery> = found.iter().map(ListedDelivery::from).collect();
    if cut_to_weight(&mut deliveries) {
        next_before = deliveries.last().map(|last| last.id);
    }
    Ok(Reply(DeliveryPage { status: "success", deliveries, next_before }))
}

#[derive(Serialize)]
pub(crate) struct ShownDelivery {
    status: &'static str,
    delivery: ListedDelivery,
    /// The body, unless it is no longer kept.
    body: Option<String>,
    attempts: Vec<ListedAttempt>,
}

/// `GET /api/webhooks/{id}/deliveries/{delivery_id}`: with its attempts and its body.
pub(crate) async fn show(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, ShownDelivery>> {
    let (store, tenant) = (&dispatcher.store, caller.tenant_id());
    let id = dispatch::find(store, tenant, named(&input)?).await?.endpoint.id;
    let unknown = || Error::not_found("delivery_id", "there is no delivery with this id");
    let sequence: u64 = input.path("delivery_id").parse().map_err(|_| unknown())?;
    let found = store.deliveries_of(tenant, id, [sequence]).await?;
    let delivery = found.into_iter().next().ok_or_else(unknown)?;
    let mut attempts = store.attempts(tenant, id, sequence).await?;
    // One that succeeded is written down with the delivery.
    let last = delivery.last.clone().filter(|last| attempts.iter().all(|a| a.at_ms != last.at_ms));
    attempts.extend(last);
    let body = dispatcher.bodies.body(&delivery.body).await.ok();
    Ok(Reply(ShownDelivery {
        status: "success",
        delivery: ListedDelivery::from(&delivery),
        body: body.map(|body| String::from_utf8_lossy(&body).into_owned()),
        attempts: attempts.into_iter().map(ListedAttempt::from).collect(),
    }))
}

request! {
    /// `POST /api/webhooks/{id}/replay`
    pub(crate) struct Replay {
        delivery_id: Given<u64> = named("delivery_id").at_least(1),
        from: Given<Timestamp> = named("from"),
        to: Given<Timestamp> = named("to"),
    }
}

/// `POST /api/webhooks/{id}/replay`: `delivery_id`, or `from` and `to`.
pub(crate) async fn replay(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input<Replay>,
) -> Result<Reply<200, Value>> {
    let asked = input.read();
    let found = dispatch::find(&dispatcher.store, caller.tenant_id(), named(&input)?).await?;
    let again = match (asked.delivery_id.get()?, asked.from.get()?, asked.to.get()?) {
        (Some(delivery), None, None) => ReplayScope::One(delivery),
        (None, Some(from), to) => {
            ReplayScope::Between(from.as_millisecond(), to.map_or(i64::MAX, Timestamp::as_millisecond))
        }
        _ => return Err(Error::invalid("delivery_id", "delivery_id, or from and to, are required").into()),
    };
    let Replayed { count, next_from_ms } = dispatch::replay(&dispatcher, &caller, &found, again).await?;
    Ok(Reply(json!({
        "status": "success",
        "replayed": count,
        "more": next_from_ms.is_some(),
        "next_from": next_from_ms.map(time),
    })))
}

#[derive(Serialize)]
pub(crate) struct Tested {
    status: &'static str,
    delivered: bool,
    delivery_id: u64,
    attempt: ListedAttempt,
}

/// `POST /api/webhooks/{id}/test`: one call, now.
pub(crate) async fn test(
    State(dispatcher): State<WebhookDispatcher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Tested>> {
    let (delivery_id, attempt) = dispatch::send_test(&dispatcher, &caller, named(&input)?).await?;
    let delivered = attempt.status.is_some_and(|status| (200..300).contains(&status));
    Ok(Reply(Tested { status: "success", delivered, delivery_id, attempt: attempt.into() }))
}
