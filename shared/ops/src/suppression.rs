//! Who wants no more messages: every opt-out and opt-in of the product goes
//! through [`opt_out`] and [`opt_in`].

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::channel::Channel;
use domain::consent::{ConsentProof, ConsentRecord};
use domain::contact::Contact;
use domain::identity::Identity;
use domain::message::Address;
use domain::{AccountId, ContactId, TenantId};
use store::Store;
use store::outbox::Note;
use store::suppression::{NewOptOut, is_suppression_id, suppression_ids};

use crate::events::{ConsentFact, EventPublisher, Events, Transaction, consent_changed};
use crate::former::followed;
use crate::{Error, Result};

pub use store::suppression::{OptOut, OptOutSource};

/// Tries against concurrent writers of a contact.
const TRIES: u32 = 10;
/// Longest reason, in characters.
const MAX_REASON: usize = 255;

/// Where an opt-out or opt-in came about.
#[derive(Debug, Clone, Copy)]
pub struct ConsentChange<'a> {
    /// Who writes it down and tells it.
    pub publisher: &'a EventPublisher,
    /// Whose recipient it is.
    pub tenant: &'a TenantId,
    /// The account that was told; `None` for the whole tenant.
    pub account: Option<AccountId>,
    /// The channel that it was said over, where it was.
    pub channel: Option<&'a Channel>,
    /// How.
    pub source: OptOutSource,
    /// The word or button that said it, where one did.
    pub word: Option<&'a str>,
    /// When it was said, in milliseconds since 1970; now, when nobody knows. Words come
    /// in any order, and more than once: the last that was said counts.
    pub said_ms: Option<i64>,
}

/// Records that whoever has an address wants no more messages, at every address that they
/// are known by; answers whether that is new. One that opted out before keeps its first date
/// and source.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn opt_out(on: ConsentChange<'_>, address: &Address) -> Result<bool> {
    stop(on, address, None).await
}

/// Records that whoever has an address wants messages again, at every address that they are
/// known by; answers how many had opted out, and did not say so later.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn opt_in(on: ConsentChange<'_>, address: &Address) -> Result<u64> {
    let store = &on.publisher.store;
    let mut lifted = 0;
    for attempt in 0..TRIES {
        let Some(contact) = store.contact_by(on.tenant, &address.into()).await? else {
            return Ok(lifted + u64::from(lift(on, address, None).await?));
        };
        // Whatever breaks off here is told with the last of them, when it is done again.
        for other in others(&contact, address) {
            lifted += u64::from(lift_quietly(on, &other).await?);
        }
        lifted += u64::from(lift(on, address, Some(contact.id)).await?);
        let mut changed = contact.clone();
        match on.source {
            OptOutSource::Owner => changed.consent.lift(on.said_ms()),
            OptOutSource::Keyword | OptOutSource::Preference | OptOutSource::Provider => {
                changed.consent.resume(on.proof())
            }
        };
        if write(store, on.tenant, &contact, &changed).await? {
            return Ok(lifted);
        }
        store.back_off(attempt).await;
    }
    Err(store::Error::Contended.into())
}

/// Does what somebody said, at each of their addresses.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn heed(on: ConsentChange<'_>, addresses: &[Address], wanted: bool) -> Result<()> {
    let mut addresses: Vec<Address> = addresses.to_vec();
    // Said before the person became known by something else, it comes under what they were.
    for address in addresses.clone() {
        let since = followed(&on.publisher.store, on.tenant, &Identity::from(&address), on.said_ms).await?;
        addresses.extend(since.iter().filter_map(Identity::address));
    }
    for address in &addresses {
        match wanted {
            true => drop(opt_in(on, address).await?),
            false => drop(opt_out(on, address).await?),
        }
    }
    Ok(())
}

