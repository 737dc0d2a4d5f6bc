//! `/v1/subaccounts/credits`

use api_http::{ApiError, Caller, Given, Input, Reply, Required, Result, request};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::EmailAddress;
use domain::credits::{MAX_DESCRIPTION, MAX_GRANT};
use http::HeaderValue;
use ops::credits::{GrantDone, NewGrant, grant};
use ops::events::EventPublisher;
use serde::Serialize;

request! {
    /// `POST /v1/subaccounts/credits`
    pub(crate) struct GrantCredits {
        email: Given<EmailAddress> = named("email"),
        sub_account_id: Given<String> = named("sub_account_id" | "subAccountId"),
        amount: Required<u64> = named("amount" | "credits").at_least(1).at_most(MAX_GRANT),
        description: Given<String> = named("description").max_length(MAX_DESCRIPTION),
    }
}

#[derive(Serialize)]
struct Granted {
    success: bool,
    sub_account_id: String,
    credits_added: u64,
    new_balance: u64,
}

/// `POST /v1/subaccounts/credits`: once under each key, which may stand in the header, in the
/// body, or in both.
pub(crate) async fn grant_credits(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<GrantCredits>,
) -> Result<Response> {
    let keys = input.idempotency_keys()?;
    let GrantCredits { email, sub_account_id, amount, description } = input.read();
    let [id_name, amount_name] = [sub_account_id.name(), amount.name()];
    let new = NewGrant {
        email: email.get()?,
        id: sub_account_id.get()?,
        amount: amount.get()?,
        description: description.get()?,
        keys,
    };
    let done = grant(&publisher, &caller, &new)
        .await
        .map_err(|error| ApiError(error).renamed("amount", amount_name).renamed("sub_account_id", id_name))?;
    let GrantDone { tenant, amount, balance, is_repeated } = done;
    let (sub_account_id, credits_added) = (tenant.to_string(), amount);
    let granted = Granted { success: true, sub_account_id, credits_added, new_balance: balance };
    Ok(replayed(Reply::<200, _>(granted).into_response(), is_repeated))
}

/// Marks what was answered before.
pub(crate) fn replayed(mut response: Response, is_repeated: bool) -> Response {
    if is_repeated {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}
