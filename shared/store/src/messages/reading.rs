//! Reading back: by id, by conversation, by day.

use std::collections::HashMap;

use domain::message::Address;
use domain::{AccountId, ContactId, MessageId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Message, SHARDS, day_of, from_item, key, partition};
use crate::item::{Item, Query, s, text};
use crate::{Error, Kind, Result, Store};

/// Partitions that are read at once.
const CONCURRENCY: usize = 16;

/// With whom a conversation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// A contact.
    Contact(ContactId),
    /// Somebody who was no contact when the message went out.
    Address(Address),
}

impl With {
    /// The partition of the conversation in the index.
    pub(super) fn pk(&self, tenant: &TenantId, account: AccountId) -> String {
        match self {
            Self::Contact(contact) => Kind::Conversation.pk(format_args!("{tenant}#{account}#{contact}")),
            Self::Address(address) => {
                Kind::Conversation.pk(format_args!("{tenant}#{account}#@{}", address.as_str()))
            }
        }
    }
}

/// Part of a day's messages.
#[derive(Debug, Clone, PartialEq)]
pub struct DayPart {
    /// Newest first.
    pub messages: Vec<Message>,
    /// What is older was not read yet; the first id of the day when nothing is left.
    pub read_until: MessageId,
}

impl Store {
    /// Reads messages by their ids, in no order; those that do not exist are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn messages_of(
        &self,
        tenant: &TenantId,
        ids: &[(AccountId, MessageId)],
    ) -> Result<Vec<Message>> {
        let keys = ids.iter().map(|(account, id)| key(tenant, *account, *id)).collect();
        self.get_many(keys).await?.into_iter().map(from_item).collect()
    }

    /// Ids of the messages of a conversation, newest first, older than `before`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn conversation(
        &self,
        tenant: &TenantId,
        account: AccountId,
        with: &With,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<MessageId>> {
        let mut condition = "cpk = :cpk".to_owned();
        let mut values = Item::from([(":cpk".to_owned(), s(with.pk(tenant, account)))]);
        if let Some(before) = before {
            condition.push_str(" AND csk < :before");
            values.insert(":before".to_owned(), s(before.to_string()));
        }
        let request = self
            .client()
            .query()
            .table_name(self.table())
            .index_name(crate::schema::CONVERSATION_INDEX)
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .scan_index_forward(false);
        let corrupt = || Error::Corrupt { kind: super::KIND };
        let mut ids = Vec::new();
        let mut start: Option<HashMap<_, _>> = None;
        while ids.len() < limit {
            let left = i32::try_from(limit - ids.len()).unwrap_or(i32::MAX);
            let page = request.clone().limit(left).set_exclusive_start_key(start).send().await?;
            for item in page.items.unwrap_or_default() {
                let id = text(&item, "sk").and_then(|id| id.parse().ok());
                ids.push(id.ok_or_else(corrupt)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(ids)
    }

    /// Messages of several accounts on the day of the last id before `before`, newest
    /// first. At most `each` are read of every partition, of which there are
    /// [`SHARDS`] per account.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn messages_of_day(
        &self,
        tenant: &TenantId,
        accounts: &[AccountId],
        before: MessageId,
        each: usize,
    ) -> Result<DayPart> {
        let Some(last) = before.before() else {
            return Ok(DayPart { messages: Vec::new(), read_until: before });
        };
        let (day, first) = day_of(last);
        let partitions = accounts.iter().flat_map(|account| (0..SHARDS).map(move |shard| (*account, shard)));
        let queries = partitions.map(|(account, shard)| Query {
            pk: partition(tenant, account, day, shard),
            until: Some(last.to_string()),
            limit: Some(each),
            descending: true,
            ..Query::default()
        });
        let queries: Vec<Query> = queries.collect();
        let pages: Vec<Vec<Item>> = stream::iter(queries)
            .map(|query| async move { self.query(&query).await })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut messages = Vec::new();
        let mut read_until = first;
        for page in pages {
            let is_cut = page.len() >= each;
            let page: Vec<Message> = page.into_iter().map(from_item).collect::<Result<_>>()?;
            if let Some(oldest) = page.last().filter(|_| is_cut) {
                read_until = read_until.max(oldest.id);
            }
            messages.extend(page);
        }
        // Below the highest cut, messages of another partition may be missing.
        messages.retain(|message| message.id >= read_until);
        messages.sort_by_key(|message| std::cmp::Reverse(message.id));
        Ok(DayPart { messages, read_until })
    }
}
