//! Contacts: upsert, import, list and delete.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use domain::contact::{Contact, NewContact};
use domain::identity::Identity;
use domain::merge::{Applied, Book, Slot, Warning};
use domain::webhook::EventType;
use domain::{ContactId, Invalid, TenantId};
use jiff::Timestamp;
use store::Store;
use store::contacts::block_of;
use store::outbox::{ContactChange, Facts, Note};

use crate::events::{EventPublisher, Events, Transaction};
use crate::joining::{join, lift, lift_and_look};
use crate::{Code, Error, Result, flows, labels};

/// Deleted contacts that one job takes out of the campaigns.
pub(crate) const ERASED_AT_ONCE: usize = 100;

/// Changes that one entry of the outbox holds.
const NOTED: usize = 500;
/// Tries against concurrent writers.
pub(crate) const TRIES: u32 = 8;

/// An upserted contact.
#[derive(Debug, Clone)]
pub struct Upserted {
    /// The contact as it is now.
    pub contact: Contact,
    /// Whether it is new.
    pub created: bool,
    /// Something the caller should know.
    pub warning: Option<Warning>,
}

/// What became of the rows of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that made a contact.
    pub created: u64,
    /// Rows that were merged into one.
    pub updated: u64,
    /// Rows that were refused, by index.
    pub errors: Vec<(usize, Invalid)>,
    /// Rows that were applied only in part, by index.
    pub warnings: Vec<(usize, Warning)>,
}

fn plan_limit() -> Error {
    Error::new(Code::PlanLimit, "the plan's contact limit is reached")
}

/// Creates a contact or merges into the one it belongs to. `limit` is the plan's.
///
/// # Errors
/// [`Code::PlanLimit`] when a new contact has no room.
pub async fn upsert(
    publisher: &EventPublisher,
    tenant: &TenantId,
    limit: Option<u64>,
    new: &NewContact,
) -> Result<Upserted> {
    let store = &publisher.store;
    let events = publisher.caused_by(Transaction, tenant).await?;
    for _ in 0..TRIES {
        let mut book = store.load_book(tenant, new.identities().into_iter().collect()).await?;
        let now = store.clock().now();
        let mut reserved = 0;
        let applied = match book.clone().apply(0, new, now, &mut || None) {
            Ok(_) => book.apply(0, new, now, &mut || None),
            Err(_) => {
                let id = reserve(store, tenant, 1, limit).await?.ok_or_else(plan_limit)?.0;
                reserved = 1;
                book.apply(0, new, now, &mut || Some(id))
            }
        };
        let applied = applied.map_err(|_| plan_limit())?;
        labels::number(store, tenant, &book).await?;
        let tagged = flows::tag_facts(store, tenant, &book).await?;
        if commit(&events, store, tenant, &mut book, (reserved, tagged)).await? {
            return finish(&book, &applied);
        }
    }
    Err(store::Error::Contended.into())
}

