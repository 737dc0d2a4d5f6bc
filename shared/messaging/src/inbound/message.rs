//! What people write to us.

use domain::channel::Channel;
use domain::contact::{Contact, NewContact};
use domain::webhook::Event;

use super::change::Change;
use super::preferences::addresses;
use queue::Unacknowledged;

use super::wire::{InboundMessage, list, number_of};
use crate::Services;
use ops::Result;
use ops::contacts::upsert;
use ops::events::{EventPublisher, message_received};
use ops::receiving::{Heard, Told};

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
    // Meta's own notices have no sender to answer.
    if inbound.kind == "system" || (inbound.phone.is_none() && inbound.user_id.is_none()) {
        return Ok(Vec::new());
    }
    let content = list(change.value, "messages").get(nth).map(ToString::to_string);
    let received = Heard {
        account: change.account,
        channel: Channel::Whatsapp,
        sender: number_of(change.value),
        provider_id: inbound.provider_id,
        addresses: addresses(inbound.phone, inbound.user_id),
        campaign: None,
        kind: inbound.kind,
        text: inbound.text,
        content: content.unwrap_or_default(),
        said_ms: inbound.at_ms,
    };
    if let Some(known) = received.known(store, tenant).await? {
        return Ok(vec![message_received(tenant, &known)]);
    }
    let contact = sender_of(services, change, &inbound).await?;
    let taken = received.take(&EventPublisher::from(services), tenant, &contact, Told::ByJob(cause)).await?;
    Ok(taken.map(|(message, _)| message_received(tenant, &message)).into_iter().collect())
}

/// The contact behind an inbound message. Nobody who writes to us is turned away
/// by a plan's limit.
async fn sender_of(
    services: &Services,
    change: &Change<'_>,
    inbound: &InboundMessage<'_>,
) -> Result<Contact> {
    let store = &services.store;
    let mut new = NewContact {
        phone: inbound.phone.and_then(|p| p.parse().ok()),
        bsuid: inbound.user_id.map(str::to_owned),
        origin: Some(change.account),
        ..NewContact::default()
    };
    let known = match new.identities().first() {
        Some(identity) => store.contact_by(change.tenant, identity).await?,
        None => None,
    };
    // The name that the business gave stays; the profile's is for newcomers.
    if known.as_ref().is_none_or(|c| c.name.is_none()) {
        new.name = inbound.name.map(|n| n.chars().take(255).collect());
    }
    match known {
        Some(contact) if new.name.is_none() && (new.bsuid.is_none() || contact.bsuid.is_some()) => {
            Ok(contact)
        }
        Some(_) | None => {
            let upserted =
                upsert(&EventPublisher::from(services), change.tenant, None, &new.check()?).await?;
            Ok(upserted.contact)
        }
    }
}
