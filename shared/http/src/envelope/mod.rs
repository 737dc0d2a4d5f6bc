//! Errors as each dialect writes them.
//!
//! Each dialect's status is an exhaustive match over [`Code`]: a new code does not
//! compile until every dialect has decided.

mod dmchamp;
mod sendapi;
mod sendapp;
mod sendwo;

use axum::response::{IntoResponse, Response};
use domain::outcome::Reason;
use http::{HeaderValue, StatusCode, header};
use ops::Code;
use serde_json::Value;

use crate::Dialect;

/// Renders an error; `Retry-After` says when it is worth trying again.
pub fn render(dialect: Dialect, error: &ops::Error) -> Response {
    let (status, body) = envelope(dialect, error);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn envelope(dialect: Dialect, error: &ops::Error) -> (u16, Value) {
    match dialect {
        Dialect::SendApp => (sendapp::status(error.code), sendapp::body(error)),
        Dialect::Sendwo => (sendwo::status(error.code), sendwo::body(error)),
        Dialect::SendApi => (sendapi::status(error.code), sendapi::body(error)),
        Dialect::DmChamp => (dmchamp::status(error.code), dmchamp::body(error)),
    }
}

/// The word of a code where the contract knows no credits: they are a limit like others.
fn limit_word(code: Code) -> &'static str {
    match code == Code::NoCredits {
        true => Code::PlanLimit.as_str(),
        false => code.as_str(),
    }
}

/// Particulars that every dialect adds when there are any.
fn particulars(error: &ops::Error) -> impl Iterator<Item = (String, Value)> {
    let members = [
        ("error_code", error.reason.as_ref().and_then(Reason::meta_code).map(Value::from)),
        ("reason", error.reason.as_ref().map(|reason| reason.as_str().into())),
        ("id", error.message_id.clone().map(Value::from)),
        ("retry_after", error.retry_after.map(Value::from)),
    ];
    members.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
}

#[cfg(test)]
mod tests {
    use ops::Error;
    use serde_json::json;

    use super::*;

    /// The catalogue: code, then status and code in SendApp, Sendwo, SendAPI and DM Champ.
    const CATALOGUE: &str = "\
malformed_body        400 malformed_body        | 200 malformed_body        | 400 malformed_body        | 400 MALFORMED_BODY
invalid_field         422 invalid_field         | 200 invalid_field         | 422 invalid_field         | 400 INVALID_PHONE
unauthorized          401 unauthorized          | 401 unauthorized          | 401 unauthorized          | 401 UNAUTHORIZED
forbidden             403 forbidden             | 403 forbidden             | 403 forbidden             | 403 FORBIDDEN
not_found             404 not_found             | 200 not_found             | 404 not_found             | 404 NOT_FOUND
method_not_allowed    405 method_not_allowed    | 405 method_not_allowed    | 405 method_not_allowed    | 405 METHOD_NOT_ALLOWED
not_supported         404 not_supported         | 200 not_supported         | 404 not_supported         | 404 NOT_SUPPORTED
plan_limit            403 plan_limit            | 200 plan_limit            | 403 plan_limit            | 400 PLAN_LIMIT
insufficient_credits  402 insufficient_credits  | 200 plan_limit            | 403 plan_limit            | 400 PLAN_LIMIT
conflict              409 conflict              | 200 conflict              | 409 conflict              | 400 CONFLICT
idempotency_conflict  409 idempotency_conflict  | 200 idempotency_conflict  | 409 idempotency_conflict  | 409 IDEMPOTENCY_CONFLICT
too_large             413 too_large             | 413 too_large             | 413 too_large             | 413 TOO_LARGE
rate_limited          429 rate_limited          | 429 rate_limited          | 429 sending_limited       | 429 RATE_LIMITED
no_number             422 no_number             | 200 no_number             | 422 no_number             | 400 NO_NUMBER
no_session            422 no_session            | 200 no_session            | 422 no_session            | 400 NO_SESSION
no_device             422 no_device             | 200 no_device             | 422 no_device             | 400 NO_DEVICE
opted_out             422 opted_out             | 200 opted_out             | 422 opted_out             | 400 OPTED_OUT
outside_window        422 outside_window        | 200 outside_window        | 422 outside_window        | 400 OUTSIDE_WINDOW
provider_rejected     422 provider_rejected     | 200 provider_rejected     | 422 provider_rejected     | 400 PROVIDER_REJECTED
provider_throttled    429 provider_throttled    | 429 provider_throttled    | 429 provider_throttled    | 429 PROVIDER_THROTTLED
provider_unavailable  503 provider_unavailable  | 503 provider_unavailable  | 503 provider_unavailable  | 503 PROVIDER_UNAVAILABLE
provider_timeout      504 provider_timeout      | 504 provider_timeout      | 504 provider_timeout      | 504 PROVIDER_TIMEOUT
unavailable           503 unavailable           | 503 unavailable           | 503 unavailable           | 503 UNAVAILABLE
internal              500 internal              | 500 internal              | 500 internal              | 500 INTERNAL
";

