//! Changes of many contacts together, as an import makes them. Interrupted anywhere, a
//! repetition ends where it would have.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::contact::Contact;
use domain::identity::Identity;
use domain::merge::{Book, Slot};
use domain::{ContactId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    PointerItem, TOMBSTONE_S, TombstoneItem, block_of, contact_key, from_item, identity_key, older_keys,
    to_item,
};
use crate::batch::{Action, StatementResult, insert};
use crate::item::{Item, Key, compose, n, number};
use crate::outbox::{Note, Written};
use crate::update::When;
use crate::{Error, Result, Store, suppression};

/// Most opt-outs that a transaction of at most 100 actions looks for.
const MAX_CHECKS: usize = 25;
/// Single writes under way at once.
const CONCURRENCY: usize = 32;

/// What became of a book's changes.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Rows whose contact changed under us: apply them to a fresh book.
    pub again: BTreeSet<usize>,
    /// Contacts that were made.
    pub created: BTreeSet<ContactId>,
    /// Contacts that became part of another one.
    pub absorbed: BTreeSet<ContactId>,
}

/// Contacts that must be written together, because identities move between them.
type Unit<'a> = Vec<(ContactId, &'a Slot)>;

impl Store {
    /// Reads everything that rows with these identities can touch.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn load_book(&self, tenant: &TenantId, identities: HashSet<Identity>) -> Result<Book> {
        let mut book = Book::default();
        let mut ids = BTreeSet::new();
        for (identity, id) in self.holders(tenant, identities).await? {
            book.load_pointer(identity, id);
            ids.insert(id);
        }
        let keys = ids.into_iter().map(|id| contact_key(tenant, id)).collect();
        self.fill(&mut book, self.get_many(keys).await?)?;
        Ok(book)
    }

    /// Adds contacts as they were read.
    pub(super) fn fill(&self, book: &mut Book, items: Vec<Item>) -> Result<()> {
        for item in items {
            let (id, version) = (sort_id(&item), number(&item, "ver").unwrap_or(0));
            match from_item(item)? {
                Some(contact) => book.load_contact(contact),
                // A tombstone: the id is taken, and carries nothing.
                None => {
                    let mut nobody = Contact::empty(id, self.clock().now());
                    nobody.version = version;
                    book.load_contact(nobody);
                }
            }
        }
        Ok(())
    }

    /// The ids that identities point to, where they point to any.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn holders(
        &self,
        tenant: &TenantId,
        identities: HashSet<Identity>,
    ) -> Result<HashMap<Identity, ContactId>> {
        let of_today = identities.iter().map(|identity| (identity_key(tenant, identity), identity));
        let by_key: HashMap<Key, &Identity> = of_today.collect();
        let mut found = self.pointers(&by_key).await?;
        let missing = identities.iter().filter(|identity| !found.contains_key(*identity));
        let older: HashMap<Key, &Identity> = missing
            .flat_map(|identity| older_keys(tenant, identity).into_iter().map(move |key| (key, identity)))
            .collect();
        for (identity, id) in self.pointers(&older).await? {
            // Moved at once, so that whoever writes finds it where it belongs.
            match self.create(pointer(tenant, &identity, id)?).await {
                Ok(()) | Err(Error::Conflict) => found.insert(identity, id),
                Err(error) => return Err(error),
            };
        }
        Ok(found)
    }

    async fn pointers(&self, by_key: &HashMap<Key, &Identity>) -> Result<HashMap<Identity, ContactId>> {
        if by_key.is_empty() {
            return Ok(HashMap::new());
        }
        let items = self.get_many(by_key.keys().cloned().collect()).await?;
        let found = items.iter().filter_map(|item| {
            let identity = by_key.get(&Key::of(item)?)?;
            Some(((*identity).clone(), ContactId(number(item, "id")?)))
        });
        Ok(found.collect())
    }

    /// Writes what changed in a book of one row, in one transaction with the
    /// heads of its blocks, and with a note in the outbox; unless somebody opted out meanwhile
    /// under one of `not_out`, ids of opt-outs that there were none of.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something changed under us: load and apply again.
    pub async fn commit_single(
        &self,
        tenant: &TenantId,
        book: &Book,
        not_out: &[String],
        note: Note,
    ) -> Result<Written> {
        let unit: Unit<'_> = book.slots().filter(|(_, slot)| slot.changed()).collect();
        if unit.is_empty() {
            return Ok(Note::none().written());
        }
        let mut actions = self.unit_actions(tenant, book, &unit)?;
        actions.extend(not_out.iter().take(MAX_CHECKS).map(|id| suppression::check_absent(tenant, id)));
        let mut moved: BTreeMap<u64, i64> = BTreeMap::new();
        for (id, slot) in &unit {
            let by = i64::from(slot.after.is_some()) - i64::from(slot.before.is_some());
            *moved.entry(block_of(*id)).or_default() += by;
        }
        // In the same moment: whoever plans before it sees the count rise, and whoever plans after
        // it the contacts.
        if unit.iter().any(|(_, slot)| slot.is_lost()) {
            actions.push(Action::Update(Self::loss_update(tenant)));
        }
        let heads = moved.into_iter().filter(|(_, by)| *by != 0);
        actions.extend(heads.map(|(block, by)| Action::Update(Self::head_update(tenant, block, by))));
        actions.extend(note.actions()?);
        self.transact(actions).await?;
        Ok(note.written())
    }

    /// Writes what changed in a book of many rows. The blocks it touches must be
    /// marked before ([`Store::mark_blocks`]) and recounted after.
    ///
    /// New contacts cost one write for each identity and one for themselves; a
    /// contact whose identities stay costs one; only contacts that exchange
    /// identities need a transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer; what was written
    /// until then stays, and the same rows may simply be sent again.
    pub async fn commit_bulk(&self, tenant: &TenantId, book: &Book) -> Result<Commit> {
        let mut commit = Commit::default();
        let (mut fresh, mut plain, mut units) = (Vec::new(), Vec::new(), Vec::new());
        for unit in units_of(book) {
            match unit.as_slice() {
                [(id, slot)] if is_fresh(book, *id, slot) => fresh.push((*id, *slot)),
                [(_, slot)] if identities_stay(slot) => plain.push(*slot),
                _ => units.push(unit),
            }
        }
        self.create_fresh(tenant, book, fresh, &mut commit).await?;
        self.replace_plain(tenant, plain, &mut commit).await?;
        let writes = units.into_iter().map(|unit| self.write_unit(tenant, book, unit));
        let results: Vec<(Unit<'_>, bool)> = stream::iter(writes.collect::<Vec<_>>())
            .buffer_unordered(CONCURRENCY)
            .boxed()
            .try_collect()
            .await?;
        for (unit, written) in results {
            for (id, slot) in unit {
                if !written {
                    commit.again.extend(&slot.rows);
                } else if slot.is_new() {
                    commit.created.insert(id);
                } else if slot.is_absorbed() {
                    commit.absorbed.insert(id);
                }
            }
        }
        Ok(commit)
    }

    /// Identities first, phones before the others, then the contacts. Whoever is
    /// killed in between leaves a pointer to a vacant id, which the next one adopts.
    async fn create_fresh(
        &self,
        tenant: &TenantId,
        book: &Book,
        mut fresh: Vec<(ContactId, &Slot)>,
        commit: &mut Commit,
    ) -> Result<()> {
        for phones in [true, false] {
            let mut statements = Vec::new();
            let mut owners = Vec::new();
            for (id, slot) in &fresh {
                for identity in slot.after.iter().flat_map(Contact::identities) {
                    if matches!(identity, Identity::Phone(_)) == phones && book.pointer(&identity).is_none() {
                        statements.push(insert(self.table(), pointer(tenant, &identity, *id)?)?);
                        owners.push(*id);
                    }
                }
            }
            let lost: HashSet<ContactId> = self.lost(statements, owners).await?;
            give_up(&mut fresh, &lost, commit);
        }
        let mut statements = Vec::with_capacity(fresh.len());
        for contact in fresh.iter().filter_map(|(_, slot)| slot.after.as_ref()) {
            statements.push(insert(self.table(), to_item(tenant, contact, 1)?)?);
        }
        let owners = fresh.iter().map(|(id, _)| *id).collect();
        let lost = self.lost(statements, owners).await?;
        give_up(&mut fresh, &lost, commit);
        commit.created.extend(fresh.into_iter().map(|(id, _)| id));
        Ok(())
    }

    /// Runs inserts; answers the owners of those whose key was taken.
    async fn lost(
        &self,
        statements: Vec<aws_sdk_dynamodb::types::BatchStatementRequest>,
        owners: Vec<ContactId>,
    ) -> Result<HashSet<ContactId>> {
        let answers = self.execute(statements).await?;
        Ok(owners
            .into_iter()
            .zip(answers)
            .filter(|(_, a)| *a != StatementResult::Yes)
            .map(|(id, _)| id)
            .collect())
    }

    async fn replace_plain(&self, tenant: &TenantId, slots: Vec<&Slot>, commit: &mut Commit) -> Result<()> {
        let writes = slots.into_iter().map(|slot| self.write_plain(tenant, slot));
        let results: Vec<Option<&Slot>> = stream::iter(writes.collect::<Vec<_>>())
            .buffer_unordered(CONCURRENCY)
            .boxed()
            .try_collect()
            .await?;
        commit.again.extend(results.into_iter().flatten().flat_map(|slot| &slot.rows));
        Ok(())
    }

    /// Replaces one contact; answers it when it changed under us.
    async fn write_plain<'a>(&self, tenant: &TenantId, slot: &'a Slot) -> Result<Option<&'a Slot>> {
        let (Some(before), Some(after)) = (&slot.before, &slot.after) else { return Ok(None) };
        match self.replace_contact(tenant, before.version, after).await {
            Ok(()) => Ok(None),
            Err(Error::Conflict | Error::Contended) => Ok(Some(slot)),
            Err(error) => Err(error),
        }
    }

    /// Writes one unit; answers whether nothing of it had changed under us.
    async fn write_unit<'a>(
        &self,
        tenant: &TenantId,
        book: &Book,
        unit: Unit<'a>,
    ) -> Result<(Unit<'a>, bool)> {
        match self.transact(self.unit_actions(tenant, book, &unit)?).await {
            Ok(()) => Ok((unit, true)),
            Err(Error::Conflict | Error::Contended) => Ok((unit, false)),
            Err(error) => Err(error),
        }
    }

    /// Writes a contact anew whose identities stay; `version` is the one that was read.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it changed since.
    pub async fn replace_contact(&self, tenant: &TenantId, version: u64, contact: &Contact) -> Result<()> {
        self.replace(to_item(tenant, contact, version + 1)?, vec![When::Is("ver", n(version))]).await
    }

    /// The writes of one unit, with everything they rest on as conditions.
    fn unit_actions(&self, tenant: &TenantId, book: &Book, unit: &Unit<'_>) -> Result<Vec<Action>> {
        let members: BTreeSet<ContactId> = unit.iter().map(|(id, _)| *id).collect();
        let mut actions = Vec::new();
        let mut kept: HashSet<Identity> = HashSet::new();
        for (id, slot) in unit {
            actions.push(self.slot_action(tenant, *id, slot)?);
            for identity in slot.after.iter().flat_map(Contact::identities) {
                actions.extend(pointer_actions(tenant, book, &members, *id, &identity)?);
                kept.insert(identity);
            }
        }
        for (id, slot) in unit {
            for identity in slot.before.iter().flat_map(Contact::identities).filter(|i| !kept.contains(i)) {
                let key = identity_key(tenant, &identity);
                actions.push(Action::Delete(key, vec![When::Is("id", n(id.0))]));
            }
        }
        Ok(actions)
    }

    fn slot_action(&self, tenant: &TenantId, id: ContactId, slot: &Slot) -> Result<Action> {
        let version = slot.before.as_ref().map(|c| c.version);
        let when = vec![unchanged(version)];
        let item = match &slot.after {
            Some(contact) => to_item(tenant, contact, version.unwrap_or(0) + 1)?,
            None => self.tombstone(tenant, id, version.unwrap_or(0) + 1)?,
        };
        Ok(Action::Put(item, when))
    }

    /// What a deleted contact leaves behind.
    pub(super) fn tombstone(&self, tenant: &TenantId, id: ContactId, version: u64) -> Result<Item> {
        let ttl = self.clock().now().as_second() + TOMBSTONE_S;
        compose(&contact_key(tenant, id), "contact", &TombstoneItem { gone: true, ver: version, ttl })
    }
}

