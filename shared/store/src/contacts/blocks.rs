//! Contacts by blocks of a thousand ids.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::contact::{Contact, tag_key};
use domain::text::{number_typed, searchable};
use domain::{ContactId, ListId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use super::{block_pk, from_item};
use crate::item::{Item, Key, Query, n, number, read, s};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// Contacts of one block.
pub const BLOCK: u64 = 1_000;
/// Blocks that are read at once.
const CONCURRENCY: usize = 8;
/// Most blocks that are counted for whoever asks how large they are.
const COUNTED: usize = 2;
/// Most blocks that are looked through for a tag.
const LOOKED_THROUGH: usize = 200;
/// After this long a writer that marked a block is taken for dead, in milliseconds.
const STALE_WRITER_MS: u64 = 15 * 60_000;

/// The block that a contact lives in.
pub fn block_of(id: ContactId) -> u64 {
    id.0 / BLOCK
}

/// Which contacts a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Part of the name, phone or e-mail, in any case.
    pub search: Option<String>,
    /// A tag, in any case and spelling of spaces.
    pub tag: Option<String>,
    /// A list that they are in.
    pub list: Option<ListId>,
    /// Only contacts that have a phone.
    pub with_phone: bool,
    /// Only contacts that have an e-mail address.
    pub with_email: bool,
}

impl ContactFilter {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn expression(&self) -> (String, Item) {
        let mut terms = vec!["attribute_not_exists(gone)".to_owned()];
        let mut values = Item::new();
        if let Some(search) = &self.search {
            // What was written before 2026-11 is in lower case, and no more.
            let mut forms = vec![searchable(search), search.to_lowercase()];
            forms.extend(number_typed(search));
            forms.dedup();
            let mut any = Vec::new();
            for (name, form) in [":search", ":other", ":number"].into_iter().zip(forms) {
                any.push(format!("contains(q, {name})"));
                values.insert(name.to_owned(), s(form));
            }
            terms.push(format!("({})", any.join(" OR ")));
        }
        if let Some(tag) = &self.tag {
            let any = "(contains(tags, :tag) OR contains(tags, :tagged) OR contains(tk, :tagged))";
            terms.push(any.to_owned());
            values.insert(":tag".to_owned(), s(tag));
            values.insert(":tagged".to_owned(), s(tag_key(tag)));
        }
        if let Some(list) = self.list {
            terms.push("contains(lists, :list)".to_owned());
            values.insert(":list".to_owned(), n(list.0));
        }
        if self.with_phone {
            terms.push("attribute_exists(phone)".to_owned());
        }
        if self.with_email {
            terms.push("attribute_exists(email)".to_owned());
        }
        (terms.join(" AND "), values)
    }
}

/// One page of contacts, in ascending order of id.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The contacts of the page.
    pub contacts: Vec<Contact>,
    /// How many there are on all pages.
    pub total: u64,
}

/// How many contacts a block has.
#[derive(Debug, Clone, Deserialize)]
struct BlockHead {
    sk: String,
    #[serde(default)]
    count: i64,
    /// Imports that are writing into the block, or died doing so.
    #[serde(default)]
    writers: Vec<String>,
}

impl BlockHead {
    fn block(&self) -> u64 {
        self.sk.parse().unwrap_or(0)
    }
}

/// How many contacts a block has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSize {
    /// The block.
    pub block: u64,
    /// Its contacts.
    pub contacts: u64,
}

fn head_key(tenant: &TenantId, block: u64) -> Key {
    Key::new(Kind::Blocks.pk(tenant), format!("{block:07}"))
}

