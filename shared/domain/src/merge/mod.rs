//! Applying rows to contacts: who a row is, and what it changes.
//!
//! A [`Book`] holds the part of a tenant's contacts that some rows can touch.
//! Rows are applied one by one, so that the result of an import equals the
//! result of its rows sent one at a time; the store then writes what changed.

mod change;
mod identities;

pub use change::{ChangeRefused, ContactChange, NameChange};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::contact::{Contact, MAX_METADATA, MAX_TAGS, NewContact, same_tag};
use crate::identity::Identity;
use crate::list::MAX_LISTS_OF_CONTACT;
use crate::note::join_notes;
use crate::phone::LeftOut;
use crate::{ContactId, EmailAddress, ListId};
use identities::{add_alias, merge_identities, system, system_of};

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The contact that the row describes.
    pub id: ContactId,
    /// Whether the row made a new contact.
    pub created: bool,
    /// Something the caller should know.
    pub warning: Option<Warning>,
}

/// Why a row was applied only in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The e-mail address belongs to another contact and stays with it.
    EmailTaken,
    /// The phone number belongs to another contact and stays with it.
    PhoneTaken,
    /// The number was one of several, or had an extension.
    LeftOut(LeftOut),
    /// Merging would pass a limit (tags or metadata): the rest was applied.
    LimitReached,
}

impl Warning {
    /// As answers print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmailTaken => "email_taken",
            Self::PhoneTaken => "phone_taken",
            Self::LeftOut(what) => what.as_str(),
            Self::LimitReached => "limit_reached",
        }
    }
}

/// Why a row was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

/// One contact of a [`Book`], before and after.
#[derive(Debug, Clone)]
pub struct Slot {
    /// As it was read; `None` is an id that no contact has yet.
    pub before: Option<Contact>,
    /// As it is now; `None` is no contact.
    pub after: Option<Contact>,
    /// Absorbed by another contact.
    pub gone: bool,
    /// The rows that touched it.
    pub rows: Vec<usize>,
    /// Contacts whose identities moved to or from this one.
    pub partners: Vec<ContactId>,
}

impl Slot {
    /// Whether anything has to be written.
    pub fn changed(&self) -> bool {
        self.gone || self.before != self.after
    }

    /// Whether the contact is new.
    pub fn is_new(&self) -> bool {
        self.before.is_none() && self.after.is_some()
    }

    /// Whether a stored contact is no more what it was known by: campaigns that planned it
    /// have to look at it again.
    pub fn is_lost(&self) -> bool {
        self.before.as_ref().is_some_and(|before| match &self.after {
            Some(after) => before.identities().iter().any(|identity| !after.carries(identity)),
            None => true,
        })
    }

    /// Whether a stored contact became part of another one.
    pub fn is_absorbed(&self) -> bool {
        self.gone && self.before.is_some()
    }
}

/// The contacts that some rows can touch, and where identities point.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Where identities pointed when they were read.
    loaded: HashMap<Identity, ContactId>,
    /// Where they point after the rows applied so far.
    pointers: HashMap<Identity, ContactId>,
    slots: BTreeMap<ContactId, Slot>,
}

impl Book {
    /// Adds what the store says about an identity. The id may have no contact:
    /// whoever wrote the pointer died before the contact, and the id is vacant.
    pub fn load_pointer(&mut self, identity: Identity, id: ContactId) {
        self.loaded.insert(identity.clone(), id);
        self.pointers.insert(identity, id);
        self.slots.entry(id).or_insert_with(vacant);
    }

    /// Adds a stored contact.
    pub fn load_contact(&mut self, contact: Contact) {
        let slot = self.slots.entry(contact.id).or_insert_with(vacant);
        slot.before = Some(contact.clone());
        slot.after = Some(contact);
    }

    /// The contacts that were loaded or made, by id.
    pub fn slots(&self) -> impl Iterator<Item = (ContactId, &Slot)> {
        self.slots.iter().map(|(id, slot)| (*id, slot))
    }

    /// One contact.
    pub fn slot(&self, id: ContactId) -> Option<&Slot> {
        self.slots.get(&id)
    }

    /// A contact as it is now, to be changed in what identifies nobody.
    pub fn contact_mut(&mut self, id: ContactId) -> Option<&mut Contact> {
        self.slots.get_mut(&id)?.after.as_mut()
    }

    /// Where an identity pointed when it was loaded.
    pub fn pointer(&self, identity: &Identity) -> Option<ContactId> {
        self.loaded.get(identity).copied()
    }

