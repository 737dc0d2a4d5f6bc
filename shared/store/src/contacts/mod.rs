//! Contacts, the identities that find them, and the blocks that hold them.
//!
//! A contact lives in `CONTACTS#<t>#<id / 1000>`; an identity in a partition of
//! its own, `IDENT#<t>#<kind>#<value>`, that holds only the contact's id and is
//! valid while that contact exists and carries the value. A deleted contact
//! leaves a tombstone for a day, so that a slow writer that reserved its id
//! cannot bring it back.

mod blocks;
mod book;
mod change;
mod erase;
mod moved;
mod pages;
mod renew;

pub use blocks::{BLOCK, BlockSize, ContactFilter, Listing, block_of};
pub use book::Commit;
pub use change::{Loaded, Subject};
pub use moved::Moved;

use std::collections::BTreeSet;

use domain::consent::ConsentRecord;
use domain::contact::{Contact, tag_key};
use domain::identity::Identity;
use domain::note::Note;
use domain::text::searchable;
use domain::{AccountId, ContactId, ListId, PhoneNumber, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::item::{Item, Key, compose, n, number, read};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "contact";
/// How long a tombstone stays, in seconds.
const TOMBSTONE_S: i64 = 86_400;
/// Longer than any request takes between reserving ids and using them, in milliseconds.
const RESERVATION_MS: i64 = 120_000;

/// The key of a contact.
pub(crate) fn contact_key(tenant: &TenantId, id: ContactId) -> Key {
    Key::new(block_pk(tenant, block_of(id)), format!("{:010}", id.0))
}

fn block_pk(tenant: &TenantId, block: u64) -> String {
    Kind::Contacts.pk(format_args!("{tenant}#{block:07}"))
}

pub(crate) fn identity_key(tenant: &TenantId, identity: &Identity) -> Key {
    let value = identity.encode();
    Key::new(Kind::Identity.pk(format_args!("{tenant}#{value}")), "-")
}

/// Where an identity may have been written before 2026-11, when each spelling of a number
/// was one of its own.
fn older_keys(tenant: &TenantId, identity: &Identity) -> Vec<Key> {
    match identity {
        Identity::Phone(key) => key.older_spellings().iter().map(|text| phone_key(tenant, text)).collect(),
        Identity::Email(_)
        | Identity::Bsuid(_)
        | Identity::Lid(_)
        | Identity::Custom { .. }
        | Identity::External(_) => Vec::new(),
    }
}

/// Every key under which the pointer of an identity may stand, the one of today first.
pub(crate) fn identity_keys(tenant: &TenantId, identity: &Identity) -> Vec<Key> {
    std::iter::once(identity_key(tenant, identity)).chain(older_keys(tenant, identity)).collect()
}

fn phone_key(tenant: &TenantId, text: &str) -> Key {
    Key::new(Kind::Identity.pk(format_args!("{tenant}#phone#{text}")), "-")
}

pub(crate) fn counter_key(tenant: &TenantId) -> Key {
    Key::new(Kind::Counter.pk(tenant), "contacts")
}

#[derive(Serialize, Deserialize)]
struct ContactItem {
    id: u64,
    ver: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    /// The name is that of a profile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    profile: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bsuid: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    custom: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<String>,
    #[serde(default, skip_serializing_if = "ConsentRecord::is_empty")]
    consent: ConsentRecord,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// The tags as filters name them ([`tag_key`]), where they are written otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tk: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lists: Vec<u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    meta: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<NoteItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absorbed: Vec<u64>,
    created: i64,
    updated: i64,
    /// What a search looks through: name, phones and e-mails, as [`searchable`] makes them.
    q: String,
}

#[derive(Serialize, Deserialize)]
struct NoteItem {
    id: String,
    at: i64,
    by: String,
    text: String,
}

impl From<&Note> for NoteItem {
    fn from(note: &Note) -> Self {
        let Note { id, at, author, text } = note.clone();
        Self { id, at: at.as_millisecond(), by: author, text }
    }
}

impl NoteItem {
    fn into_note(self) -> Result<Note> {
        let at = Timestamp::from_millisecond(self.at).map_err(|_| Error::Corrupt { kind: KIND })?;
        Ok(Note { id: self.id, at, author: self.by, text: self.text })
    }
}

fn to_item(tenant: &TenantId, contact: &Contact, version: u64) -> Result<Item> {
    let phone = contact.phone.as_ref().map(|p| p.as_str().to_owned());
    let email = contact.email.as_ref().map(|e| e.as_str().to_owned());
    let q = searched(contact);
    let meta = match contact.metadata.is_empty() {
        true => String::new(),
        false => serde_json::to_string(&contact.metadata).map_err(|_| Error::Corrupt { kind: KIND })?,
    };
    let item = ContactItem {
        id: contact.id.0,
        ver: version,
        name: contact.name.clone(),
        first: contact.first_name.clone(),
        profile: contact.is_profile_name,
        phone,
        email,
        bsuid: contact.bsuid.clone(),
        custom: contact.custom.clone(),
        also: contact.aliases.iter().map(Identity::encode).collect(),
        consent: contact.consent.clone(),
        tags: contact.tags.clone(),
        tk: tag_keys(&contact.tags),
        lists: contact.lists.iter().map(|list| list.0).collect(),
        meta,
        notes: contact.notes.iter().map(NoteItem::from).collect(),
        origin: contact.origin.map(|a| a.0),
        absorbed: contact.absorbed.iter().map(|c| c.0).collect(),
        created: contact.created_at.as_millisecond(),
        updated: contact.updated_at.as_millisecond(),
        q,
    };
    compose(&contact_key(tenant, contact.id), KIND, &item)
}

/// What a search looks through. Numbers are found in every spelling, and by those that their
/// owner is known by beside.
fn searched(contact: &Contact) -> String {
    let own = [contact.name.as_deref(), contact.phone.as_ref().map(|p| p.as_str())];
    let email = contact.email.as_ref().map(|e| e.as_str());
    let mut parts: Vec<String> = own.into_iter().flatten().chain(email).map(searchable).collect();
    for identity in contact.identities() {
        match &identity {
            Identity::Phone(key) => {
                parts.push(key.as_str().to_owned());
                parts.extend(key.older_spellings());
            }
            Identity::Email(email) => parts.push(searchable(email)),
            Identity::Bsuid(_) | Identity::Lid(_) | Identity::Custom { .. } | Identity::External(_) => {}
        }
    }
    let mut seen = BTreeSet::new();
    parts.retain(|part| seen.insert(part.clone()));
    parts.join("\n")
}

fn tag_keys(tags: &[String]) -> Vec<String> {
    let keys: Vec<String> = tags.iter().map(|tag| tag_key(tag)).collect();
    if keys == tags { Vec::new() } else { keys }
}

/// Reads a contact; `None` is a tombstone.
pub(crate) fn from_item(item: Item) -> Result<Option<Contact>> {
    if is_tombstone(&item) {
        return Ok(None);
    }
    let corrupt = || Error::Corrupt { kind: KIND };
    let item: ContactItem = read(item, KIND)?;
    let metadata = match item.meta.as_str() {
        "" => serde_json::Map::new(),
        json => serde_json::from_str(json).map_err(|_| corrupt())?,
    };
    let time = |ms| Timestamp::from_millisecond(ms).map_err(|_| corrupt());
    Ok(Some(Contact {
        id: ContactId(item.id),
        name: item.name,
        first_name: item.first,
        is_profile_name: item.profile,
        phone: item.phone.map(|p| PhoneNumber::from_e164(&p)).transpose().map_err(|_| corrupt())?,
        email: item.email.map(|e| e.parse()).transpose().map_err(|_| corrupt())?,
        bsuid: item.bsuid,
        custom: item.custom,
        aliases: item.also.iter().filter_map(|text| Identity::decode(text)).collect(),
        consent: item.consent,
        tags: item.tags,
        lists: item.lists.into_iter().map(ListId).collect(),
        metadata,
        notes: item.notes.into_iter().map(NoteItem::into_note).collect::<Result<_>>()?,
        origin: item.origin.map(AccountId),
        absorbed: item.absorbed.into_iter().map(ContactId).collect(),
        created_at: time(item.created)?,
        updated_at: time(item.updated)?,
        version: item.ver,
    }))
}

pub(crate) fn is_tombstone(item: &Item) -> bool {
    item.contains_key("gone")
}

#[derive(Serialize)]
struct TombstoneItem {
    gone: bool,
    ver: u64,
    ttl: i64,
}

#[derive(Serialize, Deserialize)]
struct PointerItem {
    id: u64,
}

impl Store {
    /// Reads one contact.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contact(&self, tenant: &TenantId, id: ContactId) -> Result<Option<Contact>> {
        match self.get_item(&contact_key(tenant, id)).await? {
            Some(item) => from_item(item),
            None => Ok(None),
        }
    }

    /// Reads many contacts; those that do not exist are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contacts_of(&self, tenant: &TenantId, ids: &BTreeSet<ContactId>) -> Result<Vec<Contact>> {
        let items = self.get_many(ids.iter().map(|id| contact_key(tenant, *id)).collect()).await?;
        items.into_iter().filter_map(|item| from_item(item).transpose()).collect()
    }

    /// Finds the contact that carries `identity`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contact_by(&self, tenant: &TenantId, identity: &Identity) -> Result<Option<Contact>> {
        for key in identity_keys(tenant, identity) {
            let Some(pointer) = self.get::<PointerItem>(&key, "identity").await? else { continue };
            let contact = self.contact(tenant, ContactId(pointer.id)).await?;
            return Ok(contact.filter(|c| c.carries(identity)));
        }
        Ok(None)
    }

    /// Reserves `count` new ids; answers the first of them.
    ///
    /// The plan's contact limit is checked in the same update, against contacts
    /// that exist and ids that were reserved and not given back.
    ///
    /// # Errors
    /// [`Error::Conflict`] when `limit` has no room for `count` more.
    pub async fn reserve_contacts(
        &self,
        tenant: &TenantId,
        count: u64,
        limit: Option<u64>,
    ) -> Result<ContactId> {
        let mut update = Update::of(counter_key(tenant))
            .add("next", n(count))
            .add("used", n(count))
            .set("at", n(self.clock().now_ms()));
        if let Some(limit) = limit {
            let Some(most) = limit.checked_sub(count) else { return Err(Error::Conflict) };
            update = update.when(When::AbsentOrAtMost("used", n(most)));
        }
        let item = self.update_returning(update).await?;
        let next: u64 = number(&item, "next").ok_or(Error::Corrupt { kind: "counter" })?;
        Ok(ContactId(next - count + 1))
    }

    /// Moves what the plan's limit counts: down for reserved ids that stayed unused
    /// and for contacts that are gone, up for contacts on ids that others reserved.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn count_contacts(&self, tenant: &TenantId, by: i64) -> Result<()> {
        if by == 0 {
            return Ok(());
        }
        self.update(Update::of(counter_key(tenant)).add("used", n(by))).await
    }

    /// How many contacts `limit` still has room for. A killed import leaves
    /// reservations behind that nobody gives back: once no reservation can be
    /// under way, the contacts are counted anew.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contact_room(&self, tenant: &TenantId, limit: u64) -> Result<u64> {
        let counter = self.get_item(&counter_key(tenant)).await?.unwrap_or_default();
        let used: i64 = number(&counter, "used").unwrap_or(0);
        let stored = self.contact_total(tenant).await?;
        let quiet = self.clock().now_ms() - number(&counter, "at").unwrap_or(0) > RESERVATION_MS;
        if quiet && i64::try_from(stored).is_ok_and(|stored| stored != used) {
            let update =
                Update::of(counter_key(tenant)).set("used", n(stored)).when(When::Is("used", n(used)));
            match self.update(update).await {
                Ok(()) => return Ok(limit.saturating_sub(stored)),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(limit.saturating_sub(stored.max(u64::try_from(used).unwrap_or(0))))
    }

    /// Takes note that the tenant is about to lose contacts: campaigns under way look for
    /// each of theirs from now on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn note_loss(&self, tenant: &TenantId) -> Result<()> {
        self.update(Self::loss_update(tenant)).await
    }

    fn loss_update(tenant: &TenantId) -> Update {
        Update::of(counter_key(tenant)).add("lost", n(1))
    }

    /// The highest contact id that was ever given out, and how many times contacts were
    /// lost.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contact_marks(&self, tenant: &TenantId) -> Result<(ContactId, u64)> {
        let counter = self.get_item(&counter_key(tenant)).await?.unwrap_or_default();
        let of = |name| number(&counter, name).unwrap_or(0);
        Ok((ContactId(of("next")), of("lost")))
    }

    /// The highest contact id that was ever given out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn last_contact_id(&self, tenant: &TenantId) -> Result<ContactId> {
        Ok(self.contact_marks(tenant).await?.0)
    }
}
