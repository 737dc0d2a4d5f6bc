//! What people write to us.

use domain::channel::Channel;
use domain::webhook::Event;
use ops::Result;
use ops::events::{EventPublisher, message_received};
use ops::receiving::{Heard, Setting, Told};
use queue::Unacknowledged;
use serde_json::Value;
use store::messages::Message;

use super::change::Change;
use super::edition::Edition;
use super::people::{notice, sender_of};
use super::preferences::addresses;
use super::wire::{InboundMessage, list, number_of};
use crate::Services;

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
    let mut heard = Heard {
        account: change.account,
        channel: Channel::Whatsapp,
        sender: number_of(change.value),
        provider_id: inbound.provider_id,
        addresses: Vec::new(),
        campaign: None,
        kind: inbound.kind,
        text: inbound.text,
        setting,
        content: raw.to_string(),
        said_ms: inbound.at_ms,
    };
    let told = |message: &Message| (setting != Setting::Notice).then(|| message_received(tenant, message));
    if let Some(known) = heard.known(store, tenant).await? {
        return Ok(told(&known).into_iter().collect());
    }
    if let Some(edition) = Edition::read(raw)
        && edition.apply(store, tenant, inbound.at_ms).await?
    {
        heard.addresses = addresses(inbound.phone, inbound.user_id);
        heard.obey(&EventPublisher::from(services), tenant).await?;
        return Ok(Vec::new());
    }
    let contact = match setting {
        Setting::Notice => notice(services, change, raw).await?,
        Setting::Private | Setting::Group => Some(sender_of(services, change, &inbound, raw).await?),
    };
    // Nothing is to be said about a stranger.
    let Some(contact) = contact else { return Ok(Vec::new()) };
    heard.addresses = match setting {
        Setting::Notice => contact.addresses(),
        Setting::Private | Setting::Group => addresses(inbound.phone, inbound.user_id),
    };
    let taken = heard.take(&EventPublisher::from(services), tenant, &contact, Told::ByJob(cause)).await?;
    Ok(taken.and_then(|(message, _)| told(&message)).into_iter().collect())
}
