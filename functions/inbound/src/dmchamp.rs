//! `/v1/incoming_custom_channel_message`

use api_http::{Caller, CustomData, Input, Reply, Result};
use axum::extract::State;
use domain::Invalid;
use ops::custom::{self, Incoming, Kind, Received};
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

/// `POST /v1/incoming_custom_channel_message`
pub(crate) async fn receive(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Answer>> {
    let data = CustomData::of(&input)?;
    let sid =
        if data.text("messageSid")?.is_none() && data.text("id")?.is_some() { "id" } else { "messageSid" };
    data.require(&[sid, "fromId", "toId"])?;
    let new = Incoming {
        id: data.foreign_id(sid)?,
        from: data.person()?,
        to: data.foreign_id("toId")?,
        body: data.text("body")?,
        custom_channel: data.text("customChannel")?,
        label: data.text("channel")?,
        status: data.text("status")?,
        kind: kind(&data)?,
        reaction_to: reaction_to(&data)?,
        campaign: data.text("campaignId")?,
    };
    let received = custom::receive(&publisher, caller.tenant_id(), new).await.map_err(CustomData::named)?;
    Ok(Reply(received.into()))
}

fn kind(data: &CustomData) -> Result<Kind> {
    let kind = data.text("messageType")?.map(|kind| kind.trim().to_ascii_lowercase());
    match kind.as_deref() {
        None | Some("text") => Ok(Kind::Text),
        Some("reaction") => Ok(Kind::Reaction),
        Some(_) => Err(Invalid::new("messageType", "messageType must be text or reaction").into()),
    }
}

/// The contract does not name the message that a reaction is on.
fn reaction_to(data: &CustomData) -> Result<Option<String>> {
    for name in ["reactionTo", "reactionMessageSid", "targetMessageSid", "replyTo"] {
        if data.text(name)?.is_some() {
            return Ok(Some(data.foreign_id(name)?));
        }
    }
    Ok(None)
}
