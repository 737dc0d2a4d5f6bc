//! Facts that were written down together with what they are about, until they
//! were told on: `OUTBOX#<shard>`, by time.

use domain::{ContactId, TenantId};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Key, Query, compose, read};
use crate::{Error, Kind, Result, Store, sha256_hex};

/// Partitions of the outbox.
const SHARDS: u8 = 4;
/// How long a fact is told on that nobody could tell on, in seconds: 30 days.
const KEEP_S: i64 = 30 * 86_400;

/// A change of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactChange {
    /// The contact.
    id: u64,
    /// Its version after the change.
    pub version: u64,
    /// Whether it is new.
    pub created: bool,
}

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facts {
    /// An event, as JSON of its own.
    Event(String),
    /// Changes of contacts, as far as they came about.
    Contacts(Vec<ContactChange>),
    /// Contacts that were deleted, as far as that came about: what campaigns know of
    /// them is to be erased.
    Deleted(Vec<u64>),
}

/// An entry of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub tenant: TenantId,
    /// Names it.
    pub id: String,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: i64,
    /// What is to be told.
    pub facts: Facts,
}

#[derive(Serialize, Deserialize)]
struct EntryItem {
    tenant: String,
    id: String,
    at: i64,
    facts: Facts,
    ttl: i64,
}

fn key(entry: &Entry) -> Key {
    let hash = sha256_hex(&entry.id);
    let shard = u8::from_str_radix(&hash[..2], 16).unwrap_or(0) % SHARDS;
    Key::new(Kind::Outbox.pk(shard), format!("{:013}#{}", entry.at_ms, entry.id))
}

impl ContactChange {
    /// A change of a contact.
    pub fn new(contact: ContactId, version: u64, created: bool) -> Self {
        Self { id: contact.0, version, created }
    }

    /// The contact.
    pub fn contact(&self) -> ContactId {
        ContactId(self.id)
    }
}

impl Store {
    /// An entry of now.
    pub fn entry(&self, tenant: &TenantId, facts: Facts) -> Entry {
        let now = self.clock().now();
        let id = self.entropy().ulid(now).to_string();
        Entry { tenant: tenant.clone(), id, at_ms: now.as_millisecond(), facts }
    }

    /// Writes an entry down on its own, before what it is about.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn note(&self, entry: &Entry) -> Result<()> {
        self.put(entry_item(entry)?).await
    }

    /// Forgets an entry: it was told on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn told(&self, entry: &Entry) -> Result<()> {
        self.delete(&key(entry)).await
    }

    /// Entries that are older than `before_ms`, at most `limit` of each shard.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn untold(&self, before_ms: i64, limit: usize) -> Result<Vec<Entry>> {
        let shards = (0..SHARDS).map(|shard| async move {
            let query = Query {
                pk: Kind::Outbox.pk(shard),
                until: Some(format!("{before_ms:013}~")),
                limit: Some(limit),
                ..Query::default()
            };
            self.query(&query).await
        });
        let items = try_join_all(shards).await?;
        items.into_iter().flatten().map(|item| from_item(read(item, "outbox")?)).collect()
    }
}

fn from_item(item: EntryItem) -> Result<Entry> {
    let tenant = item.tenant.parse().map_err(|_| Error::Corrupt { kind: "outbox" })?;
    Ok(Entry { tenant, id: item.id, at_ms: item.at, facts: item.facts })
}

fn entry_item(entry: &Entry) -> Result<crate::item::Item> {
    let Entry { tenant, id, at_ms, facts } = entry.clone();
    let item = EntryItem { tenant: tenant.to_string(), id, at: at_ms, facts, ttl: at_ms / 1_000 + KEEP_S };
    compose(&key(entry), "outbox", &item)
}

/// Writes an entry down in a transaction with what it is about.
pub(crate) fn note_action(entry: &Entry) -> Result<Action> {
    Ok(Action::Put(entry_item(entry)?, Vec::new()))
}
