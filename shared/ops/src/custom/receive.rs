//! What people write on custom channels.

use domain::channel::{Channel, ChannelName, CustomChannel};
use domain::outcome::Reason;
use domain::recipient::Status;
use domain::sender::SenderId;
use domain::{AccountId, CampaignId, ContactId, Invalid, TenantId};
use serde_json::json;
use store::messages::Message;

use super::report::report;
use super::{PlatformPerson, campaign};
use crate::events::EventPublisher;
use crate::flows::listen_later;
use crate::receiving::{Heard, Setting, Told};
use crate::{Error, Result};

/// Where messages go that name no channel, while none or several are registered.
const DEFAULT_LABEL: &str = "custom";
/// Longest text of a message, in characters.
const MAX_BODY: usize = 16_384;

/// What kind of message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceivedKind {
    /// Text.
    Text,
    /// An emoji on another message; without one, the reaction was taken back.
    Reaction,
}

impl ReceivedKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Reaction => "reaction",
        }
    }
}

/// A message that a platform reports.
#[derive(Clone)]
pub struct Incoming {
    /// The platform's id of it.
    pub id: String,
    /// Who wrote it.
    pub from: PlatformPerson,
    /// To whom, in the platform's words.
    pub to: String,
    /// What it says.
    pub body: Option<String>,
    /// The registered channel that it came by.
    pub custom_channel: Option<String>,
    /// Where it came from, in the platform's words.
    pub label: Option<String>,
    /// How it stands.
    pub status: Option<String>,
    /// What kind of message.
    pub kind: ReceivedKind,
    /// The message that a reaction is on.
    pub reaction_to: Option<String>,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Our id of the message; of a campaign's, its reference.
    pub id: String,
    /// Who wrote it, or got it.
    pub contact: Option<ContactId>,
    /// The channel that it belongs to.
    pub channel: String,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// Where it stands.
    pub status: &'static str,
    /// Whether it had come before.
    pub duplicate: bool,
}

impl Received {
    pub(super) fn new(message: &Message, status: &'static str, duplicate: bool) -> Self {
        Self {
            id: message.id.to_string(),
            contact: message.contact,
            channel: message.channel.to_string(),
            campaign: message.campaign,
            status,
            duplicate,
        }
    }

    fn inbound(message: &Message, duplicate: bool) -> Self {
        Self::new(message, "received", duplicate)
    }
}

/// Takes a message in: its writer becomes a contact, whatever the plan's limit; the
/// window opens, a keyword takes effect, the message joins the conversation, and
/// endpoints are told. Once for each channel and id, however often it comes. A status
/// of one of our own messages moves that one on instead.
///
/// # Errors
/// [`crate::Code::NotFound`] names `custom_channel` or `campaign_id`;
/// [`crate::Code::InvalidField`] names `channel` or `body`.
pub async fn receive(publisher: &EventPublisher, tenant: &TenantId, new: Incoming) -> Result<Received> {
    let store = &publisher.store;
    let channel = channel_of(&store.channels(tenant).await?, &new)?;
    if let Some(status) = new.status.as_deref().and_then(read_status)
        && let Some(moved) = report(publisher, tenant, &channel, &new.id, status).await?
    {
        return Ok(moved);
    }
    check_body(&new)?;
    let heard = Heard {
        account: AccountId::NONE,
        policy: None,
        sender: Some(SenderId::custom(&channel)),
        channel: Channel::Custom(channel.clone()),
        provider_id: &new.id,
        addresses: vec![new.from.address(&channel)],
        campaign: campaign(store, tenant, new.campaign.as_deref()).await?,
        kind: new.kind.as_str(),
        text: new.body.as_deref(),
        setting: Setting::Private,
        content: content_of(&new),
        said_ms: None,
        rewritten: None,
    };
    if let Some(known) = heard.known(store, tenant).await? {
        listen_later(publisher, tenant, &known).await?;
        return Ok(Received::inbound(&known, true));
    }
    let contact = new.from.contact(publisher, tenant, &channel, None).await?;
    let taken = heard.take(publisher, tenant, &contact, Told::ByOutbox).await?;
    let (message, duplicate) = taken.ok_or(store::Error::Contended)?;
    listen_later(publisher, tenant, &message).await?;
    Ok(Received::inbound(&message, duplicate))
}

/// The channel of a message: the one that it names; or the registered one that its
/// label names; or the only one that is registered; or its label.
fn channel_of(registered: &[CustomChannel], new: &Incoming) -> Result<ChannelName> {
    let known = |key: &ChannelName| registered.iter().any(|channel| channel.key == *key);
    if let Some(name) = &new.custom_channel {
        let key = name.parse().ok().filter(|key| known(key));
        return key.ok_or_else(|| unknown_channel(name));
    }
    let label = new.label.as_deref().unwrap_or(DEFAULT_LABEL);
    let wrong = |wrong: Invalid| Error::invalid("channel", wrong.message.replacen("name", "channel", 1));
    // A channel of ours is no custom one, whatever the platform calls where it came from.
    let label = if Channel::ours(label).is_some() { DEFAULT_LABEL } else { label };
    let label: ChannelName = label.parse().map_err(wrong)?;
    match registered {
        [only] if !known(&label) => Ok(only.key.clone()),
        _ => Ok(label),
    }
}

/// The refusal of a channel that nobody registered.
pub fn unknown_channel(name: &str) -> Error {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(domain::channel::MAX_NAME).collect();
    Error::not_found("custom_channel", format!("there is no custom channel named `{shown}`"))
}

fn read_status(text: &str) -> Option<Status> {
    match text.trim().to_ascii_lowercase().as_str() {
        "sent" => Some(Status::Sent),
        "delivered" => Some(Status::Delivered),
        "read" => Some(Status::Read),
        "failed" => Some(Status::Failed(Reason::custom("reported"))),
        _ => None,
    }
}

fn check_body(new: &Incoming) -> Result<()> {
    match &new.body {
        None if new.kind == ReceivedKind::Text && new.status.as_deref().and_then(read_status).is_some() => {
            Err(Error::not_found("message_sid", "there is no message of yours with this id"))
        }
        None if new.kind == ReceivedKind::Text => Err(Error::invalid("body", "body is required")),
        Some(body) if body.chars().count() > MAX_BODY => {
            Err(Error::invalid("body", format!("body may have at most {MAX_BODY} characters")))
        }
        None | Some(_) => Ok(()),
    }
}

/// The message as the platform wrote it.
fn content_of(new: &Incoming) -> String {
    let content = json!({
        "messageSid": new.id,
        "fromId": new.from.id,
        "toId": new.to,
        "channel": new.label,
        "status": new.status,
        "messageType": new.kind.as_str(),
        "reactionTo": new.reaction_to,
    });
    content.to_string()
}
