//! Who people are: what Meta says of their numbers and user ids.

use domain::contact::{Contact, NewContact};
use domain::identity::Identity;
use domain::{AccountId, PhoneNumber};
use ops::contacts::upsert;
use ops::events::EventPublisher;
use ops::former::followed;
use ops::moves::moved;
use ops::{Error, Result};
use serde_json::Value;
use store::Store;

use super::change::Change;
use super::wire::{InboundMessage, is_phone, list, text, timestamp_ms};
use crate::Services;

/// The contact behind an inbound message. Nobody who writes to us is turned away
/// by a plan's limit.
pub(super) async fn sender_of(
    services: &Services,
    change: &Change<'_>,
    inbound: &InboundMessage<'_>,
    message: &Value,
) -> Result<Contact> {
    let store = &services.store;
    let mut new = person(change.account, inbound.phone.into_iter().chain(inbound.user_id))?;
    new.aliases = inbound.others.iter().filter_map(|id| identity(id)).collect();
    if let Some(number) = shared_number(message) {
        new.aliases.extend(new.phone.replace(number).as_ref().map(Identity::from));
    }
    let mut known = match new.identities().first() {
        Some(identity) => store.contact_by(change.tenant, identity).await?,
        None => None,
    };
    if known.is_none() {
        known = since_then(store, change, &mut new, inbound.at_ms).await?;
    }
    // The name that the business gave stays; the profile's is for newcomers.
    if known.as_ref().is_none_or(|contact| contact.name.is_none()) {
        new.name = inbound.name.map(|name| name.chars().take(domain::contact::MAX_NAME).collect());
    }
    match known {
        Some(contact) if new.name.is_none() && new.identities().iter().all(|id| contact.carries(id)) => {
            Ok(contact)
        }
        Some(_) | None => {
            let publisher = &EventPublisher::from(services);
            Ok(upsert(publisher, change.tenant, None, &new.check()?).await?.contact)
        }
    }
}

/// Puts what somebody became before this came in the place of what they were when they wrote
/// it; answers their contact, if there is one.
async fn since_then(
    store: &Store,
    change: &Change<'_>,
    new: &mut NewContact,
    said_ms: Option<i64>,
) -> Result<Option<Contact>> {
    let own = [new.phone.as_ref().map(Identity::from), new.bsuid.clone().map(Identity::Bsuid)];
    for identity in own.into_iter().flatten() {
        let since = followed(store, change.tenant, &identity, said_ms).await?;
        if since.is_empty() {
            continue;
        }
        match identity {
            Identity::Phone(_) => new.phone = None,
            other @ (Identity::Bsuid(_)
            | Identity::Email(_)
            | Identity::Lid(_)
            | Identity::Custom { .. }
            | Identity::External(_)) => {
                new.bsuid = None;
                new.aliases.push(other);
            }
        }
        let NewContact { phone, bsuid, aliases, .. } = NewContact::known_by(&since);
        new.phone = new.phone.take().or(phone);
        new.bsuid = new.bsuid.take().or(bsuid);
        new.aliases.extend(aliases);
    }
    match new.identities().first() {
        Some(identity) => Ok(store.contact_by(change.tenant, identity).await?),
        None => Ok(None),
    }
}

/// Somebody whom Meta names by these ids: numbers in digits, or business-scoped user ids.
fn person<'a>(account: AccountId, ids: impl IntoIterator<Item = &'a str>) -> Result<NewContact> {
    let mut new = NewContact { origin: Some(account), is_proven: true, ..NewContact::default() };
    let mut unreadable = None;
    for id in ids {
        match number_of(id) {
            Some(Ok(phone)) => new.phone = new.phone.or(Some(phone)),
            Some(Err(wrong)) => unreadable = Some(wrong),
            None => new.bsuid = new.bsuid.or(Some(id.to_owned())),
        }
    }
    match unreadable {
        Some(wrong) if new.identities().is_empty() => Err(wrong),
        Some(_) | None => Ok(new),
    }
}