/// Suppresses every address first and writes the contact last, under the version that was
/// read: whoever gives them another address meanwhile makes this look again.
pub(crate) async fn stop(on: ConsentChange<'_>, address: &Address, reason: Option<&str>) -> Result<bool> {
    let store = &on.publisher.store;
    let mut is_new = false;
    for attempt in 0..TRIES {
        let Some(contact) = store.contact_by(on.tenant, &address.into()).await? else {
            is_new |= record(on, address, on.new_opt_out(None, reason)).await?;
            // Whoever became a contact meanwhile, or part of another one, may not have seen it.
            if store.contact_by(on.tenant, &address.into()).await?.is_none() {
                return Ok(is_new);
            }
            continue;
        };
        let mut changed = contact.clone();
        if !changed.consent.opt_out(on.proof()) {
            // They came back, and said so later than this.
            for address in contact.addresses().iter().filter(|_| attempt > 0) {
                lift_quietly(on, address).await?;
            }
            return Ok(false);
        }
        let new = on.new_opt_out(Some(contact.id), reason);
        is_new |= record(on, address, new).await?;
        for other in others(&contact, address) {
            let quiet = store.opt_out(on.tenant, &other, new, Note::none()).await?;
            is_new |= quiet.is_some();
        }
        if write(store, on.tenant, &contact, &changed).await? {
            return Ok(is_new);
        }
        store.back_off(attempt).await;
    }
    Err(store::Error::Contended.into())
}

/// The other addresses of a contact.
fn others(contact: &Contact, address: &Address) -> Vec<Address> {
    let identity = Identity::from(address);
    contact.addresses().into_iter().filter(|other| Identity::from(other) != identity).collect()
}

/// Writes what a contact said; answers whether nobody else changed the contact meanwhile.
async fn write(store: &Store, tenant: &TenantId, before: &Contact, after: &Contact) -> Result<bool> {
    if before.consent == after.consent {
        return Ok(true);
    }
    match store.replace_contact(tenant, before.version, after).await {
        Ok(()) => Ok(true),
        Err(store::Error::Conflict | store::Error::Contended) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn record(on: ConsentChange<'_>, address: &Address, new: NewOptOut<'_>) -> Result<bool> {
    let events = on.publisher.caused_by(Transaction, on.tenant).await?;
    let note = on.note(&events, false, address.as_str(), new.contact);
    let Some(written) = on.publisher.store.opt_out(on.tenant, address, new, note).await? else {
        return Ok(false);
    };
    events.publish(written).await;
    Ok(true)
}

/// Lifts the opt-out of one address and tells it.
async fn lift(on: ConsentChange<'_>, address: &Address, contact: Option<ContactId>) -> Result<bool> {
    let mut is_lifted = false;
    for id in suppression_ids(on.tenant, address) {
        is_lifted |= lift_by_id(on, &id, address.as_str(), contact).await?;
    }
    Ok(is_lifted)
}

/// Lifts an opt-out, of an address as it may be shown.
async fn lift_by_id(
    on: ConsentChange<'_>,
    id: &str,
    shown: &str,
    contact: Option<ContactId>,
) -> Result<bool> {
    let events = on.publisher.caused_by(Transaction, on.tenant).await?;
    let note = on.note(&events, true, shown, contact);
    let Some(written) = on.publisher.store.opt_in(on.tenant, id, on.said_ms(), note).await? else {
        return Ok(false);
    };
    events.publish(written).await;
    Ok(true)
}

async fn lift_quietly(on: ConsentChange<'_>, address: &Address) -> Result<bool> {
    let mut is_lifted = false;
    for id in suppression_ids(on.tenant, address) {
        is_lifted |= on.publisher.store.opt_in(on.tenant, &id, on.said_ms(), Note::none()).await?.is_some();
    }
    Ok(is_lifted)
}

impl<'a> ConsentChange<'a> {
    /// The owner says so, now.
    pub(crate) fn of_owner(publisher: &'a EventPublisher, tenant: &'a TenantId) -> Self {
        let source = OptOutSource::Owner;
        Self { publisher, tenant, account: None, channel: None, source, word: None, said_ms: None }
    }

    fn said_ms(&self) -> i64 {
        let now = self.publisher.store.clock().now_ms();
        self.said_ms.map_or(now, |said| said.min(now))
    }

    /// What is kept of it with the contact.
    fn proof(&self) -> ConsentProof {
        let (source, detail) = (self.source.as_str().to_owned(), self.word.map(str::to_owned));
        ConsentProof { at_ms: self.said_ms(), source, detail }
    }

    fn new_opt_out<'r>(&self, contact: Option<ContactId>, reason: Option<&'r str>) -> NewOptOut<'r> {
        NewOptOut { source: self.source, contact, reason, said_ms: self.said_ms() }
    }

    /// What to tell of it, when anybody wants to know.
    fn note(
        &self,
        events: &Events<'_, Transaction>,
        wanted: bool,
        address: &str,
        contact: Option<ContactId>,
    ) -> Note {
        let at_ms = self.publisher.store.clock().now_ms();
        let (account, source) = (self.account, self.source.as_str());
        let channel = self.channel.map(ToString::to_string);
        let fact = ConsentFact { wanted, source, address, channel, account, contact, at_ms };
        events.note(&consent_changed(self.tenant, &fact))
    }
}

