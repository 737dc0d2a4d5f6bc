//! The contract of Sendwo.

mod conversation;
mod delivery_status;
mod send;
mod subscribers;

use harness::Api;
use http::Method;
use serde_json::{Value, json};

/// The answer to a JSON body with the key in it.
pub(crate) async fn post(api: &Api, path: &str, mut body: Value) -> Value {
    body["apiToken"] = json!(api.key);
    api.raw(Method::POST, path, "application/json", body.to_string()).await.expect(200)
}

/// What was done.
pub(crate) async fn done(api: &Api, path: &str, body: Value) -> Value {
    let answer = post(api, path, body).await;
    assert_eq!(answer["status"], "1", "{path}: {answer}");
    answer
}

/// The code and the field of a refusal.
pub(crate) async fn refused(api: &Api, path: &str, body: Value) -> (String, String) {
    let answer = post(api, path, body).await;
    assert_eq!(answer["status"], "0", "{path}: {answer}");
    let text = |name: &str| answer["error"][name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("field"))
}

/// A refusal as [`refused`] answers it.
pub(crate) fn is(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}
