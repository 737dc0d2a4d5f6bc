//! Facts that are written down together with what they are about, until they are
//! told on: `OUTBOX#<shard>`, by time.
//!
//! A [`Note`] becomes [`Written`] by the transaction that it goes into, and by nothing
//! else: only what came about can be told on.

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactChange {
    /// The contact.
    id: u64,
    /// Its version after the change.
    pub version: u64,
    /// Whether it is new.
    pub created: bool,
    /// Contacts that became part of it with this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<u64>,
}

/// Credits that went below the threshold, as the agency is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowCredits {
    /// The sub-account.
    pub sub_account: String,
    /// Its owner's e-mail address.
    pub email: String,
    /// What is left.
    pub balance: u64,
    /// The threshold.
    pub threshold: u64,
    /// How many the agency wants to grant then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// How often that happened, this time included.
    pub nth: u64,
    /// Who is told.
    pub agency: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facts {
    /// An event, as JSON of its own.
    Event(String),
    /// Changes of contacts, as far as they came about.
    Contacts(Vec<ContactChange>),
    /// The credits of a sub-account went below its threshold.
    LowCredits(LowCredits),
    /// Contacts that were deleted, as far as that came about: what campaigns know of
    /// them is to be erased.
    Deleted(Vec<u64>),
    /// Tags that a contact got, for which flows wait.
    Tagged {
        /// The contact.
        contact: u64,
        /// The tags.
        tags: Vec<String>,
    },
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

/// Entries that are to be written with what they are about, or before it.
#[derive(Debug, Default)]
#[must_use = "what is noted must be written with its cause"]
pub struct Note(Vec<Entry>);

/// Entries that were written. If nobody tells them on, the sweep does.
#[derive(Debug)]
#[must_use = "what was written is to be told on"]
pub struct Written(Vec<Entry>);

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
        Self { id: contact.0, version, created, merged: Vec::new() }
    }

    /// The change that made others a part of the contact.
    #[must_use]
    pub fn merging(self, others: impl IntoIterator<Item = ContactId>) -> Self {
        Self { merged: others.into_iter().map(|id| id.0).collect(), ..self }
    }

    /// The contact.
    pub fn contact(&self) -> ContactId {
        ContactId(self.id)
    }
}

impl Note {
    /// Nothing to tell.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a transaction writes of it.
    pub(crate) fn actions(&self) -> Result<Vec<Action>> {
        self.0.iter().map(|entry| Ok(Action::Put(entry_item(entry)?, Vec::new()))).collect()
    }

    /// The transaction that it went into came about.
    pub(crate) fn written(self) -> Written {
        Written(self.0)
    }
}

impl Written {
    /// What is to be told on.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }
}

impl Store {
    /// Facts of now.
    pub fn note(&self, tenant: &TenantId, facts: impl IntoIterator<Item = Facts>) -> Note {
        let now = self.clock().now();
        let entry = |facts| {
            let id = self.entropy().ulid(now).to_string();
            Entry { tenant: tenant.clone(), id, at_ms: now.as_millisecond(), facts }
        };
        Note(facts.into_iter().map(entry).collect())
    }

    /// Credits that go low, for the agency.
    pub(crate) fn low_note(&self, low: &LowCredits) -> Result<Note> {
        let agency: TenantId = low.agency.parse().map_err(|_| Error::Corrupt { kind: "credits" })?;
        Ok(self.note(&agency, [Facts::LowCredits(low.clone())]))
    }

    /// Writes a note on its own, before what it is about. Only for facts that are
    /// certain, or that the sweep checks.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn write_note(&self, note: Note) -> Result<Written> {
        for entry in &note.0 {
            self.put(entry_item(entry)?).await?;
        }
        Ok(note.written())
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