/// Whom the tenant names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Somebody by number or user id, whether a contact or not.
    Address(Address),
    /// A contact.
    Contact(ContactId),
}

/// An opt-out with the contact that carries its address today.
#[derive(Debug, Clone, PartialEq)]
pub struct Suppression {
    /// The opt-out.
    pub opt_out: OptOut,
    /// The contact.
    pub contact: Option<Contact>,
}

/// Opts somebody out at every address that we know of them; answers whether
/// anything changed, and what stands now.
///
/// # Errors
/// Names `contact_id` or `reason`.
pub async fn add(
    publisher: &EventPublisher,
    tenant: &TenantId,
    whom: &Whom,
    reason: Option<&str>,
) -> Result<(bool, Vec<Suppression>)> {
    if reason.is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        let message = format!("reason may have at most {MAX_REASON} characters");
        return Err(Error::invalid("reason", message));
    }
    let store = &publisher.store;
    let (addresses, contact) = addresses(store, tenant, whom).await?;
    let on = ConsentChange::of_owner(publisher, tenant);
    let mut changed = false;
    if let Some(contact) = contact.filter(|_| addresses.is_empty()) {
        let proof = ConsentProof { detail: reason.map(str::to_owned), ..on.proof() };
        changed = without_address(on, contact.id, |consent| consent.opt_out(proof.clone())).await?;
    }
    for address in &addresses {
        changed |= stop(on, address, reason).await?;
    }
    let ids: HashSet<String> = addresses.iter().flat_map(|a| suppression_ids(tenant, a)).collect();
    let found = store.opt_outs_of(tenant, &ids).await?;
    Ok((changed, with_contacts(store, tenant, found).await?))
}

/// Lifts the opt-outs of somebody; answers how many there were.
///
/// # Errors
/// Names `contact_id`.
pub async fn remove(publisher: &EventPublisher, tenant: &TenantId, whom: &Whom) -> Result<u64> {
    let (addresses, contact) = addresses(&publisher.store, tenant, whom).await?;
    let mut removed = 0;
    if let Some(contact) = contact.filter(|_| addresses.is_empty()) {
        let on = ConsentChange::of_owner(publisher, tenant);
        let lifted = without_address(on, contact.id, |consent| consent.lift(on.said_ms())).await?;
        removed += u64::from(lifted);
    }
    for address in &addresses {
        removed += opt_in(ConsentChange::of_owner(publisher, tenant), address).await?;
    }
    Ok(removed)
}