    /// The contact that carries `identity`, or the vacant id that it points to.
    pub fn holder(&self, identity: &Identity) -> Option<ContactId> {
        let id = *self.pointers.get(identity)?;
        let slot = self.slots.get(&id)?;
        match &slot.after {
            Some(contact) => contact.carries(identity).then_some(id),
            None if slot.gone || slot.before.is_some() => None,
            None => Some(id),
        }
    }

    /// Applies one row.
    ///
    /// `fresh` gives the id of a new contact, or `None` when the plan has no room.
    ///
    /// # Errors
    /// [`NoRoom`] when the row needs a new contact and there is none.
    pub fn apply(
        &mut self,
        index: usize,
        row: &NewContact,
        now: Timestamp,
        fresh: &mut dyn FnMut() -> Option<ContactId>,
    ) -> Result<Applied, NoRoom> {
        let mut row = row.clone();
        let united = if row.is_proven { self.unite(&row.proven_identities(), now) } else { None };
        let Found { target, warning, is_known_elsewhere } = self.identify(&mut row, united, now);
        let (id, created) = match target {
            Some(id) => (id, self.materialise(id, now)),
            None => {
                let id = fresh().ok_or(NoRoom)?;
                self.slots.entry(id).or_insert_with(vacant);
                (id, self.materialise(id, now))
            }
        };
        let limit = self.merge(id, &row, is_known_elsewhere || row.is_proven, now);
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.rows.push(index);
        }
        let left_out = row.left_out.map(Warning::LeftOut);
        Ok(Applied { id, created, warning: warning.or(limit).or(left_out) })
    }

    /// Makes one contact, the oldest, of all that carry any of these identities: a provider
    /// knows that they are one person's. Answers it, unless nobody carries one.
    pub fn unite(&mut self, identities: &[Identity], now: Timestamp) -> Option<ContactId> {
        let holders: BTreeSet<ContactId> = identities.iter().filter_map(|i| self.holder(i)).collect();
        self.make_one(holders, now)
    }

    /// Makes one contact, the oldest, of these. Answers it, unless there are none.
    pub fn make_one(&mut self, contacts: BTreeSet<ContactId>, now: Timestamp) -> Option<ContactId> {
        let mut contacts = contacts.into_iter();
        let oldest = contacts.next()?;
        contacts.for_each(|other| self.absorb(oldest, other, now));
        Some(oldest)
    }

    /// A provider says that whoever was `from` is `to` from now on. A number that was given
    /// up is nobody's; a user id stays known, since older messages carry it. Answers who it
    /// is, unless nobody was `from`.
    pub fn rename(&mut self, from: &Identity, to: &NewContact, now: Timestamp) -> Option<ContactId> {
        self.holder(from).filter(|id| self.contact(*id).is_some())?;
        let all: Vec<Identity> = std::iter::once(from.clone()).chain(to.proven_identities()).collect();
        let id = self.unite(&all, now)?;
        let contact = self.slots.get_mut(&id)?.after.as_mut()?;
        if matches!(from, Identity::Phone(_)) && !to.proven_identities().contains(from) {
            contact.phone.take_if(|phone| Identity::from(&*phone) == *from);
            contact.aliases.retain(|alias| alias != from);
            contact.updated_at = now;
            self.pointers.remove(from);
        }
        self.merge(id, to, true, now);
        Some(id)
    }

    /// Finds the contact that the row describes. Identities that the row may not
    /// give to it are taken out of the row; a second contact that proves to be
    /// the same person is absorbed.
    fn identify(&mut self, row: &mut NewContact, united: Option<ContactId>, now: Timestamp) -> Found {
        let mut warning = None;
        let mut is_known_elsewhere = false;
        let mut target = united.or_else(|| self.holder(&Identity::from(row.phone.as_ref()?)));
        let by_phone = target.is_some();
        let proven = if row.is_proven { row.proven_identities() } else { Vec::new() };
        for identity in row.identities() {
            if matches!(identity, Identity::Phone(_)) || proven.contains(&identity) {
                continue;
            }
            let is_external = matches!(identity, Identity::External(_));
            match (target, self.holder(&identity)) {
                (Some(a), Some(b)) if a != b => {
                    let may_join = is_external || self.has_no_phone(b);
                    if self.lacks(a, &identity) && may_join && !self.differ(a, b) {
                        self.absorb(a, b, now);
                        is_known_elsewhere |= is_external;
                    } else if is_external && by_phone && !row.is_proven {
                        // Their system says that they have a number that somebody else has.
                        target = Some(b);
                        row.phone = None;
                        warning = warning.or(Some(Warning::PhoneTaken));
                    } else {
                        warning = warning.or(drop_identity(row, &identity));
                    }
                }
                (Some(a), Some(_)) if is_external => is_known_elsewhere |= self.carries(a, &identity),
                (Some(a), None) if !self.lacks(a, &identity) && !is_known_elsewhere => {
                    drop_identity(row, &identity);
                }
                (None, Some(b)) if is_external => {
                    is_known_elsewhere = true;
                    target = Some(b);
                }
                (None, Some(b))
                    if (row.phone.is_some() && !self.has_no_phone(b)) || self.has_another_id(b, row) =>
                {
                    warning = warning.or(drop_identity(row, &identity));
                }
                (None, Some(b)) => target = Some(b),
                (Some(_) | None, None | Some(_)) => {}
            }
        }
        Found { target, warning, is_known_elsewhere }
    }

    fn contact(&self, id: ContactId) -> Option<&Contact> {
        self.slots.get(&id)?.after.as_ref()
    }

    fn carries(&self, id: ContactId, identity: &Identity) -> bool {
        self.contact(id).is_some_and(|contact| contact.carries(identity))
    }

    fn has_no_phone(&self, id: ContactId) -> bool {
        self.contact(id).is_none_or(|c| c.phone.is_none())
    }

    /// Whether the contact is somebody else on the row's custom channel, or in the system
    /// that it comes from, as one with another phone is.
    fn has_another_id(&self, id: ContactId, row: &NewContact) -> bool {
        let Some(contact) = self.contact(id) else { return false };
        let on_channel = row
            .custom
            .as_ref()
            .is_some_and(|(channel, value)| contact.custom.iter().any(|(c, v)| c == channel && v != value));
        let elsewhere = row.external_id.as_ref().is_some_and(|external| {
            let of_system = |alias: &&Identity| system_of(alias) == system(external);
            contact.aliases.iter().filter(of_system).any(|alias| alias.value() != external)
        });
        on_channel || elsewhere
    }

    /// Whether two contacts are different people to one custom channel or one system, or
    /// have different e-mail addresses beside their phones.
    fn differ(&self, a: ContactId, b: ContactId) -> bool {
        let (Some(a), Some(b)) = (self.contact(a), self.contact(b)) else { return false };
        let emails = [a, b].map(|contact| contact.email.as_ref().map(EmailAddress::identity));
        let both_reachable = a.phone.is_some() && b.phone.is_some();
        a.custom.iter().any(|(channel, id)| b.custom.iter().any(|(c, i)| c == channel && i != id))
            || a.aliases.iter().filter(|alias| system_of(alias).is_some()).any(|alias| {
                b.aliases.iter().any(|other| system_of(other) == system_of(alias) && other != alias)
            })
            || (both_reachable && emails[0].is_some() && emails[1].is_some() && emails[0] != emails[1])
    }

    /// Whether the contact has no value of this kind yet.
    fn lacks(&self, id: ContactId, identity: &Identity) -> bool {
        let Some(contact) = self.contact(id) else { return true };
        match identity {
            Identity::Phone(_) => contact.phone.is_none(),
            Identity::Email(_) => contact.email.is_none(),
            Identity::Bsuid(_) => contact.bsuid.is_none(),
            Identity::Custom { channel, .. } => contact.custom.iter().all(|(c, _)| c != channel),
            Identity::External(external) => {
                contact.aliases.iter().all(|alias| system_of(alias) != system(external))
            }
            Identity::Lid(_) => true,
        }
    }

    /// Makes sure that `id` has a contact; answers whether it is new.
    fn materialise(&mut self, id: ContactId, now: Timestamp) -> bool {
        match self.slots.get_mut(&id) {
            Some(slot) if slot.after.is_none() => {
                slot.after = Some(Contact::empty(id, now));
                true
            }
            Some(_) | None => false,
        }
    }

    /// Makes `b` a part of `a`: `a` lives, `b` becomes unknown.
    fn absorb(&mut self, a: ContactId, b: ContactId, now: Timestamp) {
        self.materialise(a, now);
        let Some(lost) = self.slots.get_mut(&b) else { return };
        lost.gone = true;
        lost.partners.push(a);
        let (other, rows) = (lost.after.take(), lost.rows.clone());
        let Some(slot) = self.slots.get_mut(&a) else { return };
        slot.partners.push(b);
        slot.rows.extend(rows);
        let (Some(contact), Some(other)) = (slot.after.as_mut(), other) else { return };
        contact.absorbed.push(b);
        contact.absorbed.extend(other.absorbed.iter().copied());
        let theirs = other.identities();
        if contact.name.is_none()
            || (contact.is_profile_name && other.name.is_some() && !other.is_profile_name)
        {
            contact.name = other.name;
            contact.first_name = other.first_name;
            contact.is_profile_name = other.is_profile_name;
        }
        contact.phone = contact.phone.take().or(other.phone);
        contact.email = contact.email.take().or(other.email);
        contact.bsuid = contact.bsuid.take().or(other.bsuid);
        contact.created_at = contact.created_at.min(other.created_at);
        for (channel, value) in other.custom {
            if contact.custom.iter().all(|(c, _)| *c != channel) {
                contact.custom.push((channel, value));
            }
        }
        // Of two people who are one every identity counts, however many there are.
        theirs.into_iter().for_each(|identity| add_alias(contact, identity, usize::MAX));
        contact.consent.merge(other.consent);
        add_tags(contact, &other.tags);
        add_lists(contact, &other.lists);
        join_notes(&mut contact.notes, other.notes);
        for (key, value) in other.metadata {
            contact.metadata.entry(key).or_insert(value);
        }
        contact.updated_at = now;
        for identity in contact.identities() {
            self.pointers.insert(identity, a);
        }
    }

    /// Merges a row into a contact. `is_newer`: who says so knows the person by more than
    /// their phone and e-mail address, and tells of new ones.
    fn merge(&mut self, id: ContactId, row: &NewContact, is_newer: bool, now: Timestamp) -> Option<Warning> {
        let contact = self.slots.get_mut(&id)?.after.as_mut()?;
        let before = contact.clone();
        // A provider only knows what a profile is called.
        let is_welcome = !row.is_proven || contact.name.is_none();
        if let Some(name) = row.name.as_ref().filter(|name| !name.is_empty() && is_welcome) {
            contact.name = Some(name.clone());
            contact.first_name = row.first_name.clone();
            contact.is_profile_name = row.is_proven;
        }
        merge_identities(contact, row, is_newer);
        contact.origin = contact.origin.or(row.origin);
        if let Some(proof) = &row.opt_in {
            contact.consent.agree(proof.clone());
        }
        let mut full = !add_tags(contact, &row.tags);
        let kept = contact.metadata.clone();
        for (key, value) in &row.metadata {
            contact.metadata.insert(key.clone(), value.clone());
        }
        if serde_json::to_string(&contact.metadata).is_ok_and(|json| json.len() > MAX_METADATA) {
            contact.metadata = kept;
            full = true;
        }
        if *contact != before {
            contact.updated_at = now;
        }
        for identity in contact.identities() {
            self.pointers.insert(identity, id);
        }
        full.then_some(Warning::LimitReached)
    }
}

