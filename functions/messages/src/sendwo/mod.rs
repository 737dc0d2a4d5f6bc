//! `/api/v1/whatsapp`: `send-text-message` and `send`, and what became of messages.

pub(crate) mod history;

use api_http::{ApiError, Caller, Input, PhoneText, Reply, Required, Result, idempotent_send, request};
use axum::extract::State;
use axum::response::Response;
use domain::account::Account;
use domain::message::{Content, MAX_TEXT};
use domain::sender::SenderId;
use messaging::messages::{Outgoing, Sent};
use messaging::{Services, messages};
use ops::callers;
use serde::Serialize;

#[derive(Serialize)]
struct Data {
    message_id: String,
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    message: &'static str,
    data: Data,
    wa_message_id: String,
    id: String,
}

impl From<Sent> for Answer {
    fn from(sent: Sent) -> Self {
        Self {
            status: "1",
            message: "Message sent successfully.",
            data: Data { message_id: sent.provider_id.clone() },
            wa_message_id: sent.provider_id,
            id: sent.id.to_string(),
        }
    }
}

request! {
    /// `send-text-message`
    pub(crate) struct SendText {
        number: Required<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
        to: Required<PhoneText> = named("to" | "phone_number" | "phoneNumber"),
        message: Required<String> = named("message").max_length(MAX_TEXT),
    }
}

/// `send-text-message`, and `send` as sister products call it.
pub(crate) async fn send_text(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendText>,
) -> Result<Response> {
    let work = async |send| {
        let SendText { number, to, message } = input.read();
        let name = number.name();
        let (account, sender) = account(&services, &caller, name, &number.get()?).await?;
        let (to, _) = to.get()?.recipient(account.default_country)?;
        let content = Content::Text { body: message.get()? };
        let new = Outgoing { to, content, sender: Some(sender) };
        let sent = messages::send(&services, &caller, &account, new, send).await?;
        Ok(Reply::<200, Answer>(sent.into()))
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

/// The account of a number, which the parameter `name` names, and the number.
async fn account(
    services: &Services,
    caller: &ops::Caller,
    name: &str,
    number: &str,
) -> Result<(Account, SenderId)> {
    let found = callers::account_of_number(&services.store, caller, Some(number)).await;
    found.map_err(|error| ApiError(error).renamed("phone_number_id", name))
}
