//! `/api/whatsapp-meta`: sending, and the templates; `/api/suppressions`.

mod content;
pub(crate) mod suppressions;
pub(crate) mod templates;

use api_http::{Caller, Input, Reply, Result, account_of_token, idempotent_send};
use axum::extract::State;
use axum::response::Response;
use messaging::messages::{Outgoing, Sent};
use messaging::{Services, messages};
use serde::Serialize;

use content::content;

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

/// `POST /api/whatsapp-meta/send`
pub(crate) async fn send(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    let (store, fields) = (&services.store, input.fields());
    let work = async |send| {
        let account = account_of_token(store, &caller, fields).await?;
        let to = fields.required_phone("number", account.default_country)?;
        let new = Outgoing { to, content: content(fields)?, sender: fields.sender()? };
        let sent = messages::send(&services, &caller, &account, new, send).await?;
        Ok(Reply::<200, Answer>(sent.into()))
    };
    idempotent_send(store, &caller, &input, work).await
}
