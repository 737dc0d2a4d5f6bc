//! Who wants no more messages: every opt-out and opt-in of the product goes
//! through [`opt_out`] and [`opt_in`].

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::channel::Channel;
use domain::channel::ChannelName;
use domain::contact::{Contact, Identity};
use domain::message::{Address, CustomAddress};
use domain::{AccountId, ContactId, PhoneNumber, TenantId};
use store::Store;
use store::outbox::Note;
use store::suppression::{NewOptOut, is_suppression_id, suppression_id};

use crate::events::{ConsentFact, EventPublisher, Events, Transaction, consent_changed};
use crate::{Error, Result};

pub use store::suppression::{OptOut, OptOutSource};

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
    /// When it was said, in milliseconds since 1970; now, when nobody knows. Words come
    /// in any order, and more than once: the last that was said counts.
    pub said_ms: Option<i64>,
}

/// Records that an address wants no more messages; answers whether that is new.
/// One that opted out before keeps its first date and source.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn opt_out(on: ConsentChange<'_>, address: &Address) -> Result<bool> {
    let contact = on.contact(address).await?;
    record(on, address, on.opt_out(contact, None)).await
}

/// Records that an address wants messages again; answers whether it had opted out,
/// and did not say so later.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn opt_in(on: ConsentChange<'_>, address: &Address) -> Result<bool> {
    let contact = on.contact(address).await?;
    lift(on, &suppression_id(on.tenant, address), address.as_str(), contact).await
}

/// Does what somebody said, at each of their addresses.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn heed(on: ConsentChange<'_>, addresses: &[Address], wanted: bool) -> Result<()> {
    for address in addresses {
        match wanted {
            true => opt_in(on, address).await?,
            false => opt_out(on, address).await?,
        };
    }
    Ok(())
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

/// Lifts an opt-out, of an address as it may be shown.
async fn lift(on: ConsentChange<'_>, id: &str, shown: &str, contact: Option<ContactId>) -> Result<bool> {
    let events = on.publisher.caused_by(Transaction, on.tenant).await?;
    let note = on.note(&events, true, shown, contact);
    let Some(written) = on.publisher.store.opt_in(on.tenant, id, on.said_ms(), note).await? else {
        return Ok(false);
    };
    events.publish(written).await;
    Ok(true)
}

impl ConsentChange<'_> {
    fn said_ms(&self) -> i64 {
        let now = self.publisher.store.clock().now_ms();
        self.said_ms.map_or(now, |said| said.min(now))
    }

    fn opt_out<'r>(&self, contact: Option<ContactId>, reason: Option<&'r str>) -> NewOptOut<'r> {
        NewOptOut { source: self.source, contact, reason, said_ms: self.said_ms() }
    }

    /// Who carries the address today.
    async fn contact(&self, address: &Address) -> Result<Option<ContactId>> {
        let contact = self.publisher.store.contact_by(self.tenant, &identity(address)).await?;
        Ok(contact.map(|contact| contact.id))
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
    /// Somebody by number, whether a contact or not.
    Number(PhoneNumber),
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
    let on = ConsentChange {
        publisher,
        tenant,
        account: None,
        channel: None,
        source: OptOutSource::Owner,
        said_ms: None,
    };
    let new = on.opt_out(contact.as_ref().map(|c| c.id), reason);
    let mut changed = false;
    for address in &addresses {
        changed |= record(on, address, new).await?;
    }
    let ids: HashSet<String> = addresses.iter().map(|a| suppression_id(tenant, a)).collect();
    let found = store.opt_outs_of(tenant, &ids).await?;
    Ok((changed, with_contacts(store, tenant, found).await?))
}

/// Lifts the opt-outs of somebody; answers how many there were.
///
/// # Errors
/// Names `contact_id`.
pub async fn remove(publisher: &EventPublisher, tenant: &TenantId, whom: &Whom) -> Result<u64> {
    let (addresses, _) = addresses(&publisher.store, tenant, whom).await?;
    let on = ConsentChange {
        publisher,
        tenant,
        account: None,
        channel: None,
        source: OptOutSource::Owner,
        said_ms: None,
    };
    let mut removed = 0;
    for address in &addresses {
        removed += u64::from(opt_in(on, address).await?);
    }
    Ok(removed)
}

/// Lifts one opt-out by its id.
///
/// # Errors
/// [`crate::Code::NotFound`] names `id`.
pub async fn remove_by_id(publisher: &EventPublisher, tenant: &TenantId, id: &str) -> Result<()> {
    let unknown = || Error::not_found("id", "there is no opt-out with this id");
    if !is_suppression_id(id) {
        return Err(unknown());
    }
    let found = publisher.store.opt_outs_of(tenant, &HashSet::from([id.to_owned()])).await?;
    let found = found.first().ok_or_else(unknown)?;
    let on = ConsentChange {
        publisher,
        tenant,
        account: None,
        channel: None,
        source: OptOutSource::Owner,
        said_ms: None,
    };
    if lift(on, id, &found.address, found.contact).await? { Ok(()) } else { Err(unknown()) }
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

async fn addresses(store: &Store, tenant: &TenantId, whom: &Whom) -> Result<(Vec<Address>, Option<Contact>)> {
    match whom {
        Whom::Number(phone) => {
            let contact = store.contact_by(tenant, &Identity::Phone(phone.clone())).await?;
            let known = contact.as_ref().map(addresses_of);
            Ok((known.unwrap_or_else(|| vec![Address::Phone(phone.clone())]), contact))
        }
        Whom::Contact(id) => {
            let unknown = || Error::not_found("contact_id", "there is no contact with this id");
            let contact = store.contact(tenant, *id).await?.ok_or_else(unknown)?;
            let addresses = addresses_of(&contact);
            if addresses.is_empty() {
                return Err(Error::invalid("contact_id", "the contact has no address to opt out"));
            }
            Ok((addresses, Some(contact)))
        }
    }
}

/// Every address of a contact that messages go to.
pub fn addresses_of(contact: &Contact) -> Vec<Address> {
    let phone = contact.phone.clone().map(Address::Phone);
    let bsuid = contact.bsuid.clone().map(Address::Bsuid);
    let custom = contact.custom.iter().filter_map(|(channel, id)| {
        let channel: ChannelName = channel.parse().ok()?;
        Some(Address::Custom(CustomAddress::new(&channel, id)))
    });
    phone.into_iter().chain(bsuid).chain(custom).collect()
}

/// The identity that an address is.
pub fn identity(address: &Address) -> Identity {
    match address {
        Address::Phone(phone) => Identity::Phone(phone.clone()),
        Address::Bsuid(id) => Identity::Bsuid(id.clone()),
        Address::Custom(custom) => {
            Identity::Custom { channel: custom.channel().to_owned(), id: custom.id().to_owned() }
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
        let carries = |c: &&Contact| addresses_of(c).iter().any(|a| suppression_id(tenant, a) == opt_out.id);
        let contact = contact.filter(carries).cloned();
        Suppression { opt_out, contact }
    };
    Ok(found.into_iter().map(entry).collect())
}