/// The number that an id of WhatsApp is; `None` when it is none.
fn number_of(id: &str) -> Option<Result<PhoneNumber>> {
    is_phone(id).then(|| PhoneNumber::from_wa_id(id).map_err(|wrong| Error::invalid("from", wrong.message)))
}

fn identity(id: &str) -> Option<Identity> {
    match number_of(id) {
        Some(number) => number.ok().as_ref().map(Identity::from),
        None => Some(Identity::Bsuid(id.to_owned())),
    }
}

/// The number that somebody without one shares, when we asked for it (Meta, «Request contact
/// information»): it is their own.
fn shared_number(message: &Value) -> Option<PhoneNumber> {
    let is_asked = text(message, "origin") == Some("contact_request")
        || text(message, "type") == Some("contact_request");
    let card = list(message, "contacts").first().or_else(|| message.get("contact_request"));
    let card = card.filter(|_| is_asked)?;
    let phone = list(card, "phones").first().unwrap_or(card);
    let wa_id = ["wa_id", "phone", "phone_number"].into_iter().find_map(|name| text(phone, name))?;
    wa_id.parse().ok()
}

/// A notice about a person (Meta, «System messages»): a new number or user id. Answers whom
/// it is about, when the person is a contact.
pub(super) async fn notice(
    services: &Services,
    change: &Change<'_>,
    message: &Value,
) -> Result<Option<Contact>> {
    let Some(system) = message.get("system") else { return Ok(None) };
    let news =
        ["wa_id", "new_wa_id", "user_id", "parent_user_id"].into_iter().filter_map(|name| text(system, name));
    let news: Vec<&str> = news.collect();
    let formers = [text(message, "from"), text(message, "from_user_id")];
    let mut former = formers.into_iter().flatten().filter_map(identity);
    let from = match text(system, "type") {
        Some("user_changed_user_id") => former.next_back(),
        Some(_) | None => former.next(),
    };
    let Some(from) = from else { return Ok(None) };
    let is_change = matches!(
        text(system, "type"),
        Some("user_changed_number" | "customer_changed_number" | "user_changed_user_id")
    );
    if !is_change || news.is_empty() {
        return Ok(services.store.contact_by(change.tenant, &from).await?);
    }
    let mut to = person(change.account, news.iter().copied())?;
    // A user id changes without the number, too.
    if to.phone.is_none() {
        to.phone = formers.into_iter().flatten().find_map(|id| number_of(id)?.ok());
    }
    let at_ms = timestamp_ms(message).unwrap_or_else(|| services.store.clock().now_ms());
    moved(&EventPublisher::from(services), change.tenant, &from, &to, at_ms).await
}

/// Meta's `user_id_update`: people whose business-scoped user id is another one from now on.
pub(super) async fn update_user_ids(services: &Services, change: &Change<'_>) -> Result<()> {
    let publisher = &EventPublisher::from(services);
    for update in list(change.value, "user_id_update") {
        for name in ["user_id", "parent_user_id"] {
            let id = |which: &str| {
                let nested = update.get(name).and_then(|ids| text(ids, which));
                nested.or_else(|| text(update, &format!("{which}_{name}")))
            };
            let (Some(previous), Some(current)) = (id("previous"), id("current")) else { continue };
            let number = text(update, "wa_id").filter(|wa_id| is_phone(wa_id));
            let to = person(change.account, number.into_iter().chain([current]))?;
            let from = Identity::Bsuid(previous.to_owned());
            let at_ms = timestamp_ms(update).or(change.at_ms);
            let at_ms = at_ms.unwrap_or_else(|| services.store.clock().now_ms());
            let known = moved(publisher, change.tenant, &from, &to, at_ms).await?;
            if known.is_none() && to.phone.is_some() {
                // Nobody was known by the old one; whoever has the number is by the new one.
                let known = services.store.contact_by(change.tenant, &to.identities()[0]).await?;
                if known.is_some() {
                    upsert(publisher, change.tenant, None, &to).await?;
                }
            }
        }
    }
    Ok(())
}
