//! What people write to us.

use domain::TenantId;
use domain::account::{Account, ContactPolicy};
use domain::channel::Channel;
use domain::contact::Contact;
use domain::webhook::Event;
use ops::Result;
use ops::events::{EventPublisher, message_received};
use ops::receiving::{Heard, Setting, Told};
use queue::Unacknowledged;
use serde_json::Value;
use store::Store;
use store::messages::Message;

use super::change::Change;
use super::edition::{Edition, Original};
use super::people::{notice, sender_of};
use super::preferences::addresses;
use super::wire::{InboundMessage, list, number_of, tapped};
use crate::flows::{self, Spoken};
use crate::{Services, orders};

/// An inbound message: its sender becomes a contact, and it is taken in. Once for each
/// provider id, however often it comes; its events are the same each time.
pub(super) async fn message(
    services: &Services,
    cause: Unacknowledged<'_>,
    change: &Change<'_>,
    nth: usize,
) -> Result<Vec<Event>> {
    let (store, tenant) = (&services.store, change.tenant);
    let Some(inbound) = InboundMessage::read(change.value, nth) else { return Ok(Vec::new()) };
    let raw = list(change.value, "messages").get(nth).unwrap_or(&Value::Null);
    let setting = match inbound.kind {
        "system" => Setting::Notice,
        _ if inbound.in_group => Setting::Group,
        _ => Setting::Private,
    };
    if inbound.phone.is_none() && inbound.user_id.is_none() {
        return Ok(Vec::new());
    }
    let account = store.account(tenant, change.account).await?;
    let policy = account.as_ref().map_or_else(ContactPolicy::default, |account| account.policy.clone());
    let mut heard = Heard { policy: Some(&policy), ..of(change, &inbound, (setting, raw)) };
    let publisher = &EventPublisher::from(services);
    let (account, said) = (account.as_ref(), raw);
    if let Some(known) = heard.known(store, tenant).await? {
        let events = told(store, tenant, setting, &known).await?;
        again(services, tenant, account, (&heard, said), &known).await?;
        return Ok(events);
    }
    let edition = Edition::read(raw);
    if let Some(edition) = &edition {
        match edition.apply(store, tenant, &heard).await? {
            Original::Rewritten => {
                heard.obey(publisher, tenant).await?;
                return Ok(Vec::new());
            }
            Original::Unknown => heard = edition.instead(store, heard),
            Original::OfAnother => {}
        }
    }
    let contact = match setting {
        Setting::Notice => notice(services, change, raw).await?,
        Setting::Private | Setting::Group => Some(sender_of(services, change, &inbound, raw).await?),
    };
    // Nothing is to be said about a stranger.
    let Some(contact) = contact else { return Ok(Vec::new()) };
    if setting == Setting::Notice {
        heard.addresses = contact.addresses();
    }
    let taken = heard.take(publisher, tenant, &contact, Told::ByJob(cause)).await?;
    if let (Some((_, true)), Some(edition)) = (&taken, &edition) {
        // The earlier message was faster after all.
        edition.apply(store, tenant, &heard).await?;
    }
    let Some((message, is_copy)) = taken else { return Ok(Vec::new()) };
    let events = told(store, tenant, setting, &message).await?;
    tell_flows(services, tenant, account, (&heard, said), (&contact, &message, is_copy)).await?;
    Ok(events)
}

/// What is told of a message that was taken in: itself, and what it orders.
async fn told(store: &Store, tenant: &TenantId, setting: Setting, message: &Message) -> Result<Vec<Event>> {
    if setting == Setting::Notice {
        return Ok(Vec::new());
    }
    let order = orders::received(store, tenant, message).await?;
    Ok([message_received(tenant, message)].into_iter().chain(order).collect())
}

/// A message as it is taken in.
fn of<'a>(change: &Change<'a>, inbound: &InboundMessage<'a>, (setting, raw): (Setting, &Value)) -> Heard<'a> {
    Heard {
        account: change.account,
        policy: None,
        channel: Channel::Whatsapp,
        sender: number_of(change.value),
        provider_id: inbound.provider_id,
        addresses: addresses(inbound.phone, inbound.user_id),
        campaign: None,
        kind: inbound.kind,
        text: inbound.text,
        setting,
        content: raw.to_string(),
        said_ms: inbound.at_ms,
        rewritten: None,
    }
}

/// A message that came before: whoever took it in may have broken off before the rest was done.
async fn again(
    services: &Services,
    tenant: &TenantId,
    account: Option<&Account>,
    (heard, raw): (&Heard<'_>, &Value),
    known: &Message,
) -> Result<()> {
    if known.rewritten.is_some() {
        // Its edition may have come first: what it said itself was said as well.
        return heard.obey(&EventPublisher::from(services), tenant).await;
    }
    let Some(id) = known.contact else { return Ok(()) };
    let Some(contact) = services.store.contact(tenant, id).await? else { return Ok(()) };
    tell_flows(services, tenant, account, (heard, raw), (&contact, known, true)).await
}

/// Lets flows hear a message. What is said to a group, or to nobody, is not for them.
async fn tell_flows(
    services: &Services,
    tenant: &TenantId,
    account: Option<&Account>,
    (heard, raw): (&Heard<'_>, &Value),
    (contact, message, is_copy): (&Contact, &Message, bool),
) -> Result<()> {
    let is_meant = heard.setting == Setting::Private && message.rewritten.is_none();
    let (Some(policy), Some(sender)) = (heard.policy.filter(|_| is_meant), heard.sender.clone()) else {
        return Ok(());
    };
    let spoken = Spoken {
        tenant,
        account,
        sender,
        contact,
        to: message.address.clone(),
        provider_id: heard.provider_id,
        kind: heard.kind,
        text: heard.text,
        reply_id: tapped(raw),
        at_ms: message.progress.delivered_at.unwrap_or_else(|| message.id.timestamp_ms()),
        keyword: heard.keyword(policy),
        replies_to: raw.pointer("/context/id").and_then(Value::as_str),
        is_copy,
        vars: orders::vars(message),
    };
    Box::pin(flows::hear(services, spoken)).await
}
