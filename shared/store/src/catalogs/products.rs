//! Products of a catalog: `PRODUCT#<tenant>#<catalog>` under the shop's ids of them. None is
//! deleted: an order may name it still.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::TenantId;
use domain::catalog::{MAX_RETAILER_ID, Product};
use domain::money::Money;
use domain::text::searchable;

use super::key as catalog_key;
use crate::batch::{Action, StatementResult, insert};
use crate::item::{Item, Key, Query, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "product";
/// Products that are read in one request.
const READ_AT_ONCE: usize = 1_000;
/// Products that one transaction marks; it takes 100 actions, one of them the check.
const MARKED_AT_ONCE: usize = 99;

/// A product as it was read last.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProduct {
    /// The product.
    pub product: Product,
    /// When it was found to be gone, in milliseconds since 1970.
    pub gone_ms: Option<i64>,
    /// The run that wrote it last.
    pub run: String,
    /// Whether that run saw it for the first time.
    pub was_new: bool,
}

/// Which products are wanted.
#[derive(Debug, Clone, Default)]
pub struct ProductQuery<'a> {
    /// Those behind this one.
    pub after: Option<&'a str>,
    /// So many.
    pub limit: usize,
    /// Whose name or id contains this, in any case.
    pub search: Option<&'a str>,
    /// Those that are gone, too.
    pub with_gone: bool,
}

fn pk(tenant: &TenantId, catalog: &str) -> String {
    Kind::Product.pk(format_args!("{tenant}#{catalog}"))
}

fn key(tenant: &TenantId, catalog: &str, id: &str) -> Key {
    Key::new(pk(tenant, catalog), id)
}

/// Whether an id of a shop's may be a key.
fn is_key(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_RETAILER_ID
}