    #[test]
    fn every_code_has_its_place_in_every_dialect() {
        let mut catalogue = String::new();
        for code in Code::ALL {
            let error = Error { field: Some("phone".to_owned()), ..Error::new(code, "m") };
            let columns: Vec<String> = Dialect::ALL
                .into_iter()
                .map(|dialect| {
                    let (status, body) = envelope(dialect, &error);
                    let code = body.pointer("/error/code").or(body.get("code")).and_then(Value::as_str);
                    format!("{status} {:<21}", code.unwrap())
                })
                .collect();
            catalogue.push_str(format!("{:<21} {}", code.as_str(), columns.join(" | ")).trim_end());
            catalogue.push('\n');
        }
        assert_eq!(catalogue, CATALOGUE, "{catalogue}");
    }

    #[test]
    fn bodies_have_the_shape_of_their_dialect() {
        let error =
            Error { field: Some("phone".to_owned()), ..Error::new(Code::InvalidField, "phone is wrong") };
        for (dialect, want) in [
            (
                Dialect::SendApp,
                json!({
                    "status": "error", "message": "phone is wrong", "code": "invalid_field", "field": "phone",
                    "errors": {"phone": ["phone is wrong"]},
                }),
            ),
            (
                Dialect::Sendwo,
                json!({
                    "status": "0", "message": "phone is wrong",
                    "error": {"code": "invalid_field", "message": "phone is wrong", "field": "phone"},
                }),
            ),
            (
                Dialect::SendApi,
                json!({"error": {"message": "phone is wrong", "code": "invalid_field", "field": "phone"}}),
            ),
            (Dialect::DmChamp, json!({"error": {"code": "INVALID_PHONE", "message": "phone is wrong"}})),
        ] {
            assert_eq!(envelope(dialect, &error).1, want, "{dialect:?}");
        }
    }

    #[test]
    fn particulars_are_added_where_there_are_any() {
        let mut error = Error::new(Code::ProviderTimeout, "m").about("01J").after(7);
        error.reason = Some(Reason::meta(131_000));
        let response = render(Dialect::SendApp, &error);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        let (_, body) = envelope(Dialect::SendApp, &error);
        assert_eq!((&body["id"], &body["error_code"]), (&json!("01J"), &json!(131_000)));
        let (_, body) = envelope(Dialect::SendApi, &error);
        assert_eq!(body["error"]["error_code"], 131_000);
        let window = Error::new(Code::OutsideWindow, "free text needs an open window");
        let (_, body) = envelope(Dialect::Sendwo, &window);
        assert!(body["message"].as_str().unwrap().contains("24 hour"));
        let odd =
            Error { field: Some("customData.fromId".to_owned()), ..Error::new(Code::InvalidField, "m") };
        assert_eq!(envelope(Dialect::DmChamp, &odd).1["error"]["code"], "INVALID_CUSTOM_DATA_FROM_ID");
        let phone = Error { field: Some("phoneNumber".to_owned()), ..odd };
        assert_eq!(envelope(Dialect::DmChamp, &phone).1["error"]["code"], "INVALID_PHONE");
    }
}
