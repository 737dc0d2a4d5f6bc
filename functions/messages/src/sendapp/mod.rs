//! `/api/whatsapp-meta`: sending, and the templates; `/api/suppressions`.

mod content;
pub(crate) mod suppressions;
pub(crate) mod templates;

use api_http::{
    Caller, Given, Input, PhoneText, Reply, Required, Result, account_of_token, idempotent_send, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::sender::SenderId;
use messaging::messages::{Outgoing, Sent};
use messaging::{Services, messages};
use serde::Serialize;

use content::ContentFields;

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    message_id: String,
    id: String,
}

impl From<Sent> for Answer {
    fn from(sent: Sent) -> Self {
        Self { status: "success", message_id: sent.provider_id, id: sent.id.to_string() }
    }
}

request! {
    /// `POST /api/whatsapp-meta/send`
    pub(crate) struct SendMessage(content: ContentFields) {
        token: Required<String> = named("token"),
        number: Required<PhoneText> = named("number"),
        sender: Given<SenderId> = named("sender"),
    }
}

/// `POST /api/whatsapp-meta/send`
pub(crate) async fn send(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendMessage>,
) -> Result<Response> {
    let store = &services.store;
    let work = async |send| {
        let SendMessage { content, token, number, sender } = input.read();
        let account = account_of_token(store, &caller, token).await?;
        let to = number.get()?.parse(account.default_country)?;
        let new = Outgoing { to, content: content.get()?, sender: sender.get()? };
        let sent = messages::send(&services, &caller, &account, new, send).await?;
        Ok(Reply::<200, Answer>(sent.into()))
    };
    idempotent_send(store, &caller, &input, work).await
}
