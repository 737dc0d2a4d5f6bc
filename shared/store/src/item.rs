//! What items are made of, and how a partition of them is read.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// A projection on attributes that are listed with commas. Each has an alias, since many
/// words are reserved.
fn projection(attributes: &str) -> (String, HashMap<String, String>) {
    let names = attributes.split(", ").map(|name| (format!("#{name}"), name.to_owned()));
    let names: HashMap<String, String> = names.collect();
    (names.keys().cloned().collect::<Vec<_>>().join(", "), names)
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
        let (projection, names) = query.project.as_deref().map(projection).unzip();
        let mut request = self.client().query().table_name(self.table()).consistent_read(true);
        if let Some((filter, more)) = &query.filter {
            request = request.filter_expression(filter);
            values.extend(more.clone());
        }
        request
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .set_projection_expression(projection)
            .set_expression_attribute_names(names)
            .scan_index_forward(!query.descending)
    }
}
