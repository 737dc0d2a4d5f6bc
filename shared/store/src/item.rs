//! Reading and writing single items.

use std::collections::HashMap;
use std::future::Future;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Select};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::TRIES;
use crate::update::{When, conditions};
use crate::{Error, Result, Store};

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(crate) fn of(item: &Item) -> Option<Self> {
        Some(Self { pk: text(item, "pk")?, sk: text(item, "sk")? })
    }

    pub(crate) fn attributes(&self) -> Item {
        Item::from([("pk".to_owned(), s(&self.pk)), ("sk".to_owned(), s(&self.sk))])
    }
}

/// The attribute that names the request which wrote an item last.
pub(crate) const MARK: &str = "w";

/// Whether an item was last written by the request with this mark.
pub(crate) fn is_marked(item: &Item, mark: Option<&str>) -> bool {
    mark.is_some() && item.get(MARK).and_then(|value| value.as_s().ok()).map(String::as_str) == mark
}

/// A string attribute.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A string attribute of an item.
pub(crate) fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

/// A number attribute of an item.
pub(crate) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// An item's body with its key, its type and the version of its shape.
pub(crate) fn compose(key: &Key, kind: &'static str, body: &impl Serialize) -> Result<Item> {
    let mut item: Item = serde_dynamo::to_item(body).map_err(|_| Error::Corrupt { kind })?;
    item.retain(|_, value| !matches!(value, AttributeValue::Null(_)));
    item.extend(key.attributes());
    item.insert("type".to_owned(), s(kind));
    item.insert("v".to_owned(), n(1));
    Ok(item)
}

/// An item's body.
pub(crate) fn read<T: DeserializeOwned>(item: Item, kind: &'static str) -> Result<T> {
    serde_dynamo::from_item(item).map_err(|error| {
        tracing::error!(kind, %error, "an item does not fit its type");
        Error::Corrupt { kind }
    })
}

/// What a query of one partition asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub(crate) pk: String,
    /// Only sort keys after this one.
    pub(crate) after: Option<String>,
    /// Only sort keys up to and including this one.
    pub(crate) until: Option<String>,
    /// Only sort keys that begin so.
    pub(crate) prefix: Option<String>,
    /// Filter with its values; names are written out.
    pub(crate) filter: Option<(String, Item)>,
    /// Only these attributes.
    pub(crate) project: Option<String>,
    /// Most items to read, before the filter.
    pub(crate) limit: Option<usize>,
    pub(crate) descending: bool,
}

impl Store {
    /// Reads an item, strongly consistent.
    pub(crate) async fn get_item(&self, key: &Key) -> Result<Option<Item>> {
        let request = self.client().get_item().table_name(self.table()).consistent_read(true);
        Ok(request.set_key(Some(key.attributes())).send().await?.item)
    }

    /// Reads an item's body, strongly consistent.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key, kind: &'static str) -> Result<Option<T>> {
        self.get_item(key).await?.map(|item| read(item, kind)).transpose()
    }

    /// Writes an item that must not exist yet.
    pub(crate) async fn create(&self, item: Item) -> Result<()> {
        self.replace(item, vec![When::Absent("pk")]).await
    }

    /// Writes an item in the place of what was there, if that fits. An item that is
    /// there by this very request, whose reply was lost, is no conflict.
    pub(crate) async fn replace(&self, mut item: Item, when: Vec<When>) -> Result<()> {
        let mark = self.mark();
        item.insert(MARK.to_owned(), s(&mark));
        self.patiently(|| self.send_put(item.clone(), when.clone(), &mark)).await
    }

    async fn send_put(&self, item: Item, when: Vec<When>, mark: &str) -> Result<()> {
        let (condition, names, values) = conditions(when);
        let request = self
            .client()
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed))
                if failed.item().is_some_and(|item| is_marked(item, Some(mark))) =>
            {
                Ok(())
            }
            Some(_) | None => Err(error.into()),
        }
    }

    /// Writes an item whatever was there.
    pub(crate) async fn put(&self, item: Item) -> Result<()> {
        let put = || self.client().put_item().table_name(self.table()).set_item(Some(item.clone()));
        self.patiently(|| async { Ok(put().send().await.map(|_| ())?) }).await
    }

    /// Deletes an item, if it is there.
    pub(crate) async fn delete(&self, key: &Key) -> Result<()> {
        let delete = || self.client().delete_item().table_name(self.table()).set_key(Some(key.attributes()));
        self.patiently(|| async { Ok(delete().send().await.map(|_| ())?) }).await
    }

    /// Deletes an item; answers whether it was there.
    pub(crate) async fn delete_returning(&self, key: &Key) -> Result<bool> {
        let delete = || self.client().delete_item().table_name(self.table()).set_key(Some(key.attributes()));
        let delete = || delete().return_values(ReturnValue::AllOld);
        let deleted = self.patiently(|| async { Ok(delete().send().await?) }).await?;
        Ok(deleted.attributes.is_some_and(|item| !item.is_empty()))
    }

    /// Names a request, so that its repetition is recognised.
    pub(crate) fn mark(&self) -> String {
        self.entropy().ulid(self.clock().now()).to_string()
    }

    /// Sends a request again while transactions of others are at its item.
    pub(crate) async fn patiently<T, F>(&self, send: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for attempt in 0..TRIES {
            match send().await {
                Err(Error::Contended) => self.back_off(attempt).await,
                done => return done,
            }
        }
        Err(Error::Contended)
    }

    /// Reads a partition, strongly consistent, page by page until `limit` items
    /// were read or the partition ends.
    pub(crate) async fn query(&self, query: &Query) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let mut request = self.build_query(query).set_exclusive_start_key(start);
            if let Some(limit) = query.limit {
                let left = limit.saturating_sub(items.len());
                request = request.limit(i32::try_from(left).unwrap_or(i32::MAX));
            }
            let page = request.send().await?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() || query.limit.is_some_and(|limit| items.len() >= limit) {
                return Ok(items);
            }
        }
    }

    /// Counts the items of a partition that pass the filter.
    pub(crate) async fn count(&self, query: &Query) -> Result<u64> {
        let mut count = 0;
        let mut start = None;
        loop {
            let request = self.build_query(query).select(Select::Count).set_exclusive_start_key(start);
            let page = request.send().await?;
            count += u64::try_from(page.count).unwrap_or(0);
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    fn build_query(&self, query: &Query) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        let mut condition = "pk = :pk".to_owned();
        let mut values = Item::from([(":pk".to_owned(), s(&query.pk))]);
        match (&query.after, &query.until, &query.prefix) {
            (Some(after), Some(until), _) => {
                // BETWEEN includes both ends: begin right behind `after`.
                condition.push_str(" AND sk BETWEEN :after AND :until");
                values.insert(":after".to_owned(), s(format!("{after}\u{1}")));
                values.insert(":until".to_owned(), s(until));
            }
            (Some(after), None, _) => {
                condition.push_str(" AND sk > :after");
                values.insert(":after".to_owned(), s(after));
            }
            (None, Some(until), _) => {
                condition.push_str(" AND sk <= :until");
                values.insert(":until".to_owned(), s(until));
            }
            (None, None, Some(prefix)) => {
                condition.push_str(" AND begins_with(sk, :prefix)");
                values.insert(":prefix".to_owned(), s(prefix));
            }
            (None, None, None) => {}
        }
        let mut request = self.client().query().table_name(self.table()).consistent_read(true);
        if let Some((filter, more)) = &query.filter {
            request = request.filter_expression(filter);
            values.extend(more.clone());
        }
        request
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .set_projection_expression(query.project.clone())
            .scan_index_forward(!query.descending)
    }
}
