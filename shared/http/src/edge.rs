//! The one outer layer: request ids, panics, errors in dialect, log lines.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use domain::{Clock, Entropy};
use futures::FutureExt;
use http::{HeaderValue, StatusCode, header};
use ops::Code;
use tracing::Instrument;
use tracing::field::Empty;

use crate::{ApiError, Dialect, render};

const REQUEST_ID: &str = "x-request-id";
/// Longest request id that is taken over from a caller.
const MAX_REQUEST_ID: usize = 64;
/// What the SendAPI contract has for e-mail.
const EMAIL: &str = "/v1/email";

/// What the outer layer needs.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Where the time comes from.
    pub clock: Clock,
    /// Where randomness comes from.
    pub entropy: Entropy,
    /// Refuses what came by plain HTTP where the contract says so; not in local mode.
    pub require_https: bool,
}

/// Adds the fallback and the outer layer to the merged routers of one or more
/// functions.
pub fn serve(router: Router, edge: Edge) -> Router {
    router.fallback(unmatched).layer(from_fn_with_state(Arc::new(edge), outer))
}

async fn unmatched(request: Request) -> ApiError {
    ApiError(match Dialect::is_below(request.uri().path(), EMAIL) {
        true => ops::Error::new(Code::NotSupported, "e-mail is not supported"),
        false => ops::Error::new(Code::NotFound, "there is no such path"),
    })
}

async fn outer(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let dialect = Dialect::of_path(request.uri().path());
    let id = request_id(&edge, &request);
    // The pattern, never the path: paths carry tokens.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::error_span!("request", request_id = %id, route, tenant = Empty);
    let answer = async {
        let refused = edge.require_https && dialect == Dialect::DmChamp && is_plain(&request);
        let response = if refused {
            ApiError(ops::Error::new(Code::Forbidden, "requests must use HTTPS")).into_response()
        } else {
            AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("a handler panicked");
                ApiError(ops::Error::new(Code::Internal, "internal error")).into_response()
            })
        };
        finish(dialect, response)
    };
    let mut response = answer.instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn request_id(edge: &Edge, request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok());
    let fits = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match given.filter(fits) {
        Some(id) => id.to_owned(),
        None => edge.entropy.ulid(edge.clock.now()).to_string(),
    }
}

fn is_plain(request: &Request) -> bool {
    let proto = request.headers().get("x-forwarded-proto").and_then(|v| v.to_str().ok());
    proto.is_some_and(|proto| proto.split(',').next().is_some_and(|p| p.trim().eq_ignore_ascii_case("http")))
}

/// Renders what a handler or the router refused.
fn finish(dialect: Dialect, mut response: Response) -> Response {
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error.0,
        None if response.status() == StatusCode::METHOD_NOT_ALLOWED => {
            ops::Error::new(Code::MethodNotAllowed, "the path does not take this method")
        }
        None => return response,
    };
    let mut rendered = render(dialect, &error);
    let status = rendered.status().as_u16();
    if error.code.is_server_error() {
        tracing::error!(code = error.code.as_str(), status, "a request failed");
    } else {
        tracing::debug!(code = error.code.as_str(), status, "a request was refused");
    }
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow);
    }
    rendered
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use crate::{Input, Reply, Required, Table, get, post};

    crate::request! {
        struct Echo {
            a: Required<String> = named("a"),
        }
    }

    async fn boom() -> Reply<200, Value> {
        panic!("boom")
    }

    async fn echo(input: Input<Echo>) -> crate::Result<Reply<200, Value>> {
        Ok(Reply(Value::from(input.read().a.get()?)))
    }

    fn app(require_https: bool) -> Router {
        let first = Table::new([get("/api/boom", boom), post("/v1/echo", echo)]).router(());
        let second = Table::new([get("/api/v1/boom", boom)]).router(());
        serve(first.merge(second), Edge { clock: Clock::System, entropy: Entropy::seeded(1), require_https })
    }

    async fn call(
        app: Router,
        method: &str,
        uri: &str,
        proto: Option<&str>,
    ) -> (u16, Option<HeaderValue>, Value) {
        let mut request = http::Request::builder().method(method).uri(uri);
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto);
        }
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (status, allow) = (response.status().as_u16(), response.headers().get(header::ALLOW).cloned());
        assert!(response.headers().contains_key(REQUEST_ID));
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, allow, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn what_no_handler_answers_is_answered_in_dialect() {
        let (status, _, body) = call(app(true), "GET", "/nothing", None).await;
        assert_eq!((status, &body["status"]), (404, &Value::from("error")));
        let (status, _, body) = call(app(true), "GET", "/api/v1/nothing", None).await;
        assert_eq!((status, &body["status"]), (200, &Value::from("0")));
        for path in ["/v1/email", "/v1/email/send", "/v1/email/a/b"] {
            let (status, _, body) = call(app(true), "POST", path, None).await;
            assert_eq!((status, &body["error"]["code"]), (404, &Value::from("not_supported")), "{path}");
        }
        let (_, _, body) = call(app(true), "GET", "/v1/verify/nothing", None).await;
        assert_eq!(body["error"]["code"], "not_found");
        let (status, allow, body) = call(app(true), "POST", "/api/boom", None).await;
        assert_eq!((status, &body["code"]), (405, &Value::from("method_not_allowed")));
        assert!(allow.unwrap().to_str().unwrap().contains("GET"));
        let (status, _, body) = call(app(true), "GET", "/api/v1/boom", None).await;
        assert_eq!((status, &body["error"]["code"]), (500, &Value::from("internal")));
    }

    #[tokio::test]
    async fn plain_http_is_refused_where_the_contract_says_so() {
        for (require, proto, want) in [
            (true, Some("http"), 403),
            (true, Some("https"), 200),
            (true, None, 200),
            (false, Some("http"), 200),
        ] {
            let (status, _, _) = call(app(require), "POST", "/v1/echo?a=1", proto).await;
            assert_eq!(status, want, "{require} {proto:?}");
        }
        let (status, _, body) = call(app(true), "POST", "/v1/echo", None).await;
        assert_eq!((status, &body["error"]["code"]), (400, &Value::from("INVALID_A")));
    }
}