/// Lifts an opt-out by its id, with those of the same person's other addresses.
///
/// # Errors
/// [`crate::Code::NotFound`] names `id`.
pub async fn remove_by_id(publisher: &EventPublisher, tenant: &TenantId, id: &str) -> Result<()> {
    let unknown = || Error::not_found("id", "there is no opt-out with this id");
    if !is_suppression_id(id) {
        return Err(unknown());
    }
    let found = publisher.store.opt_outs_of(tenant, &HashSet::from([id.to_owned()])).await?;
    let found =
        with_contacts(&publisher.store, tenant, found).await?.into_iter().next().ok_or_else(unknown)?;
    let on = ConsentChange::of_owner(publisher, tenant);
    let addresses = found.contact.as_ref().map(Contact::addresses).unwrap_or_default();
    let lifted =
        match addresses.iter().find(|address| suppression_ids(tenant, address).iter().any(|own| own == id)) {
            Some(address) => opt_in(on, address).await? > 0,
            None => lift_by_id(on, id, &found.opt_out.address, found.opt_out.contact).await?,
        };
    if lifted { Ok(()) } else { Err(unknown()) }
}

/// Opt-outs in ascending order of id, from the one after `after`, with where to go on.
///
/// # Errors
/// Names `cursor`.
pub async fn list(
    store: &Store,
    tenant: &TenantId,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Suppression>, Option<String>)> {
    if after.is_some_and(|after| !is_suppression_id(after)) {
        return Err(Error::invalid("cursor", "cursor must be the next_cursor of another page"));
    }
    // One more tells whether there is more.
    let mut found = store.opt_outs(tenant, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    Ok((with_contacts(store, tenant, found).await?, next))
}

/// Writes down with a contact what concerns every address that they will ever have: it has none
/// yet. Answers whether they opted out, or did no more, by that.
async fn without_address(
    on: ConsentChange<'_>,
    id: ContactId,
    change: impl Fn(&mut ConsentRecord) -> bool,
) -> Result<bool> {
    let store = &on.publisher.store;
    for attempt in 0..TRIES {
        let Some(contact) = store.contact(on.tenant, id).await? else { return Ok(false) };
        let mut changed = contact.clone();
        change(&mut changed.consent);
        if write(store, on.tenant, &contact, &changed).await? {
            return Ok(contact.consent.opt_out.is_some() != changed.consent.opt_out.is_some());
        }
        store.back_off(attempt).await;
    }
    Err(store::Error::Contended.into())
}

async fn addresses(store: &Store, tenant: &TenantId, whom: &Whom) -> Result<(Vec<Address>, Option<Contact>)> {
    match whom {
        Whom::Address(address) => {
            let contact = store.contact_by(tenant, &address.into()).await?;
            let known = contact.as_ref().map(Contact::addresses);
            Ok((known.unwrap_or_else(|| vec![address.clone()]), contact))
        }
        Whom::Contact(id) => {
            let unknown = || Error::not_found("contact_id", "there is no contact with this id");
            let contact = store.contact(tenant, *id).await?.ok_or_else(unknown)?;
            Ok((contact.addresses(), Some(contact)))
        }
    }
}

/// The contacts of opt-outs, as far as they still carry the address.
async fn with_contacts(store: &Store, tenant: &TenantId, found: Vec<OptOut>) -> Result<Vec<Suppression>> {
    let ids: BTreeSet<ContactId> = found.iter().filter_map(|opt_out| opt_out.contact).collect();
    let contacts = store.contacts_of(tenant, &ids).await?;
    let contacts: HashMap<ContactId, Contact> = contacts.into_iter().map(|c| (c.id, c)).collect();
    let entry = |opt_out: OptOut| {
        let contact = opt_out.contact.and_then(|id| contacts.get(&id));
        let carries =
            |c: &&Contact| c.addresses().iter().any(|a| suppression_ids(tenant, a).contains(&opt_out.id));
        let contact = contact.filter(carries).cloned();
        Suppression { opt_out, contact }
    };
    Ok(found.into_iter().map(entry).collect())
}
