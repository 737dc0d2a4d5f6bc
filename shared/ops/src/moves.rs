//! People whom a provider knows by something else from a time on. Its messages come late and
//! in any order: whatever came first, the people and what they agreed to are the same.

use std::collections::HashSet;

use domain::contact::{Contact, NewContact};
use domain::identity::Identity;
use domain::{ContactId, TenantId};
use store::contacts::Moved;

use crate::Result;
use crate::contacts::{TRIES, commit, upsert};
use crate::events::{EventPublisher, Transaction};

/// Moves that are followed one after the other.
const FOLLOWED: usize = 16;

/// A provider says that whoever was known by `from` is known by what `to` has since `at_ms`;
/// and by what they became after that, when that was said before. Answers the contact,
/// unless there is none.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn moved(
    publisher: &EventPublisher,
    tenant: &TenantId,
    from: &Identity,
    to: &NewContact,
    at_ms: i64,
) -> Result<Option<Contact>> {
    let store = &publisher.store;
    // First: what was said before and comes at this moment finds it.
    let news = Moved { to: to.identities(), at_ms };
    store.remember_move(tenant, from, &news).await?;
    let mut contact = rename(publisher, tenant, from, to).await?;
    let (mut at_ms, mut seen) = (at_ms, HashSet::from([from.clone()]));
    let mut open: Vec<Identity> = news.to;
    while let Some(next) = open.pop().filter(|_| seen.len() < FOLLOWED) {
        if !seen.insert(next.clone()) {
            continue;
        }
        if let Some(later) = store.moved_since(tenant, &next).await?.filter(|later| later.at_ms >= at_ms) {
            at_ms = later.at_ms;
            let to = NewContact { origin: to.origin, ..NewContact::known_by(&later.to) };
            contact = rename(publisher, tenant, &next, &to).await?.or(contact);
            open.extend(later.to);
        }
    }
    Ok(contact)
}

/// A provider says that whoever was known by `from` is known by what `to` has from now on:
/// a new number or user id. Answers the contact, unless there is none.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
async fn rename(
    publisher: &EventPublisher,
    tenant: &TenantId,
    from: &Identity,
    to: &NewContact,
) -> Result<Option<Contact>> {
    let store = &publisher.store;
    let events = publisher.caused_by(Transaction, tenant).await?;
    for _ in 0..TRIES {
        let identities = to.identities().into_iter().chain([from.clone()]).collect();
        let mut book = store.load_book(tenant, identities).await?;
        let Some(id) = book.rename(from, to, store.clock().now()) else { return Ok(None) };
        if commit(&events, store, tenant, &mut book, (0, Vec::new())).await? {
            return Ok(book.slot(id).and_then(|slot| slot.after.clone()));
        }
    }
    Err(store::Error::Contended.into())
}

/// Learns by which numbers and user ids a provider knows contacts: the person is the same, however they
/// are called. Contacts that are gone, are known so already, or were known so once and moved, are left alone.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn learn(
    publisher: &EventPublisher,
    tenant: &TenantId,
    seen: &[(ContactId, Identity)],
) -> Result<()> {
    let store = &publisher.store;
    let identities: HashSet<Identity> = seen.iter().map(|(_, identity)| identity.clone()).collect();
    let holders = store.holders(tenant, identities).await?;
    for (id, identity) in seen {
        if holders.get(identity) == Some(id) {
            continue;
        }
        // What was said before a number was given up comes late: it may be a stranger's by now.
        if store.moved_since(tenant, identity).await?.is_some() {
            continue;
        }
        let Some(contact) = store.contact(tenant, *id).await? else { continue };
        let Some(own) = contact.addresses().first().map(Identity::from) else { continue };
        let mut new = NewContact::known_by(std::slice::from_ref(identity));
        // What they have stays the first of its kind.
        if contact.phone.is_some() {
            new.aliases.extend(new.phone.take().as_ref().map(Identity::from));
        }
        if contact.bsuid.is_some() {
            new.aliases.extend(new.bsuid.take().map(Identity::Bsuid));
        }
        new.aliases.push(own);
        upsert(publisher, tenant, None, &new).await?;
    }
    Ok(())
}
