//! What people said who turn out to be one. Opt-outs are written first and the contacts last.
//! Who says STOP looks at the contacts afterwards, and who joins contacts writes them only if
//! nobody said STOP meanwhile: of two at the same time one sees both.

use std::collections::HashMap;

use domain::consent::ConsentProof;
use domain::contact::Contact;
use domain::identity::Identity;
use domain::merge::{Book, Slot};
use domain::message::Address;
use domain::{ContactId, TenantId};
use store::Store;
use store::outbox::Note;
use store::suppression::{NewOptOut, OptOut, OptOutSource, suppression_ids};

use crate::Result;
use crate::events::EventPublisher;
use crate::suppression::{ConsentChange, stop};

/// What is left to do when contacts are written that became one, or got another address.
#[derive(Debug, Default)]
pub(crate) struct Joining {
    /// Opt-outs that somebody lifted who turned out to be their owner, and when they said so.
    lifts: Vec<(String, i64)>,
    /// The addresses of those who did not opt out, from now on.
    joined: Vec<Address>,
}

impl Joining {
    /// The opt-outs that there were none of.
    pub(crate) fn not_out(&self, tenant: &TenantId) -> Vec<String> {
        let ids = self.joined.iter().flat_map(|address| suppression_ids(tenant, address));
        ids.filter(|id| !self.lifts.iter().any(|(lifted, _)| lifted == id)).collect()
    }
}

/// Makes one of what was said at the addresses of contacts that are one from now on: asked
/// before they are written, so that whoever opted out under one address is suppressed at all
/// of them before any can be sent to.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub(crate) async fn join(store: &Store, tenant: &TenantId, book: &mut Book) -> Result<Joining> {
    let joined: Vec<Joined> = book.slots().filter_map(|(id, slot)| Joined::of(book, id, slot)).collect();
    if joined.is_empty() {
        return Ok(Joining::default());
    }
    let ids_of = |address: &Address| suppression_ids(tenant, address);
    let ids = joined.iter().flat_map(|one| one.now.iter().chain(&one.before).flat_map(ids_of)).collect();
    let found: HashMap<String, OptOut> =
        store.opt_outs_of(tenant, &ids).await?.into_iter().map(|out| (out.id.clone(), out)).collect();
    let mut joining = Joining::default();
    for Joined { id, before, now } in joined {
        let Some(contact) = book.contact_mut(id) else { continue };
        for out in now.iter().chain(&before).flat_map(ids_of).filter_map(|id| found.get(&id)) {
            contact.consent.opt_out(proof(out));
        }
        let (out, resumed_ms) = (contact.consent.opt_out.clone(), contact.consent.resumed_ms);
        match out {
            Some(proof) => {
                let source = OptOutSource::parse(&proof.source).unwrap_or(OptOutSource::Owner);
                let (contact, said_ms) = (Some(id), proof.at_ms);
                let new = NewOptOut { source, contact, reason: proof.detail.as_deref(), said_ms };
                let is_out = |address: &&Address| ids_of(address).iter().any(|id| found.contains_key(id));
                for address in now.iter().filter(|address| !is_out(address)) {
                    let _nobody_is_told = store.opt_out(tenant, address, new, Note::none()).await?;
                }
            }
            None => {
                let standing = now.iter().flat_map(ids_of).filter(|id| found.contains_key(id));
                joining.lifts.extend(standing.filter_map(|id| Some((id, resumed_ms?))));
                joining.joined.extend(now);
            }
        }
    }
    Ok(joining)
}

fn proof(out: &OptOut) -> ConsentProof {
    let (source, detail) = (out.source.as_str().to_owned(), out.reason.clone());
    ConsentProof { at_ms: out.said_ms, source, detail }
}

/// Lifts what [`join`] found, after the contacts are written.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub(crate) async fn lift(store: &Store, tenant: &TenantId, joining: &Joining) -> Result<()> {
    for (id, said_ms) in &joining.lifts {
        let _nobody_is_told = store.opt_in(tenant, id, *said_ms, Note::none()).await?;
    }
    Ok(())
}

/// The same for contacts that no single transaction wrote, and looks once more: somebody may
/// have said STOP in between, and saw the contacts as they were.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub(crate) async fn lift_and_look(
    publisher: &EventPublisher,
    tenant: &TenantId,
    joining: &Joining,
) -> Result<()> {
    let store = &publisher.store;
    lift(store, tenant, joining).await?;
    if joining.joined.is_empty() {
        return Ok(());
    }
    let ids = joining.joined.iter().flat_map(|address| suppression_ids(tenant, address)).collect();
    let found = store.opt_outs_of(tenant, &ids).await?;
    for address in &joining.joined {
        let ids = suppression_ids(tenant, address);
        let Some(out) = found.iter().find(|out| ids.contains(&out.id)) else { continue };
        let on = ConsentChange {
            source: out.source,
            said_ms: Some(out.said_ms),
            ..ConsentChange::of_owner(publisher, tenant)
        };
        stop(on, address, out.reason.as_deref()).await?;
    }
    Ok(())
}

/// A contact that a change gives another address.
struct Joined {
    id: ContactId,
    before: Vec<Address>,
    now: Vec<Address>,
}

impl Joined {
    fn of(book: &Book, id: ContactId, slot: &Slot) -> Option<Self> {
        let now = slot.after.as_ref().filter(|_| slot.changed())?.addresses();
        let mut before = slot.before.as_ref().map(Contact::addresses).unwrap_or_default();
        let is_known = |address: &Address| before.iter().any(|known| Identity::from(known) == address.into());
        let is_new = !now.iter().all(is_known);
        // What was said at the addresses of those who became part of it counts for it.
        let absorbed = slot.partners.iter().filter_map(|id| book.slot(*id)).filter(|one| one.is_absorbed());
        let absorbed: Vec<Address> =
            absorbed.filter_map(|one| one.before.as_ref()).flat_map(Contact::addresses).collect();
        let has_absorbed = !absorbed.is_empty();
        before.extend(absorbed);
        // Who has no address yet may have opted out as well.
        let is_out = slot.after.as_ref().is_some_and(|after| after.consent.opt_out.is_some());
        let may_differ = now.len() + before.len() > 1 || is_out;
        let is_joined = may_differ && (is_new || has_absorbed);
        is_joined.then_some(Self { id, before, now })
    }
}
