//! `/v1/send_custom_channel_message`

use api_http::{
    Caller, CustomData, CustomPerson, CustomText, Given, Input, Reply, Result, idempotent_send,
    in_custom_data, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::channel::MAX_NAME;
use domain::message::MAX_TEXT;
use messaging::Services;
use messaging::custom::{self, CustomMessage, CustomSent};
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

impl From<CustomSent> for Answer {
    fn from(sent: CustomSent) -> Self {
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

request! {
    /// `POST /v1/send_custom_channel_message`
    pub(crate) struct SendFields(person: CustomPerson) {
        custom_channel: Given<CustomText> =
            named("customChannel" | "custom_channel").required().max_length(MAX_NAME),
        body: Given<CustomText> = named("body").required().max_length(MAX_TEXT),
        campaign_id: Given<CustomText> = named("campaignId" | "campaign_id"),
    }
}

/// `POST /v1/send_custom_channel_message`
pub(crate) async fn send_custom_channel_message(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<CustomData<SendFields>>,
) -> Result<Response> {
    let work = async |send| {
        let SendFields { person, custom_channel, body, campaign_id } = input.read().get()?;
        CustomText::require(&[person.from_id(), &custom_channel, &body])?;
        let new = CustomMessage {
            channel: custom_channel.needed_text()?,
            to: person.get()?,
            body: body.needed_text()?,
            campaign: campaign_id.text()?,
        };
        let sent = custom::send(&services, &caller, new, send).await.map_err(in_custom_data)?;
        Ok(Reply::<200, Answer>(sent.into()))
    };
    idempotent_send(&services.store, &caller, &input, work).await
}
