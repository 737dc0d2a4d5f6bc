use std::future::Future;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use ops::Code;
use store::Store;
use store::idempotency::Begin;

use crate::{ApiError, Input, Result, render};

/// Larger answers are not kept: an item of the table takes 400 kB. Only imports
/// answer so much, and an import may be repeated.
const MAX_KEPT: usize = 300_000;

/// How often it is tried to keep an answer.
const KEEP_TRIES: u32 = 4;

/// Whether a request that broke off half-way may be done again under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It finds what was done, or does no harm.
    Safe,
    /// It might send a message twice.
    Never,
}

/// Does `work` once for an `Idempotency-Key`: who repeats the request within 24
/// hours gets the same answer. Without a key, `work` is just done.
///
/// # Errors
/// [`Code::Conflict`] when the key was used with another body, or its request is
/// under way; what `work` answers. An error that sent nothing frees the key.
pub async fn idempotent<R: IntoResponse>(
    store: &Store,
    caller: &ops::Caller,
    input: &Input,
    repeat: Repeat,
    work: impl Future<Output = Result<R>>,
) -> Result<Response> {
    let Some(key) = input.idempotency_key()? else { return work.await.map(IntoResponse::into_response) };
    let (tenant, route) = (caller.tenant_id(), input.spec().path);
    let done = match store.begin_idempotent(tenant, route, &key, &input.fingerprint()).await? {
        Begin::Fresh { attempt } if attempt > 1 && repeat == Repeat::Never => Err(broke_off()),
        Begin::Fresh { .. } => work.await,
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

fn broke_off() -> ApiError {
    let message = "an earlier request with this idempotency key broke off: its message may have been sent";
    ops::Error::new(Code::ProviderTimeout, message).into()
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}