fn pointer_actions(
    tenant: &TenantId,
    book: &Book,
    members: &BTreeSet<ContactId>,
    id: ContactId,
    identity: &Identity,
) -> Result<Vec<Action>> {
    let key = identity_key(tenant, identity);
    let put = |when| pointer(tenant, identity, id).map(|item| Action::Put(item, vec![when]));
    let carries = |id: ContactId| {
        let before = book.slot(id).and_then(|slot| slot.before.as_ref());
        before.is_some_and(|contact| contact.carries(identity))
    };
    // Only what the rows name was loaded; the rest points to the contact that carries it.
    let pointed = book.pointer(identity).or_else(|| members.iter().copied().find(|id| carries(*id)));
    match pointed {
        None => Ok(vec![put(When::Absent("pk"))?]),
        Some(to) if to == id => {
            // Adopted: nobody may have pointed it elsewhere since.
            Ok(if carries(id) { Vec::new() } else { vec![Action::Check(key, vec![When::Is("id", n(id.0))])] })
        }
        Some(other) => {
            let mut actions = vec![put(When::Is("id", n(other.0)))?];
            if !members.contains(&other) {
                let version = book.slot(other).and_then(|s| s.before.as_ref()).map(|c| c.version);
                actions.push(Action::Check(contact_key(tenant, other), vec![unchanged(version)]));
            }
            Ok(actions)
        }
    }
}

