//! The same answer to the same request under one key. Where it breaks off, the key stays
//! taken until nobody can be at work any more.

use std::future::Future;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use domain::MessageId;
use http::{HeaderValue, StatusCode, header};
use ops::Code;
use ops::messages::Send;
use store::Store;
use store::idempotency::Begin;

use crate::{Input, Result, render};

/// Larger answers are not kept: an item of the table takes 400 kB. Only imports
/// answer so much, and an import may be repeated.
const MAX_KEPT: usize = 300_000;

/// How often it is tried to keep an answer.
const KEEP_TRIES: u32 = 4;

/// Does `work` once for an `Idempotency-Key`: who repeats the request within 24
/// hours gets the same answer. Without a key, `work` is just done. A request that broke
/// off half-way is done again: it finds what was done, or does no harm.
///
/// # Errors
/// [`Code::Conflict`] when the key was used with another body, or its request is
/// under way; what `work` answers. An error that changed nothing frees the key.
pub async fn idempotent<R: IntoResponse>(
    store: &Store,
    caller: &ops::Caller,
    input: &Input,
    work: impl Future<Output = Result<R>>,
) -> Result<Response> {
    once(store, caller, input, |_, _| work).await
}

/// The same for a request that sends a message, whose id `work` is given: of a request
/// that broke off it finds the message, and sends it only if it was never written down.
///
/// # Errors
/// As [`idempotent`].
pub async fn idempotent_send<R: IntoResponse>(
    store: &Store,
    caller: &ops::Caller,
    input: &Input,
    work: impl AsyncFnOnce(Send) -> Result<R>,
) -> Result<Response> {
    once(store, caller, input, |attempt, id| work(Send { id, is_repeated: attempt > 1 })).await
}

async fn once<R: IntoResponse, F: Future<Output = Result<R>>>(
    store: &Store,
    caller: &ops::Caller,
    input: &Input,
    work: impl FnOnce(u64, MessageId) -> F,
) -> Result<Response> {
    let Some(key) = input.idempotency_key()? else {
        let id = MessageId(store.entropy().ulid(store.clock().now()));
        return work(1, id).await.map(IntoResponse::into_response);
    };
    let (tenant, route) = (caller.tenant_id(), input.spec().path);
    let done = match store.begin_idempotent(tenant, route, &key, &input.fingerprint()).await? {
        Begin::Fresh { attempt, message } => work(attempt, message).await,
        Begin::Answered { status, body } => return Ok(replay(status, body)),
        Begin::Different => {
            return Err(ops::Error::conflict("the idempotency key was used with another request").into());
        }
        Begin::InFlight => {
            let message = "a request with this idempotency key is under way";
            return Err(ops::Error::conflict(message).after(1).into());
        }
    };
    let response = match done {
        Ok(reply) => reply.into_response(),
        // Nobody knows whether it was sent: whoever repeats it gets to know just that.
        Err(error) if error.code() == Code::ProviderTimeout => render(input.spec().dialect, &error.0),
        Err(error) => {
            if let Err(lost) = store.forget_idempotent(tenant, route, &key).await {
                tracing::warn!(%lost, "an idempotency key could not be freed");
            }
            return Err(error);
        }
    };
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    for round in 0..KEEP_TRIES {
        let kept = match std::str::from_utf8(&bytes) {
            Ok(text) if text.len() <= MAX_KEPT => {
                store.finish_idempotent(tenant, route, &key, parts.status.as_u16(), text).await
            }
            Ok(_) | Err(_) => store.forget_idempotent(tenant, route, &key).await,
        };
        let Err(lost) = kept else { break };
        // The work is done: the caller has to know, whatever becomes of the key.
        tracing::warn!(%lost, round, "an answer is not kept for its idempotency key");
        store.back_off(round + 3).await;
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}
