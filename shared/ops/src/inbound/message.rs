//! What people write to us.

use domain::MessageId;
use domain::channel::Channel;
use domain::consent::{Keyword, keyword};
use domain::contact::{Contact, NewContact};
use domain::message::Address;
use domain::recipient::{Progress, State};
use domain::webhook::Event;
use store::messages::Message;

use super::preferences::addresses;
use super::process::Change;
use super::wire::{InboundMessage, list, number_of};
use crate::answering::Question;
use crate::contacts::upsert;
use crate::events::{Teller, message_received};
use crate::suppression::{Occasion, Source, heed};
use crate::{Result, Services};

/// An inbound message: its sender becomes a contact, the window opens, the
/// message joins the conversation, and a keyword takes effect. Once for each
/// provider id, however often it comes; its events are the same each time.
pub(super) async fn message(services: &Services, change: &Change<'_>, nth: usize) -> Result<Vec<Event>> {
    let (store, tenant) = (&services.store, change.tenant);
    let Some(inbound) = InboundMessage::read(change.value, nth) else { return Ok(Vec::new()) };
    // Meta's own notices have no sender to answer.
    if inbound.kind == "system" || (inbound.phone.is_none() && inbound.user_id.is_none()) {
        return Ok(Vec::new());
    }
    if let Some(known) = store.message_by_provider_id(tenant, inbound.provider_id).await? {
        return Ok(vec![message_received(tenant, &known)]);
    }
    let contact = sender_of(services, change, &inbound).await?;
    let at_ms = inbound.at_ms.unwrap_or_else(|| store.clock().now_ms()).min(store.clock().now_ms());
    store.open_window(tenant, change.account, contact.id, at_ms).await?;
    let Some(address) = addresses(inbound.phone, inbound.user_id).into_iter().next() else {
        return Ok(Vec::new());
    };
    apply_keyword(services, change, &inbound, &address).await?;
    let mut progress = Progress::new(State::Delivered);
    progress.delivered_at = Some(at_ms);
    progress.provider_id = Some(inbound.provider_id.to_owned());
    let content = list(change.value, "messages").get(nth).map(ToString::to_string);
    let message = Message {
        id: MessageId(store.entropy().ulid(store.clock().now())),
        account: change.account,
        channel: Channel::Whatsapp,
        sender: number_of(change.value),
        campaign: None,
        contact: Some(contact.id),
        inbound: true,
        address,
        kind: inbound.kind.to_owned(),
        text: inbound.text.map(str::to_owned),
        content: content.unwrap_or_default(),
        progress,
    };
    let stored = match store.receive_message(tenant, &message, inbound.provider_id, &[]).await {
        Ok(()) => message,
        // A copy was faster, and its message is told; or somebody else writes, and it comes again.
        Err(store::Error::Conflict) => {
            let known = store.message_by_provider_id(tenant, inbound.provider_id).await?;
            known.ok_or(store::Error::Contended)?
        }
        Err(error) => return Err(error.into()),
    };
    Ok(vec![message_received(tenant, &stored)])
}

fn keyword_of(inbound: &InboundMessage<'_>) -> Option<Keyword> {
    inbound.text.filter(|_| matches!(inbound.kind, "text" | "button")).and_then(keyword)
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
            let upserted = upsert(&Teller::from(services), change.tenant, None, &new.check()?).await?;
            Ok(upserted.contact)
        }
    }
}

async fn apply_keyword(
    services: &Services,
    change: &Change<'_>,
    inbound: &InboundMessage<'_>,
    address: &Address,
) -> Result<()> {
    let tenant = change.tenant;
    let Some(keyword) = keyword_of(inbound) else { return Ok(()) };
    let (teller, account) = (&Teller::from(services), Some(change.account));
    let on = Occasion { teller, tenant, account, source: Source::Keyword, said_ms: inbound.at_ms };
    match keyword {
        Keyword::OptOut | Keyword::OptIn => {
            let wanted = keyword == Keyword::OptIn;
            heed(on, &addresses(inbound.phone, inbound.user_id), wanted).await
        }
        // Queued before the message is known, and answered once however often it is.
        Keyword::Help => {
            let (account, cause) = (change.account, inbound.provider_id.to_owned());
            let (sender, to) = (number_of(change.value), address.clone());
            let question = Question { tenant: tenant.clone(), account, sender, cause, to };
            Ok(services.queues.inbound((&question).into()).await?)
        }
    }
}
