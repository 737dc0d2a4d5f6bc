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
use super::edition::{Edition, Original};
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
        addresses: addresses(inbound.phone, inbound.user_id),
        campaign: None,
        kind: inbound.kind,
        text: inbound.text,
        setting,
        content: raw.to_string(),
        said_ms: inbound.at_ms,
        rewritten: None,
    };
    let told = |message: &Message| (setting != Setting::Notice).then(|| message_received(tenant, message));
    let publisher = &EventPublisher::from(services);
    if let Some(known) = heard.known(store, tenant).await? {
        if known.rewritten.is_some() {
            // Its edition may have come first: what it said itself was said as well.
            heard.obey(publisher, tenant).await?;
        }
        return Ok(told(&known).into_iter().collect());
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
    Ok(taken.and_then(|(message, _)| told(&message)).into_iter().collect())
}
