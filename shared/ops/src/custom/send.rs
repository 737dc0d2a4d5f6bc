use channels::custom::{Line, Regarding};
use domain::channel::{ChannelName, CustomChannel};
use domain::contact::Contact;
use domain::message::Content;
use domain::provider::{Action, Outcome, ProviderError, action};
use domain::recipient::{Progress, State};
use domain::webhook::SigningSecret;
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use serde_json::json;
use store::Store;
use store::messages::Message;

use super::registry::unknown_channel;
use super::{Person, campaign};
use crate::delivery::dispatch;
use crate::events::Teller;
use crate::messages::{Send, count, wait_for_slot};
use crate::{Caller, Code, Error, Result, Services};

/// A message to somebody on a channel.
#[derive(Clone)]
pub struct Outgoing {
    /// The channel's name.
    pub channel: String,
    /// Whom it is for.
    pub to: Person,
    /// What it says.
    pub body: String,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// A message that a channel took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Our id.
    pub id: MessageId,
    /// The platform's id; ours, when it said none.
    pub provider_id: String,
    /// Who gets it.
    pub contact: ContactId,
    /// The channel's name.
    pub channel: String,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
}

/// Sends a message over a custom channel now, under this id of ours. Whoever it is for becomes a contact.
///
/// # Errors
/// [`Code::NotFound`] names `custom_channel` or `campaign_id`; [`Code::InvalidField`]
/// names `message`; [`Code::OptedOut`]; [`Code::PlanLimit`]; what the channel answered
/// as [`Code::ProviderRejected`], [`Code::ProviderThrottled`] or
/// [`Code::ProviderUnavailable`]; [`Code::ProviderTimeout`] with our id when nobody knows.
pub async fn send(services: &Services, caller: &Caller, new: Outgoing, request: Send) -> Result<Sent> {
    let (store, tenant) = (&services.store, caller.tenant_id());
    let teller = &Teller::from(services);
    let content = Content::Text { body: new.body };
    content.check()?;
    let id = request.id;
    let (channel, secret) = find(store, tenant, &new.channel).await?;
    let campaign = campaign(store, tenant, new.campaign.as_deref()).await?;
    let address = new.to.address(&channel.key);
    if !store.opted_out(tenant, std::slice::from_ref(&address)).await?.is_empty() {
        return Err(Error::new(Code::OptedOut, "the recipient has opted out of messages"));
    }
    let earlier = request.earlier(store, tenant, AccountId::NONE).await?;
    let contact = new.to.contact(teller, tenant, &channel.key, caller.tenant.plan.contacts).await?;
    if let Some(provider_id) = earlier.and_then(|message| message.progress.provider_id) {
        return Ok(Sent { id, provider_id, contact: contact.id, channel: channel.name, campaign });
    }
    let busy = "the channel gets as many messages as it may: try again";
    let slot = format!("custom:{}", channel.key);
    wait_for_slot(store, tenant, &slot, f64::from(channel.per_second), busy).await?;
    count(store, caller).await?;
    let message = Message {
        id,
        account: AccountId::NONE,
        channel: Some(channel.key.to_string()),
        campaign,
        contact: Some(contact.id),
        inbound: false,
        address,
        kind: "text".to_owned(),
        text: content.text().map(str::to_owned),
        content: json!({"body": content.text()}).to_string(),
        progress: Progress::new(State::Claimed),
    };
    let (client, now) = (&services.outbound, store.clock().now());
    let regarding = regarding(&contact, campaign);
    let line = Line { client, channel: &channel, secret: &secret, now, regarding };
    let outcome = dispatch(teller, tenant, &message, &content, &line).await?;
    let provider_id = accepted(outcome).map_err(|error| error.about(message.id))?;
    Ok(Sent { id: message.id, provider_id, contact: contact.id, channel: channel.name, campaign })
}

async fn find(store: &Store, tenant: &TenantId, name: &str) -> Result<(CustomChannel, SigningSecret)> {
    let unknown = || unknown_channel(name);
    let key: ChannelName = name.parse().map_err(|_| unknown())?;
    store.channel_with_secret(tenant, &key).await?.ok_or_else(unknown)
}

fn regarding(contact: &Contact, campaign: Option<CampaignId>) -> Regarding {
    let (first, last) = contact.split_name();
    let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Regarding {
        contact: Some(contact.id),
        first_name: given(first),
        last_name: given(last),
        email: contact.email.clone(),
        campaign,
    }
}

/// The platform's id, or why there is none.
fn accepted(outcome: Outcome) -> Result<String> {
    match outcome {
        Outcome::Accepted(acceptance) => Ok(acceptance.provider_id),
        Outcome::Refused(refusal) => Err(refused(&refusal)),
        Outcome::Unreachable => {
            let message = "the channel's url could not be reached: nothing was sent";
            Err(Error::new(Code::ProviderUnavailable, message).after(5))
        }
        Outcome::Ambiguous => {
            let message =
                "the channel gave no clear answer: the message may have been taken, its state is unknown";
            Err(Error::new(Code::ProviderTimeout, message))
        }
    }
}

fn refused(refusal: &ProviderError) -> Error {
    let message = format!("the message was not taken: {}", refusal.details);
    match action(refusal, 1) {
        Action::Retry { delay, .. } => {
            let throttled = matches!(refusal.http_status, 429 | 503);
            let code = if throttled { Code::ProviderThrottled } else { Code::ProviderUnavailable };
            Error::new(code, message).after(delay.as_secs())
        }
        Action::Permanent | Action::OptOut | Action::PauseCampaign | Action::StopChannel => {
            Error::new(Code::ProviderRejected, message)
        }
    }
}