/// Writes a book of one change, and what follows from it; answers whether nobody else
/// changed the same contacts meanwhile.
pub(crate) async fn commit(
    events: &Events<'_, Transaction>,
    store: &Store,
    tenant: &TenantId,
    book: &mut Book,
    (reserved, told): (u64, Vec<Facts>),
) -> Result<bool> {
    let joining = join(store, tenant, book).await?;
    match store.commit_single(tenant, book, &joining.not_out(tenant), note(events, book, told)).await {
        Ok(written) => {
            let count = |is: fn(&Slot) -> bool| book.slots().filter(|(_, slot)| is(slot)).count();
            let (created, absorbed) = (count(Slot::is_new), count(Slot::is_absorbed));
            settle(store, tenant, reserved, created, absorbed).await?;
            lift(store, tenant, &joining).await?;
            events.publish(written).await;
            Ok(true)
        }
        Err(store::Error::Conflict | store::Error::Contended) => {
            settle(store, tenant, reserved, 0, 0).await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// What the changes of a book are to be told as, when anybody wants to know; and what else is
/// told with them.
fn note(events: &Events<'_, Transaction>, book: &Book, told: Vec<Facts>) -> Note {
    let change = |(id, slot): (ContactId, &Slot)| {
        let contact = slot.after.as_ref().filter(|_| slot.changed())?;
        let created = slot.is_new();
        let kind = if created { EventType::ContactCreated } else { EventType::ContactUpdated };
        let version = slot.before.as_ref().map_or(0, |before| before.version) + 1;
        let merged = slot.partners.iter().copied().filter(|other| contact.absorbed.contains(other));
        let merged: Vec<ContactId> = merged.collect();
        let is_wanted = events.wants(kind, contact.origin)
            || (!merged.is_empty() && events.wants(EventType::ContactMerged, contact.origin));
        is_wanted.then(|| ContactChange::new(id, version, created).merging(merged))
    };
    let changes: Vec<ContactChange> = book.slots().filter_map(change).collect();
    let changes = changes.chunks(NOTED).map(|chunk| Facts::Contacts(chunk.to_vec()));
    events.note_facts(changes.chain(told))
}

fn finish(book: &Book, applied: &Applied) -> Result<Upserted> {
    let contact = book.slot(applied.id).and_then(|slot| slot.after.clone());
    let contact = contact.ok_or_else(|| Error::new(Code::Internal, "internal error"))?;
    Ok(Upserted { contact, created: applied.created, warning: applied.warning })
}

/// Reserves up to `count` ids: all of them, or as many as the plan has room for.
/// Answers the first id and how many there are.
async fn reserve(
    store: &Store,
    tenant: &TenantId,
    count: u64,
    limit: Option<u64>,
) -> Result<Option<(ContactId, u64)>> {
    match store.reserve_contacts(tenant, count, limit).await {
        Ok(first) => return Ok(Some((first, count))),
        Err(store::Error::Conflict) if limit.is_some() => {}
        Err(error) => return Err(error.into()),
    }
    let Some(limit) = limit else { return Ok(None) };
    let room = store.contact_room(tenant, limit).await?.min(count);
    if room == 0 {
        return Ok(None);
    }
    match store.reserve_contacts(tenant, room, Some(limit)).await {
        Ok(first) => Ok(Some((first, room))),
        Err(store::Error::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Counts contacts instead of the ids that were reserved for them. Some of the new
/// ones may have an id that another writer reserved, who gives it back.
async fn settle(
    store: &Store,
    tenant: &TenantId,
    reserved: u64,
    created: usize,
    absorbed: usize,
) -> Result<()> {
    let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let reserved = i64::try_from(reserved).unwrap_or(i64::MAX);
    Ok(store.count_contacts(tenant, signed(created) - signed(absorbed) - reserved).await?)
}

/// Imports rows as if they were sent one by one. A bad row is reported and never
/// fails the others; rows that a concurrent import touched are applied again.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer: send the same rows again.
pub async fn import(
    publisher: &EventPublisher,
    tenant: &TenantId,
    limit: Option<u64>,
    rows: Vec<std::result::Result<NewContact, Invalid>>,
) -> Result<Imported> {
    import_again(publisher, tenant, limit, rows, None).await
}

/// [`import`] of rows that may have been imported already since `since`, by somebody who
/// died before they could say so: contacts that were made since then count as created, by
/// the first row that describes them.
///
/// # Errors
/// As [`import`].
pub async fn import_again(
    publisher: &EventPublisher,
    tenant: &TenantId,
    limit: Option<u64>,
    rows: Vec<std::result::Result<NewContact, Invalid>>,
    since: Option<Timestamp>,
) -> Result<Imported> {
    let mut good: BTreeMap<usize, NewContact> = BTreeMap::new();
    let mut report = Imported::default();
    for (index, row) in rows.into_iter().enumerate() {
        match row {
            Ok(row) => {
                good.insert(index, row);
            }
            Err(invalid) => report.errors.push((index, invalid)),
        }
    }
    let store = &publisher.store;
    let events = &publisher.caused_by(Transaction, tenant).await?;
    let writer = store.entropy().ulid(store.clock().now()).to_string();
    let mut open: BTreeSet<usize> = good.keys().copied().collect();
    let mut applied: BTreeMap<usize, Applied> = BTreeMap::new();
    let recent = Mutex::default();
    for _ in 0..TRIES {
        if open.is_empty() {
            break;
        }
        let since = since.map(|since| (since, &recent));
        let round = Round { events, store, tenant, limit, writer: &writer, good: &good, since };
        open = round.run(&open, &mut applied, &mut report).await?;
    }
    let busy = "the contact kept being changed by other requests: send the row again";
    report.errors.extend(open.iter().map(|index| (*index, Invalid::new("contacts", busy))));
    let recent = recent.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut described = BTreeSet::new();
    for (index, applied) in applied.iter().filter(|(index, _)| !open.contains(index)) {
        let is_first = described.insert(applied.id);
        if applied.created || (is_first && recent.contains(&applied.id)) {
            report.created += 1;
        } else {
            report.updated += 1;
        }
        report.warnings.extend(applied.warning.map(|warning| (*index, warning)));
    }
    report.errors.sort_by_key(|(index, _)| *index);
    Ok(report)
}

/// One pass of an import over the rows that are still open.
struct Round<'a> {
    events: &'a Events<'a, Transaction>,
    store: &'a Store,
    tenant: &'a TenantId,
    limit: Option<u64>,
    writer: &'a str,
    good: &'a BTreeMap<usize, NewContact>,
    /// Collects the contacts that were made since then.
    since: Option<(Timestamp, &'a Mutex<BTreeSet<ContactId>>)>,
}

impl Round<'_> {
    async fn run(
        &self,
        open: &BTreeSet<usize>,
        applied: &mut BTreeMap<usize, Applied>,
        report: &mut Imported,
    ) -> Result<BTreeSet<usize>> {
        let identities: HashSet<Identity> =
            open.iter().filter_map(|i| self.good.get(i)).flat_map(NewContact::identities).collect();
        let loaded = self.store.load_book(self.tenant, identities).await?;
        let wanted = self.count_new(&loaded, open);
        let reserved = match wanted {
            0 => None,
            wanted => reserve(self.store, self.tenant, wanted, self.limit).await?,
        };
        let (first, count) = reserved.unwrap_or((ContactId(0), 0));
        let mut book = loaded;
        let mut next = 0;
        let now = self.store.clock().now();
        for index in open {
            let Some(row) = self.good.get(index) else { continue };
            let mut fresh = || {
                next += 1;
                (next <= count).then(|| ContactId(first.0 + next - 1))
            };
            match book.apply(*index, row, now, &mut fresh) {
                Ok(done) => {
                    self.note_recent(&book, done.id);
                    applied.insert(*index, done);
                }
                Err(_) => {
                    applied.remove(index);
                    report.errors.push((*index, Invalid::new("contact_limit", plan_limit().message)));
                }
            }
        }
        labels::number(self.store, self.tenant, &book).await?;
        let joining = join(self.store, self.tenant, &mut book).await?;
        let blocks = moved_blocks(&book);
        self.store.mark_blocks(self.tenant, &blocks, self.writer).await?;
        // Before the changes: whatever of them comes about is told, by the sweep at the latest.
        let written = self.store.write_note(note(self.events, &book, Vec::new())).await?;
        let is_absorbing = book.slots().any(|(_, slot)| slot.is_absorbed());
        if is_absorbing {
            self.store.note_loss(self.tenant).await?;
        }
        let commit = self.store.commit_bulk(self.tenant, &book).await?;
        // Before as well as after: campaigns that began in between planned whom they saw.
        if is_absorbing {
            self.store.note_loss(self.tenant).await?;
        }
        settle(self.store, self.tenant, count, commit.created.len(), commit.absorbed.len()).await?;
        self.store.recount_blocks(self.tenant, &blocks, self.writer).await?;
        lift_and_look(self.events.publisher(), self.tenant, &joining).await?;
        self.events.publish(written).await;
        Ok(commit.again)
    }

    fn note_recent(&self, book: &Book, id: ContactId) {
        let before = book.slot(id).and_then(|slot| slot.before.as_ref());
        if let (Some((since, recent)), Some(before)) = (self.since, before)
            && before.created_at >= since
        {
            recent.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        }
    }

    /// How many new contacts the rows need, by applying them to a copy.
    fn count_new(&self, loaded: &Book, open: &BTreeSet<usize>) -> u64 {
        let mut trial = loaded.clone();
        let mut count = 0;
        let now = self.store.clock().now();
        for index in open {
            if let Some(row) = self.good.get(index) {
                let mut fresh = || {
                    count += 1;
                    Some(ContactId(u64::MAX - count))
                };
                let _always_room = trial.apply(*index, row, now, &mut fresh);
            }
        }
        count
    }
}

/// What would become of a row.
#[derive(Debug, Clone)]
pub struct Previewed {
    /// The contact as it would be.
    pub contact: Contact,
    /// Whether it would be new.
    pub created: bool,
    /// Something the caller should know.
    pub warning: Option<Warning>,
}

/// What [`import`] would make of rows, without writing anything. A refusal says why.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer.
pub async fn preview(
    store: &Store,
    tenant: &TenantId,
    room: u64,
    rows: &[std::result::Result<NewContact, Invalid>],
) -> Result<Vec<std::result::Result<Previewed, Invalid>>> {
    let identities = rows.iter().flatten().flat_map(NewContact::identities).collect();
    let mut book = store.load_book(tenant, identities).await?;
    let (now, mut made) = (store.clock().now(), 0);
    let mut one = |(index, row): (usize, &std::result::Result<NewContact, Invalid>)| {
        let row = row.as_ref().map_err(Clone::clone)?;
        let mut fresh = || {
            made += 1;
            (made <= room).then(|| ContactId(u64::MAX - made))
        };
        let full = || Invalid::new("contact_limit", plan_limit().message);
        let applied = book.apply(index, row, now, &mut fresh).map_err(|_| full())?;
        let contact = book.slot(applied.id).and_then(|slot| slot.after.clone()).ok_or_else(full)?;
        Ok(Previewed { contact, created: applied.created, warning: applied.warning })
    };
    Ok(rows.iter().enumerate().map(&mut one).collect())
}

/// The blocks whose number of contacts changes.
fn moved_blocks(book: &Book) -> Vec<u64> {
    let moved = book.slots().filter(|(_, slot)| slot.is_new() || slot.gone);
    moved.map(|(id, _)| block_of(id)).collect::<BTreeSet<u64>>().into_iter().collect()
}

/// Deletes one contact. What campaigns know of it is erased by a worker.
///
/// # Errors
/// [`Code::NotFound`] when the tenant has no such contact.
pub async fn delete(publisher: &EventPublisher, tenant: &TenantId, id: ContactId) -> Result<()> {
    let events = publisher.caused_by(Transaction, tenant).await?;
    let note = events.note_facts([Facts::Deleted(vec![id.0])]);
    match publisher.store.delete_contact(tenant, id, note).await? {
        Some(written) => {
            events.publish(written).await;
            Ok(())
        }
        None => Err(Error::not_found("id", "there is no contact with this id")),
    }
}

/// Deletes many contacts; answers how many were deleted, and how many ids named
/// no contact of the tenant.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer: send the same ids again.
pub async fn delete_many(
    publisher: &EventPublisher,
    tenant: &TenantId,
    ids: &[ContactId],
) -> Result<(u64, u64)> {
    let store = &publisher.store;
    let unique: BTreeSet<ContactId> = ids.iter().copied().collect();
    let ids: Vec<ContactId> = unique.into_iter().collect();
    let known: BTreeSet<u64> = store.contact_blocks(tenant).await?.into_iter().collect();
    let ids_known: Vec<ContactId> = ids.iter().copied().filter(|id| known.contains(&block_of(*id))).collect();
    let blocks: Vec<u64> =
        ids_known.iter().map(|id| block_of(*id)).collect::<BTreeSet<_>>().into_iter().collect();
    let writer = store.entropy().ulid(store.clock().now()).to_string();
    store.mark_blocks(tenant, &blocks, &writer).await?;
    // Before they are: whoever is gone is erased, by the sweep at the latest.
    let events = publisher.caused_by(Transaction, tenant).await?;
    let chunks = ids_known.chunks(ERASED_AT_ONCE);
    let note = events.note_facts(chunks.map(|ids| Facts::Deleted(ids.iter().map(|id| id.0).collect())));
    let written = store.write_note(note).await?;
    let deleted = store.delete_contacts(tenant, &ids_known).await?;
    store.recount_blocks(tenant, &blocks, &writer).await?;
    events.publish(written).await;
    Ok((deleted, ids.len() as u64 - deleted))
}

/// Finds a contact by one of its identities.
///
/// # Errors
/// [`Code::NotFound`] when there is none.
pub async fn find(store: &Store, tenant: &TenantId, identity: &Identity, field: &str) -> Result<Contact> {
    let found = store.contact_by(tenant, identity).await?;
    found.ok_or_else(|| Error::not_found(field, "there is no such contact"))
}
