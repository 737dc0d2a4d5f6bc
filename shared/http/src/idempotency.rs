//! The same answer to the same request under one key. Where it breaks off, the key stays
//! taken until nobody can be at work any more.

use std::future::Future;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use domain::MessageId;
use http::{HeaderValue, StatusCode, header};
use ops::{Code, SendRequest};
use store::Store;
use store::idempotency::{Begin, Claim};

use crate::input::Carried;
use crate::{Input, Result, render};

/// Larger answers are not kept: an item of the table takes 400 kB. Only imports
/// answer so much, and an import may be repeated.
const MAX_KEPT: usize = 300_000;

/// How often it is tried to keep an answer.
const KEEP_TRIES: u32 = 4;

/// Does `work` once for an `Idempotency-Key`: who repeats the request within 24
/// hours gets the same answer. Without a key, `work` is just done. A request that broke
/// off half-way is done again, when that does no harm.
///
/// # Errors
/// [`Code::Conflict`] when the key was used with another body, or its request is
/// under way; what `work` answers. An error that changed nothing frees the key.
pub async fn idempotent<Q, R: IntoResponse>(
    store: &Store,
    caller: &ops::Caller,
    input: &Input<Q>,
    work: impl Future<Output = Result<R>>,
) -> Result<Response> {
    once(store, caller, input.carried(), Broken::IsReleased, |_| work).await
}

/// The same for a request that makes something there must be once: `work` is given the
/// key, writes down with it what it makes, and finds what one before made that broke off.
///
/// # Errors
/// As [`idempotent`].
pub async fn idempotent_make<Q, R: IntoResponse>(
    store: &Store,
    caller: &ops::Caller,
    input: &Input<Q>,
    work: impl AsyncFnOnce(Option<Claim>) -> Result<R>,
) -> Result<Response> {
    once(store, caller, input.carried(), Broken::IsReleased, |claim| work(claim)).await
}

/// The same for a request that sends a message, whose id `work` is given: of a request
/// that broke off it finds the message, and sends it only if it was never written down.
///
/// # Errors
/// As [`idempotent`].
pub async fn idempotent_send<Q, R: IntoResponse>(
    store: &Store,
    caller: &ops::Caller,
    input: &Input<Q>,
    work: impl AsyncFnOnce(SendRequest) -> Result<R>,
) -> Result<Response> {
    let send = |claim: Option<Claim>| match claim {
        Some(claim) => SendRequest { id: claim.message, is_repeated: claim.is_repeated() },
        None => SendRequest { id: MessageId(store.entropy().ulid(store.clock().now())), is_repeated: false },
    };
    once(store, caller, input.carried(), Broken::IsForgotten, |claim| work(send(claim))).await
}

/// What becomes of a key whose request failed on our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// Whatever was sent is known to have been refused: the next one has an id of its own. After
    /// one that broke off, only an error about its message says so.
    IsForgotten,
    /// Something may have been made: the next one looks for it.
    IsReleased,
}

async fn once<R: IntoResponse, F: Future<Output = Result<R>>>(
    store: &Store,
    caller: &ops::Caller,
    asked: &Carried,
    broken: Broken,
    work: impl FnOnce(Option<Claim>) -> F,
) -> Result<Response> {
    let Some(key) = asked.idempotency_key()? else {
        return work(None).await.map(IntoResponse::into_response);
    };
    let (tenant, route) = (caller.tenant_id(), asked.spec.path);
    let claim = match store.begin_idempotent(tenant, route, &key, &asked.fingerprint()).await? {
        Begin::Fresh(claim) => claim,
        Begin::Answered { status, body } => return Ok(replay(status, body)),
        Begin::Different => {
            return Err(ops::Error::conflict("the idempotency key was used with another request").into());
        }
        Begin::InFlight => {
            let message = "a request with this idempotency key is under way";
            return Err(ops::Error::conflict(message).after(1).into());
        }
    };
    let response = match work(Some(claim.clone())).await {
        Ok(reply) => reply.into_response(),
        // Nobody knows whether it was sent: whoever repeats it gets to know just that.
        Err(error) if broken == Broken::IsForgotten && error.code() == Code::ProviderTimeout => {
            render(asked.spec.dialect, &error.0)
        }
        Err(error) => {
            let may_have_changed = match broken {
                Broken::IsReleased => error.code().is_server_error(),
                // Whoever failed before it knew of the earlier message has not found that it
                // was refused.
                Broken::IsForgotten => claim.is_repeated() && error.0.message_id.is_none(),
            };
            let freed = if may_have_changed {
                store.release_idempotent(&claim).await
            } else {
                store.forget_idempotent(&claim).await
            };
            if let Err(lost) = freed {
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
                store.finish_idempotent(&claim, parts.status.as_u16(), text).await
            }
            Ok(_) | Err(_) => store.forget_idempotent(&claim).await,
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
