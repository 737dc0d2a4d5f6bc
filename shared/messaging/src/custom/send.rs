//! Single messages over custom channels.

use channels::Regarding;
use domain::channel::ChannelName;
use domain::contact::Contact;
use domain::message::Content;
use domain::sender::SenderId;
use domain::{AccountId, CampaignId, ContactId, MessageId};

use crate::messages::{New, deliver};
use crate::{Services, routes};
use ops::custom::{PlatformPerson, campaign, unknown_channel};
use ops::eligibility::{By, MessageTarget, Terms};
use ops::events::EventPublisher;
use ops::{Caller, Result, SendRequest, credits};

/// A message to somebody on a channel.
#[derive(Clone)]
pub struct CustomMessage {
    /// The channel's name.
    pub channel: String,
    /// Whom it is for.
    pub to: PlatformPerson,
    /// What it says.
    pub body: String,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

impl std::fmt::Debug for CustomMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomMessage").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// A message that a channel took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomSent {
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

/// Sends a message over a custom channel now, under this id of ours. Whoever it is for
/// becomes a contact.
///
/// # Errors
/// [`ops::Code::NotFound`] names `custom_channel` or `campaign_id`; [`ops::Code::InvalidField`]
/// names `message`; otherwise as [`crate::messages::send`].
pub async fn send(
    services: &Services,
    caller: &Caller,
    new: CustomMessage,
    request: SendRequest,
) -> Result<CustomSent> {
    let (store, tenant, publisher) = (&services.store, caller.tenant_id(), &EventPublisher::from(services));
    let content = Content::Text { body: new.body };
    content.check()?;
    let id = request.id;
    let unknown = || unknown_channel(&new.channel);
    let key: ChannelName = new.channel.parse().map_err(|_| unknown())?;
    let route = routes::resolve(services, tenant, &SenderId::custom(&key)).await?.ok_or_else(unknown)?;
    let campaign = campaign(store, tenant, new.campaign.as_deref()).await?;
    let address = new.to.address(&key);
    let terms = Terms::new(&route.sender.channel, AccountId::NONE, true, None, By::Request);
    let person = MessageTarget { address: Some(&address), contact: None };
    if let Some(bar) = terms.ask(store, tenant, &[person]).await?.into_iter().flatten().next() {
        return Err(bar.into());
    }
    let earlier = request.earlier(store, tenant, AccountId::NONE).await?;
    let contact = new.to.contact(publisher, tenant, &key, caller.tenant.plan.contacts).await?;
    let channel = route.sender.name.clone();
    if let Some(provider_id) = earlier.and_then(|message| message.progress.provider_id) {
        return Ok(CustomSent { id, provider_id, contact: contact.id, channel, campaign });
    }
    let new = New {
        id,
        account: AccountId::NONE,
        contact: Some(contact.id),
        campaign,
        address,
        content,
        regarding: regarding(&contact, campaign),
        is_secret: false,
    };
    let turn = store.turn(tenant, &route.sender.id).await?;
    let payment = credits::payment(&caller.tenant, (&route.sender.channel, None), None);
    let provider_id = deliver(services, caller, &route, new, (turn, payment)).await?.provider_id;
    Ok(CustomSent { id, provider_id, contact: contact.id, channel, campaign })
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
