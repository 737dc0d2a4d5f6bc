//! What waits for an endpoint.

use domain::TenantId;
use domain::webhook::EndpointId;
use futures::future::try_join_all;

use crate::batch::{Action, StatementResult, insert};
use crate::item::{Item, Key, Query, n, number, s, text};
use crate::update::Update;
use crate::{Kind, Result, Store};

/// Partitions of what waits for one endpoint.
const SHARDS: u64 = 4;
/// Writes of one transaction.
const TRANSACTION: usize = 100;

/// A delivery that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub sequence: u64,
    /// How often it failed.
    pub failures: u32,
    /// When it is sent again, in milliseconds since 1970.
    pub next_ms: i64,
}

fn key(tenant: &TenantId, endpoint: EndpointId, sequence: u64) -> Key {
    let shard = sequence % SHARDS;
    Key::new(Kind::Waiting.pk(format_args!("{tenant}#{endpoint}#{shard}")), format!("{sequence:015}"))
}

fn from_item(item: &Item) -> Option<Waiting> {
    Some(Waiting {
        sequence: text(item, "sk")?.parse().ok()?,
        failures: number(item, "n").unwrap_or(0),
        next_ms: number(item, "nx").unwrap_or(0),
    })
}

impl Store {
    /// Lets deliveries wait, also those that wait already.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn set_waiting(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        waiting: &[Waiting],
    ) -> Result<()> {
        let ttl = self.event_ttl();
        let inserts = waiting.iter().map(|entry| {
            let mut item = key(tenant, endpoint, entry.sequence).attributes();
            item.insert("n".to_owned(), n(entry.failures));
            item.insert("nx".to_owned(), n(entry.next_ms));
            item.insert("ttl".to_owned(), n(ttl));
            item.insert("type".to_owned(), s("waiting"));
            item.insert("v".to_owned(), n(1));
            insert(self.table(), item)
        });
        let inserted = self.execute(inserts.collect::<Result<_>>()?).await?;
        let there = waiting.iter().zip(inserted).filter(|(_, applied)| *applied != StatementResult::Yes);
        let updates = there.map(|(entry, _)| {
            let update = Update::of(key(tenant, endpoint, entry.sequence));
            update.set("n", n(entry.failures)).set("nx", n(entry.next_ms)).into_statement(self.table())
        });
        self.execute(updates.collect::<Result<_>>()?).await.map(|_| ())
    }

    /// Takes deliveries off what waits.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn drop_waiting(&self, tenant: &TenantId, endpoint: EndpointId, numbers: &[u64]) -> Result<()> {
        for chunk in numbers.chunks(TRANSACTION) {
            let delete = |sequence: &u64| Action::Delete(key(tenant, endpoint, *sequence), Vec::new());
            self.transact(chunk.iter().map(delete).collect()).await?;
        }
        Ok(())
    }

    /// What waits for an endpoint with numbers above `after`, in order, at most
    /// `limit`.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn waiting(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Waiting>> {
        let shards = (0..SHARDS).map(|shard| async move {
            let query = Query {
                pk: Kind::Waiting.pk(format_args!("{tenant}#{endpoint}#{shard}")),
                after: Some(format!("{after:015}")),
                limit: Some(limit),
                ..Query::default()
            };
            self.query(&query).await
        });
        let items = try_join_all(shards).await?;
        let mut waiting: Vec<Waiting> = items.iter().flatten().filter_map(from_item).collect();
        waiting.sort_by_key(|w| w.sequence);
        waiting.truncate(limit);
        Ok(waiting)
    }

    /// The newest number that waits for an endpoint.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn newest_waiting(&self, tenant: &TenantId, endpoint: EndpointId) -> Result<Option<Waiting>> {
        let shards = (0..SHARDS).map(|shard| async move {
            let query = Query {
                pk: Kind::Waiting.pk(format_args!("{tenant}#{endpoint}#{shard}")),
                limit: Some(1),
                descending: true,
                ..Query::default()
            };
            self.query(&query).await
        });
        let items = try_join_all(shards).await?;
        Ok(items.iter().flatten().filter_map(from_item).max_by_key(|waiting| waiting.sequence))
    }
}
