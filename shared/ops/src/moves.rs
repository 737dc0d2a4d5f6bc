//! People whom a provider knows by something else from a time on. Its messages come late and
//! in any order: whatever came first, the people and what they agreed to are the same.

use std::collections::HashSet;

use domain::TenantId;
use domain::contact::{Contact, NewContact};
use domain::identity::Identity;
use store::contacts::Moved;

use crate::Result;
use crate::contacts::rename;
use crate::events::EventPublisher;

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
