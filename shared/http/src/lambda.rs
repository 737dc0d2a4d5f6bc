//! The event loop of a function behind the API.

use axum::Router;
use domain::{Clock, Entropy};
use environment::Env;

use crate::{Edge, serve};

/// Answers requests of the API until Lambda ends the function. The world reaches it only
/// by HTTPS, unless `BASE_URL` says otherwise.
///
/// # Errors
/// When Lambda's interface does not answer.
pub async fn lambda(env: &Env, routes: Router) -> Result<(), lambda_http::Error> {
    let require_https = !env.optional("BASE_URL").is_some_and(|url| url.starts_with("http://"));
    let edge = Edge { clock: Clock::System, entropy: Entropy::system(), require_https };
    lambda_http::run(serve(routes, edge)).await
}
