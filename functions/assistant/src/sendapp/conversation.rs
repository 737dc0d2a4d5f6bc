//! `/api/conversation/{id}/handover` and `/api/conversation/{id}/resume`

use api_http::{Caller, Input, Reply, Required, Result, account_of_token, request};
use axum::extract::State;
use ops::events::EventPublisher;
use ops::flows;
use serde::Serialize;

use super::time;

request! {
    /// `POST /api/conversation/{id}/handover` and `resume`
    pub(crate) struct WhichConversation {
        token: Required<String> = named("token"),
    }
}

#[derive(Serialize)]
pub(crate) struct Led {
    status: &'static str,
    contact_id: u64,
    /// `person`, or `automatic`
    led_by: &'static str,
    /// When flows may start in it again by themselves.
    until: Option<String>,
}

/// `POST /api/conversation/{id}/handover`: a person leads it, and nothing starts by itself; what
/// is under way ends.
pub(crate) async fn hand_over(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<WhichConversation>,
) -> Result<Reply<200, Led>> {
    let contact = flows::party(&publisher.store, caller.tenant_id(), input.path("id").parse()?).await?;
    let account = account_of_token(&publisher.store, &caller, input.read().token).await?;
    let until_ms = flows::hand_over(&publisher, caller.tenant_id(), account.id, contact).await?;
    let until = Some(time(until_ms));
    Ok(Reply(Led { status: "success", contact_id: contact.0, led_by: "person", until }))
}

/// `POST /api/conversation/{id}/resume`: flows start by themselves again.
pub(crate) async fn resume(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<WhichConversation>,
) -> Result<Reply<200, Led>> {
    let contact = flows::party(&publisher.store, caller.tenant_id(), input.path("id").parse()?).await?;
    let account = account_of_token(&publisher.store, &caller, input.read().token).await?;
    flows::resume(&publisher.store, caller.tenant_id(), account.id, contact).await?;
    Ok(Reply(Led { status: "success", contact_id: contact.0, led_by: "automatic", until: None }))
}