impl Store {
    /// Lists contacts: the page that begins after `skip` matching ones.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn list_contacts(
        &self,
        tenant: &TenantId,
        filter: &ContactFilter,
        skip: u64,
        take: usize,
    ) -> Result<Listing> {
        let counts = self.matching_counts(tenant, filter).await?;
        let total = counts.iter().map(|(_, count)| count).sum();
        let mut contacts: Vec<Contact> = Vec::new();
        let mut before = 0;
        for (block, count) in counts {
            if before + count > skip && contacts.len() < take {
                let offset = usize::try_from(skip.saturating_sub(before)).unwrap_or(usize::MAX);
                let found = self.block_contacts(tenant, block, filter).await?;
                let left = take - contacts.len();
                contacts.extend(found.into_iter().skip(offset).take(left));
            }
            before += count;
        }
        Ok(Listing { contacts, total })
    }

    /// How many contacts there are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contact_total(&self, tenant: &TenantId) -> Result<u64> {
        let counts = self.matching_counts(tenant, &ContactFilter::default()).await?;
        Ok(counts.iter().map(|(_, count)| count).sum())
    }

    /// The contacts of one block that pass a filter, in ascending order of id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn block_contacts(
        &self,
        tenant: &TenantId,
        block: u64,
        filter: &ContactFilter,
    ) -> Result<Vec<Contact>> {
        let query =
            Query { pk: block_pk(tenant, block), filter: Some(filter.expression()), ..Query::default() };
        let items = self.query(&query).await?;
        items.into_iter().filter_map(|item| from_item(item).transpose()).collect()
    }

    /// Whether any contact has a tag; `None` of a tenant with more contacts than are looked
    /// through for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn has_tag(&self, tenant: &TenantId, tag: &str) -> Result<Option<bool>> {
        let heads = self.heads(tenant).await?;
        let filter = &ContactFilter { tag: Some(tag.to_owned()), ..ContactFilter::default() };
        let blocks: Vec<u64> = heads.iter().map(BlockHead::block).take(LOOKED_THROUGH).collect();
        let counts = blocks.into_iter().map(|block| self.count_block(tenant, block, filter));
        let mut counts = stream::iter(counts.collect::<Vec<_>>()).buffered(CONCURRENCY);
        while let Some(count) = counts.next().await {
            if count? > 0 {
                return Ok(Some(true));
            }
        }
        Ok((heads.len() <= LOOKED_THROUGH).then_some(false))
    }

    async fn matching_counts(&self, tenant: &TenantId, filter: &ContactFilter) -> Result<Vec<(u64, u64)>> {
        let heads = self.heads(tenant).await?;
        stream::iter(heads)
            .map(|head| async move {
                let exact = filter.is_empty() && head.writers.is_empty();
                let count = match exact {
                    true => u64::try_from(head.count).unwrap_or(0),
                    false => self.count_block(tenant, head.block(), filter).await?,
                };
                self.forget_dead_writers(tenant, &head).await?;
                Ok((head.block(), count))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn count_block(&self, tenant: &TenantId, block: u64, filter: &ContactFilter) -> Result<u64> {
        let query =
            Query { pk: block_pk(tenant, block), filter: Some(filter.expression()), ..Query::default() };
        self.count(&query).await
    }

    async fn heads(&self, tenant: &TenantId) -> Result<Vec<BlockHead>> {
        let query = Query { pk: Kind::Blocks.pk(tenant), ..Query::default() };
        self.query(&query).await?.into_iter().map(|item| read(item, "block head")).collect()
    }

    /// The blocks that may have contacts, in ascending order.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contact_blocks(&self, tenant: &TenantId) -> Result<Vec<u64>> {
        Ok(self.heads(tenant).await?.iter().map(BlockHead::block).collect())
    }

    /// How many contacts there are in which block, in ascending order of blocks. A few
    /// blocks that imports are writing into are counted; of more, each is taken to be
    /// full, so that this reads little however many there are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn block_sizes(&self, tenant: &TenantId) -> Result<Vec<BlockSize>> {
        let heads = self.heads(tenant).await?;
        let few = heads.iter().filter(|head| !head.writers.is_empty()).count() <= COUNTED;
        let sizes = heads.iter().map(|head| async move {
            let contacts = match (head.writers.is_empty(), few) {
                (true, _) => u64::try_from(head.count).unwrap_or(0),
                (false, true) => self.count_block(tenant, head.block(), &ContactFilter::default()).await?,
                (false, false) => BLOCK,
            };
            Ok(BlockSize { block: head.block(), contacts })
        });
        stream::iter(sizes.collect::<Vec<_>>()).buffered(CONCURRENCY).try_collect().await
    }

    /// Contacts of one block from an id on, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn contacts_from(
        &self,
        tenant: &TenantId,
        start: ContactId,
        limit: usize,
    ) -> Result<Vec<Contact>> {
        let before = start.0.checked_sub(1).map(|id| format!("{id:010}"));
        let query = Query {
            pk: block_pk(tenant, block_of(start)),
            after: before,
            filter: Some(ContactFilter::default().expression()),
            limit: Some(limit),
            ..Query::default()
        };
        let items = self.query(&query).await?;
        items.into_iter().filter_map(|item| from_item(item).transpose()).collect()
    }

    pub(super) fn head_update(tenant: &TenantId, block: u64, by: i64) -> Update {
        Update::of(head_key(tenant, block)).add("count", n(by)).add("ver", n(1))
    }

    /// Says that `writer` (a ULID) is about to write into these blocks: until it
    /// recounts them, or is taken for dead, their counts are not trusted.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn mark_blocks(&self, tenant: &TenantId, blocks: &[u64], writer: &str) -> Result<()> {
        let marks = blocks.iter().map(|block| {
            let update = Update::of(head_key(tenant, *block));
            self.update(update.add("writers", writers(writer)).add("ver", n(1)))
        });
        stream::iter(marks.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// Counts the contacts of these blocks anew and takes `writer`'s mark away.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn recount_blocks(&self, tenant: &TenantId, blocks: &[u64], writer: &str) -> Result<()> {
        let counts = blocks.iter().map(|block| self.recount_block(tenant, *block, writer));
        stream::iter(counts.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY).try_collect().await
    }

    async fn recount_block(&self, tenant: &TenantId, block: u64, writer: &str) -> Result<()> {
        let key = head_key(tenant, block);
        loop {
            let item = self.get_item(&key).await?.unwrap_or_default();
            let version: u64 = number(&item, "ver").unwrap_or(0);
            let count = self.count_block(tenant, block, &ContactFilter::default()).await?;
            let update = Update::of(key.clone())
                .set("count", n(count))
                .set("ver", n(version + 1))
                .drop_from_set("writers", writers(writer))
                .when(When::Is("ver", n(version)));
            match self.update(update).await {
                Err(Error::Conflict | Error::Contended) => self.back_off(2).await,
                other => return other,
            }
        }
    }

    async fn forget_dead_writers(&self, tenant: &TenantId, head: &BlockHead) -> Result<()> {
        let now = u64::try_from(self.clock().now_ms()).unwrap_or(0);
        for writer in &head.writers {
            let born = ulid_ms(writer).unwrap_or(0);
            if born + STALE_WRITER_MS < now {
                self.recount_block(tenant, head.block(), writer).await?;
            }
        }
        Ok(())
    }
}

fn writers(writer: &str) -> AttributeValue {
    AttributeValue::Ss(vec![writer.to_owned()])
}

fn ulid_ms(text: &str) -> Option<u64> {
    text.parse::<domain::MessageId>().ok().and_then(|id| u64::try_from(id.timestamp_ms()).ok())
}