/// Whom a row describes.
struct Found {
    target: Option<ContactId>,
    warning: Option<Warning>,
    /// They were found by their id in the system that they come from.
    is_known_elsewhere: bool,
}

fn vacant() -> Slot {
    Slot { before: None, after: None, gone: false, rows: Vec::new(), partners: Vec::new() }
}

/// Unites tags; answers whether all of them had room.
fn add_tags(contact: &mut Contact, tags: &[String]) -> bool {
    for tag in tags {
        if contact.tags.iter().any(|known| same_tag(known, tag)) {
            continue;
        }
        if contact.tags.len() == MAX_TAGS {
            return false;
        }
        contact.tags.push(tag.clone());
    }
    true
}

/// Puts a contact into lists; answers whether all of them had room.
fn add_lists(contact: &mut Contact, lists: &[ListId]) -> bool {
    for list in lists {
        if contact.lists.contains(list) {
            continue;
        }
        if contact.lists.len() == MAX_LISTS_OF_CONTACT {
            return false;
        }
        contact.lists.push(*list);
    }
    true
}

fn drop_identity(row: &mut NewContact, identity: &Identity) -> Option<Warning> {
    match identity {
        Identity::Phone(_) => row.phone = None,
        Identity::Email(_) => {
            row.email = None;
            return Some(Warning::EmailTaken);
        }
        Identity::Bsuid(_) => row.bsuid = None,
        Identity::Custom { .. } => row.custom = None,
        Identity::External(_) => row.external_id = None,
        Identity::Lid(_) => row.aliases.retain(|alias| alias != identity),
    }
    None
}

#[cfg(test)]
mod tests;
