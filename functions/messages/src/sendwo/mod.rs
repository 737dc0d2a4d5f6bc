//! `/api/v1/whatsapp`: messages that are sent, and what became of them; templates.

pub(crate) mod content;
pub(crate) mod history;
mod listed;
pub(crate) mod products;
pub(crate) mod template;

use api_http::{ApiError, Caller, Input, PhoneText, Reply, Required, Result, idempotent_send, request};
use axum::extract::State;
use axum::response::Response;
use domain::account::Account;
use domain::message::{Address, Content, MAX_TEXT};
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
pub(crate) struct Answer {
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
    /// From which number, and to whom.
    pub(crate) struct ToFields {
        number: Required<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
        to: Required<PhoneText> = named("to" | "phone_number" | "phoneNumber"),
    }
}

/// Whom a message is for, and what it leaves from.
struct Recipient {
    account: Account,
    sender: SenderId,
    to: Address,
    /// The parameter that says whom.
    by_phone: &'static str,
}

impl ToFields {
    async fn get(self, services: &Services, caller: &ops::Caller) -> Result<Recipient> {
        let (by_number, by_phone) = (self.number.name(), self.to.name());
        let (account, sender) = account(services, caller, by_number, &self.number.get()?).await?;
        let (to, _) = self.to.get()?.recipient(account.default_country)?;
        Ok(Recipient { account, sender, to, by_phone })
    }
}

impl Recipient {
    /// Sends it; `names` is how the caller names what may be wrong with the content.
    async fn send(
        self,
        services: &Services,
        caller: &ops::Caller,
        content: Content,
        (names, send): (&[(&str, &str)], ops::SendRequest),
    ) -> Result<Reply<200, Answer>> {
        let Self { account, sender, to, by_phone } = self;
        let new = Outgoing { to, content, sender: Some(sender), is_secret: false };
        let sent = messages::send(services, caller, &account, new, send).await;
        Ok(Reply(sent.map_err(|error| called(error, names).renamed("to", by_phone))?.into()))
    }
}

/// What is wrong, under the names that the caller used.
fn called(error: ops::Error, names: &[(&str, &str)]) -> ApiError {
    names.iter().fold(ApiError(error), |error, (ours, theirs)| error.renamed(ours, theirs))
}

request! {
    /// `send-text-message`
    pub(crate) struct SendText(recipient: ToFields) {
        message: Required<String> = named("message").max_length(MAX_TEXT),
    }
}

/// `send-text-message`
pub(crate) async fn send_text(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendText>,
) -> Result<Response> {
    let work = async |send| {
        let SendText { recipient, message } = input.read();
        let recipient = recipient.get(&services, &caller).await?;
        let content = Content::Text { body: message.get()? };
        recipient.send(&services, &caller, content, (&[], send)).await
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