type Attribute = (&'static str, Option<AttributeValue>);

/// What an item says of a product.
fn attributes(product: &Product) -> Vec<Attribute> {
    let Product { id, name, description, price, sale_price, availability, image_url, url, brand, .. } =
        product;
    let text = |text: &Option<String>| text.as_ref().map(s);
    let minor = |money: &Option<Money>| money.as_ref().map(|money| n(money.minor));
    let currency = |money: &Option<Money>| money.as_ref().map(|money| s(money.currency.as_str()));
    vec![
        ("meta", Some(s(id))),
        ("name", Some(s(name))),
        ("about", text(description)),
        ("price", minor(price)),
        ("cur", currency(price)),
        ("sale", minor(sale_price)),
        ("salecur", currency(sale_price)),
        ("avail", text(availability)),
        ("image", text(image_url)),
        ("page", text(url)),
        ("brand", text(brand)),
    ]
}

fn from_item(item: &Item) -> Result<StoredProduct> {
    let corrupt = || Error::Corrupt { kind: KIND };
    let money = |amount: &str, currency: &str| {
        let (minor, currency) = (number(item, amount)?, text(item, currency)?);
        Some(Money { minor, currency: currency.parse().ok()? })
    };
    Ok(StoredProduct {
        product: Product {
            retailer_id: text(item, "sk").ok_or_else(corrupt)?,
            id: text(item, "meta").unwrap_or_default(),
            name: text(item, "name").ok_or_else(corrupt)?,
            description: text(item, "about"),
            price: money("price", "cur"),
            sale_price: money("sale", "salecur"),
            availability: text(item, "avail"),
            image_url: text(item, "image"),
            url: text(item, "page"),
            brand: text(item, "brand"),
        },
        gone_ms: number(item, "gone"),
        run: text(item, "run").unwrap_or_default(),
        was_new: item.contains_key("fresh"),
    })
}

impl Store {
    /// Those of these products that are known.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn products_of(
        &self,
        tenant: &TenantId,
        catalog: &str,
        ids: &[String],
    ) -> Result<Vec<StoredProduct>> {
        let mut ids: Vec<&String> = ids.iter().filter(|id| is_key(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let keys = ids.into_iter().map(|id| key(tenant, catalog, id)).collect();
        self.get_many(keys).await?.iter().map(from_item).collect()
    }

    /// Writes products down as a run read them: `new` ones, and others in the place of what
    /// they were. What a later run wrote stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn write_products(
        &self,
        tenant: &TenantId,
        catalog: &str,
        run: &str,
        (new, changed): (&[&Product], &[&Product]),
    ) -> Result<()> {
        let item = |product: &&Product| {
            let mut item = key(tenant, catalog, &product.retailer_id).attributes();
            let told = attributes(product).into_iter();
            item.extend(told.filter_map(|(name, value)| Some((name.to_owned(), value?))));
            let own = [("type", s(KIND)), ("v", n(1)), ("run", s(run)), ("fresh", n(1))];
            item.extend(own.map(|(name, value)| (name.to_owned(), value)));
            insert(self.table(), item)
        };
        let inserted = self.execute(new.iter().map(item).collect::<Result<_>>()?).await?;
        // Somebody else was faster, with what they read.
        let known = new.iter().zip(inserted).filter(|(_, done)| *done != StatementResult::Yes);
        let changed = known.map(|(product, _)| *product).chain(changed.iter().copied());
        let update = |product: &Product| {
            let update = Update::of(key(tenant, catalog, &product.retailer_id));
            let update = attributes(product).into_iter().fold(update, |update, (name, value)| match value {
                Some(value) => update.set(name, value),
                None => update.remove(name),
            });
            let update = update.set("run", s(run)).remove("fresh").remove("gone");
            update.when(When::AbsentOrAtMost("run", s(run))).into_statement(self.table())
        };
        self.execute(changed.map(update).collect::<Result<_>>()?).await.map(|_| ())
    }

    /// Products of a catalog, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn products(
        &self,
        tenant: &TenantId,
        catalog: &str,
        wanted: &ProductQuery<'_>,
    ) -> Result<Vec<StoredProduct>> {
        let mut found = Vec::new();
        let mut after = wanted.after.filter(|id| is_key(id)).map(str::to_owned);
        let at_once =
            if wanted.search.is_some() { READ_AT_ONCE } else { wanted.limit.clamp(1, READ_AT_ONCE) };
        let search = wanted.search.map(searchable);
        let is_wanted = |stored: &StoredProduct| {
            let Product { name, retailer_id, .. } = &stored.product;
            let has = |search: &String| searchable(&format!("{name} {retailer_id}")).contains(search);
            (wanted.with_gone || stored.gone_ms.is_none()) && search.as_ref().is_none_or(has)
        };
        loop {
            let query = Query {
                pk: pk(tenant, catalog),
                after: after.take(),
                limit: Some(at_once),
                ..Query::default()
            };
            let read = self.query(&query).await?.iter().map(from_item).collect::<Result<Vec<_>>>()?;
            let last =
                read.last().map(|one| one.product.retailer_id.clone()).filter(|_| read.len() == at_once);
            found.extend(read.into_iter().filter(is_wanted));
            match last {
                Some(last) if found.len() < wanted.limit => after = Some(last),
                Some(_) | None => break,
            }
        }
        found.truncate(wanted.limit);
        Ok(found)
    }

    /// The ids of a catalog's products, and since when each is gone, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn product_ids(&self, tenant: &TenantId, catalog: &str) -> Result<Vec<(String, Option<i64>)>> {
        let query =
            Query { pk: pk(tenant, catalog), project: Some("sk, gone".to_owned()), ..Query::default() };
        let items = self.query(&query).await?;
        let read = |item: &Item| Some((text(item, "sk")?, number(item, "gone")));
        items.iter().map(|item| read(item).ok_or(Error::Corrupt { kind: KIND })).collect()
    }

    /// Marks products as gone, for as long as nobody else took the catalog's run.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody did.
    pub async fn mark_gone(&self, tenant: &TenantId, catalog: &str, take: u64, ids: &[String]) -> Result<()> {
        let now_ms = self.clock().now_ms();
        for ids in ids.chunks(MARKED_AT_ONCE) {
            let mine = Action::Check(catalog_key(tenant, catalog), vec![When::Is("take", n(take))]);
            let mark = |id: &String| Update::of(key(tenant, catalog, id)).set("gone", n(now_ms));
            let marks = ids.iter().map(|id| Action::Update(mark(id).when(When::Exists)));
            self.transact([mine].into_iter().chain(marks).collect()).await?;
        }
        Ok(())
    }
}
