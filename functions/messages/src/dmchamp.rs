//! `/v1/send_custom_channel_message`

use api_http::{Caller, CustomData, Input, Reply, Result, idempotent_send};
use axum::extract::State;
use axum::response::Response;
use messaging::Services;
use messaging::custom::{self, Outgoing, Sent};
use serde::Serialize;

/// The contract does not say what is answered: this is what its clients look for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    success: bool,
    id: String,
    message_id: String,
    /// The platform's id; ours, when it said none.
    external_id: String,
    contact_id: String,
    custom_channel: String,
    campaign_id: Option<String>,
    status: &'static str,
}

impl From<Sent> for Answer {
    fn from(sent: Sent) -> Self {
        Self {
            success: true,
            id: sent.id.to_string(),
            message_id: sent.id.to_string(),
            external_id: sent.provider_id,
            contact_id: sent.contact.to_string(),
            custom_channel: sent.channel,
            campaign_id: sent.campaign.map(|campaign| campaign.to_string()),
            // The channel took it: more is not known.
            status: "accepted",
        }
    }
}

/// `POST /v1/send_custom_channel_message`
pub(crate) async fn send_custom_channel_message(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Response> {
    let work = async |send| {
        let data = CustomData::of(&input)?;
        data.require(&["fromId", "customChannel", "body"])?;
        let new = Outgoing {
            channel: data.required("customChannel")?,
            to: data.person()?,
            body: data.required("body")?,
            campaign: data.text("campaignId")?,
        };
        let sent = custom::send(&services, &caller, new, send).await.map_err(CustomData::named)?;
        Ok(Reply::<200, Answer>(sent.into()))
    };
    idempotent_send(&services.store, &caller, &input, work).await
}
