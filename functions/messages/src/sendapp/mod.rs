//! `/api/whatsapp-meta`: sending, and the templates; `/api/suppressions`.

pub(crate) mod content;
mod products;
pub(crate) mod suppressions;
pub(crate) mod templates;

use api_http::{
    ApiError, Caller, Given, Input, PhoneText, Reply, Required, Result, account_of_token, idempotent_send,
    request,
};
use axum::extract::State;
use axum::response::Response;
use domain::CallingCode;
use domain::phone::LeftOut;
use domain::sender::SenderId;
use messaging::messages::{Outgoing, Sent};
use messaging::{Services, catalogs, messages};
use serde::Serialize;

use content::{ContentFields, Said};

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    message_id: String,
    id: String,
    /// What of `number` was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

impl Answer {
    fn new(sent: Sent, left_out: Option<LeftOut>) -> Self {
        let warning = left_out.map(LeftOut::as_str);
        Self { status: "success", message_id: sent.provider_id, id: sent.id.to_string(), warning }
    }
}

request! {
    /// `POST /api/whatsapp-meta/send`
    pub(crate) struct SendMessage(content: ContentFields) {
        token: Required<String> = named("token"),
        number: Required<PhoneText> = named("number"),
        sender: Given<SenderId> = named("sender"),
        country: Given<CallingCode> = named("country"),
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
        let SendMessage { content, token, number, sender, country } = input.read();
        let account = account_of_token(store, &caller, token).await?;
        let country = country.get()?.or(account.default_country);
        let (to, left_out) = number.get()?.recipient(country)?;
        let content = match content.get()? {
            Said::Content(content) => content,
            Said::Products(shown) => catalogs::show(&services, caller.tenant_id(), &account, shown).await?,
        };
        let new = Outgoing { to, content, sender: sender.get()?, is_secret: false };
        let sent = messages::send(&services, &caller, &account, new, send).await;
        let sent = sent.map_err(|error| ApiError(error).renamed("to", "number"))?;
        Ok(Reply::<200, Answer>(Answer::new(sent, left_out)))
    };
    idempotent_send(store, &caller, &input, work).await
}
