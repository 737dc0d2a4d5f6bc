//! `/v1/incoming_custom_channel_message`

use api_http::{
    Caller, CustomData, CustomPerson, CustomText, Given, Input, Reply, Result, in_custom_data, request,
};
use axum::extract::State;
use domain::Invalid;
use domain::channel::{MAX_FOREIGN_ID, MAX_NAME};
use ops::custom::{self, Incoming, Received, ReceivedKind};
use ops::events::EventPublisher;
use serde::Serialize;

/// The contract does not say what is answered: this is what its clients look for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    success: bool,
    id: String,
    message_id: String,
    contact_id: Option<String>,
    channel: String,
    campaign_id: Option<String>,
    status: &'static str,
    duplicate: bool,
}

impl From<Received> for Answer {
    fn from(received: Received) -> Self {
        Self {
            success: true,
            id: received.id.clone(),
            message_id: received.id,
            contact_id: received.contact.map(|contact| contact.to_string()),
            channel: received.channel,
            campaign_id: received.campaign.map(|campaign| campaign.to_string()),
            status: received.status,
            duplicate: received.duplicate,
        }
    }
}

request! {
    /// `POST /v1/incoming_custom_channel_message`
    pub(crate) struct ReceiveFields(person: CustomPerson, reaction_to: ReactionTo) {
        message_sid: Given<CustomText> =
            named("messageSid" | "message_sid").max_length(MAX_FOREIGN_ID),
        id: Given<CustomText> = named("id").max_length(MAX_FOREIGN_ID),
        to_id: Given<CustomText> = named("toId" | "to_id").required().max_length(MAX_FOREIGN_ID),
        body: Given<CustomText> = named("body").max_length(16_384),
        custom_channel: Given<CustomText> =
            named("customChannel" | "custom_channel").max_length(MAX_NAME),
        channel: Given<CustomText> = named("channel").max_length(MAX_NAME),
        status: Given<CustomText> = named("status"),
        message_type: Given<CustomText> =
            named("messageType" | "message_type").one_of(&["text", "reaction"]),
        campaign_id: Given<CustomText> = named("campaignId" | "campaign_id"),
    }
}

/// `POST /v1/incoming_custom_channel_message`
pub(crate) async fn receive(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<CustomData<ReceiveFields>>,
) -> Result<Reply<200, Answer>> {
    let data = input.read().get()?;
    let is_id = !data.message_sid.is_given()? && data.id.is_given()?;
    let sid = if is_id { data.id } else { data.message_sid };
    CustomText::require(&[&sid, data.person.from_id(), &data.to_id])?;
    let new = Incoming {
        id: sid.foreign_id()?,
        from: data.person.get()?,
        to: data.to_id.foreign_id()?,
        body: data.body.text()?,
        custom_channel: data.custom_channel.text()?,
        label: data.channel.text()?,
        status: data.status.text()?,
        kind: kind(data.message_type)?,
        reaction_to: data.reaction_to.get()?,
        campaign: data.campaign_id.text()?,
    };
    let received = custom::receive(&publisher, caller.tenant_id(), new).await.map_err(in_custom_data)?;
    Ok(Reply(received.into()))
}

fn kind(message_type: Given<CustomText>) -> Result<ReceivedKind> {
    let kind = message_type.text()?.map(|kind| kind.trim().to_ascii_lowercase());
    match kind.as_deref() {
        None | Some("text") => Ok(ReceivedKind::Text),
        Some("reaction") => Ok(ReceivedKind::Reaction),
        Some(_) => Err(Invalid::new("messageType", "messageType must be text or reaction").into()),
    }
}

request! {
    /// The message that a reaction is on: the contract does not name it.
    pub(crate) struct ReactionTo {
        reaction_to: Given<CustomText> = named("reactionTo" | "reaction_to").max_length(MAX_FOREIGN_ID),
        reaction_message_sid: Given<CustomText> =
            named("reactionMessageSid" | "reaction_message_sid").max_length(MAX_FOREIGN_ID),
        target_message_sid: Given<CustomText> =
            named("targetMessageSid" | "target_message_sid").max_length(MAX_FOREIGN_ID),
        reply_to: Given<CustomText> = named("replyTo" | "reply_to").max_length(MAX_FOREIGN_ID),
    }
}

impl ReactionTo {
    fn get(self) -> Result<Option<String>> {
        let Self { reaction_to, reaction_message_sid, target_message_sid, reply_to } = self;
        for id in [reaction_to, reaction_message_sid, target_message_sid, reply_to] {
            if id.is_given()? {
                return Ok(Some(id.foreign_id()?));
            }
        }
        Ok(None)
    }
}
