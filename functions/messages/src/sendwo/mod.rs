//! `/api/v1/whatsapp`: `send-text-message` and `send`, and what became of messages.

pub(crate) mod history;

use api_http::{ApiError, Caller, Input, Reply, Result, idempotent_send};
use axum::extract::State;
use axum::response::Response;
use domain::account::Account;
use domain::message::Content;
use domain::sender::SenderId;
use messaging::messages::{Outgoing, Sent};
use messaging::{Services, messages};
use ops::callers;
use serde::Serialize;

/// The parameter that names a connected number.
const NUMBER: [&str; 3] = ["phoneNumberId", "phone_number_id", "phoneNumberID"];

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

/// `send-text-message`, and `send` as sister products call it.
pub(crate) async fn send_text(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    let fields = input.fields();
    let work = async |send| {
        let (account, sender) = account(&services, &caller, &input).await?;
        let to = fields.name_of(&["to", "phone_number", "phoneNumber"]);
        let to = fields.required_phone(to, account.default_country)?;
        let content = Content::Text { body: fields.required("message")? };
        let new = Outgoing { to, content, sender: Some(sender) };
        let sent = messages::send(&services, &caller, &account, new, send).await?;
        Ok(Reply::<200, Answer>(sent.into()))
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

/// The account of the number that is named, and the number.
async fn account(services: &Services, caller: &ops::Caller, input: &Input) -> Result<(Account, SenderId)> {
    let fields = input.fields();
    let name = fields.name_of(&NUMBER);
    let number = fields.text(name)?;
    let found = callers::account_of_number(&services.store, caller, number.as_deref()).await;
    found.map_err(|error| ApiError(error).renamed("phone_number_id", name))
}