fn unchanged(version: Option<u64>) -> When {
    version.map_or(When::Absent("pk"), |version| When::Is("ver", n(version)))
}

fn pointer(tenant: &TenantId, identity: &Identity, id: ContactId) -> Result<Item> {
    compose(&identity_key(tenant, identity), "identity", &PointerItem { id: id.0 })
}

pub(super) fn sort_id(item: &Item) -> ContactId {
    ContactId(crate::item::text(item, "sk").and_then(|sk| sk.parse().ok()).unwrap_or(0))
}

fn give_up(fresh: &mut Vec<(ContactId, &Slot)>, lost: &HashSet<ContactId>, commit: &mut Commit) {
    fresh.retain(|(id, slot)| {
        let keep = !lost.contains(id);
        if !keep {
            commit.again.extend(&slot.rows);
        }
        keep
    });
}

/// A contact that nothing else depends on: new, and its identities free or its own.
fn is_fresh(book: &Book, id: ContactId, slot: &Slot) -> bool {
    slot.is_new()
        && slot.after.iter().flat_map(Contact::identities).all(|i| book.pointer(&i).is_none_or(|to| to == id))
}

fn identities_stay(slot: &Slot) -> bool {
    match (&slot.before, &slot.after) {
        (Some(before), Some(after)) => before.identities() == after.identities(),
        (Some(_) | None, None) | (None, Some(_)) => false,
    }
}

/// Groups changed contacts with those that exchanged identities with them.
fn units_of(book: &Book) -> Vec<Unit<'_>> {
    let mut seen: BTreeSet<ContactId> = BTreeSet::new();
    let mut units = Vec::new();
    for (id, slot) in book.slots().filter(|(_, slot)| slot.changed()) {
        if !seen.insert(id) {
            continue;
        }
        let mut unit = vec![(id, slot)];
        let mut open: Vec<ContactId> = slot.partners.clone();
        while let Some(next) = open.pop() {
            if let (true, Some(partner)) = (seen.insert(next), book.slot(next)) {
                unit.push((next, partner));
                open.extend(&partner.partners);
            }
        }
        units.push(unit);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::super::is_tombstone;
    use super::*;

    #[test]
    fn a_tombstone_is_no_contact() {
        let item = Item::from([("gone".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true))]);
        assert!(is_tombstone(&item));
        assert!(from_item(item).unwrap().is_none());
    }
}
