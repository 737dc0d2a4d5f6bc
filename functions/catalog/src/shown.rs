//! Catalogs, products and orders, as every dialect shows them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::catalog::{Order, Product};
use domain::contact::Contact;
use domain::identity::Identity;
use domain::money::Money;
use domain::{ContactId, TenantId};
use jiff::Timestamp;
use messaging::catalogs::{KnownCatalog, Sync, names};
use messaging::orders::{ChangedOrder, Told};
use ops::{Code, Result};
use serde::Serialize;
use store::Store;
use store::catalogs::StoredProduct;

pub(crate) fn time(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or_default())
}

/// How far a catalog is read.
#[derive(Serialize)]
pub(crate) struct ShownSync {
    state: &'static str,
    pages: u64,
    read: u64,
    /// How many Meta said that there are.
    total: Option<u64>,
    created: u64,
    updated: u64,
    unchanged: u64,
    /// Products that nobody can name.
    skipped: u64,
    gone: u64,
    error: Option<String>,
    requested_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl ShownSync {
    /// Nothing, of a catalog that nobody read.
    pub(crate) fn of(catalog: &KnownCatalog) -> Option<Self> {
        let sync: &Sync = catalog.sync.as_ref()?;
        Some(Self {
            state: sync.state.as_str(),
            pages: sync.pages,
            read: sync.read,
            total: catalog.catalog.count,
            created: sync.new,
            updated: sync.changed,
            unchanged: sync.unchanged,
            skipped: sync.skipped,
            gone: sync.gone,
            error: sync.error.clone(),
            requested_at: time(sync.created_ms),
            started_at: sync.started_ms.map(time),
            finished_at: sync.finished_ms.map(time),
        })
    }
}

/// How many products there were when the catalog was read last.
pub(crate) fn count(catalog: &KnownCatalog) -> Option<u64> {
    catalog.sync.as_ref().and_then(|sync| sync.products)
}

/// A price, in minor units and as people write it.
fn minor(price: Option<&Money>) -> Option<u64> {
    price.map(|money| money.minor)
}

/// A product.
#[derive(Serialize)]
pub(crate) struct ShownProduct {
    /// The shop's id.
    id: String,
    /// The same, in Meta's word.
    retailer_id: String,
    /// Meta's id.
    meta_id: String,
    name: String,
    description: Option<String>,
    /// In minor units.
    price: Option<u64>,
    sale_price: Option<u64>,
    currency: Option<String>,
    /// The price with a decimal point.
    price_text: Option<String>,
    availability: Option<String>,
    image_url: Option<String>,
    url: Option<String>,
    brand: Option<String>,
    /// It is in the catalog no more.
    gone: bool,
    gone_at: Option<String>,
}

impl From<StoredProduct> for ShownProduct {
    fn from(stored: StoredProduct) -> Self {
        let Product {
            retailer_id,
            id,
            name,
            description,
            price,
            sale_price,
            availability,
            image_url,
            url,
            brand,
        } = stored.product;
        Self {
            id: retailer_id.clone(),
            retailer_id,
            meta_id: id,
            name,
            description,
            price: minor(price.as_ref()),
            sale_price: minor(sale_price.as_ref()),
            currency: price.as_ref().or(sale_price.as_ref()).map(|money| money.currency.to_string()),
            price_text: price.as_ref().map(Money::decimal),
            availability,
            image_url,
            url,
            brand,
            gone: stored.gone_ms.is_some(),
            gone_at: stored.gone_ms.map(time),
        }
    }
}

/// A line of an order.
#[derive(Serialize)]
pub(crate) struct ShownItem {
    product_id: String,
    name: Option<String>,
    quantity: u64,
    /// Of one, in minor units.
    price: Option<u64>,
    currency: Option<String>,
}

/// What orders name: people, catalogs and products.
pub(crate) struct Named {
    people: HashMap<ContactId, Contact>,
    catalogs: BTreeMap<String, String>,
    products: HashMap<(String, String), String>,
}

impl Named {
    /// Everything that these orders name.
    pub(crate) async fn by(store: &Store, tenant: &TenantId, orders: &[Order]) -> Result<Self> {
        let ids: BTreeSet<ContactId> = orders.iter().filter_map(|order| order.contact).collect();
        let found = store.contacts_of(tenant, &ids).await?;
        let mut people: HashMap<ContactId, Contact> = found.into_iter().map(|one| (one.id, one)).collect();
        for order in orders {
            let Some(id) = order.contact.filter(|id| !people.contains_key(id)) else { continue };
            // They became a part of somebody else.
            if let Some(contact) = store.contact_by(tenant, &Identity::from(&order.address)).await? {
                people.insert(id, contact);
            }
        }
        let mut wanted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for order in orders {
            let Some(catalog) = order.new.catalog.as_deref() else { continue };
            let ids = order.new.items.iter().map(|item| item.retailer_id.clone());
            wanted.entry(catalog).or_default().extend(ids);
        }
        let mut products = HashMap::new();
        for (catalog, ids) in wanted {
            for stored in store.products_of(tenant, catalog, &ids).await? {
                let Product { retailer_id, name, .. } = stored.product;
                products.insert((catalog.to_owned(), retailer_id), name);
            }
        }
        Ok(Self { people, catalogs: names(store, tenant).await?, products })
    }

    pub(crate) fn buyer(&self, order: &Order) -> Option<&Contact> {
        self.people.get(&order.contact?)
    }

    pub(crate) fn catalog(&self, order: &Order) -> Option<String> {
        self.catalogs.get(order.new.catalog.as_deref()?).cloned()
    }

    pub(crate) fn items(&self, order: &Order) -> Vec<ShownItem> {
        let catalog = order.new.catalog.clone().unwrap_or_default();
        let items = order.new.items.iter().map(|item| ShownItem {
            name: self.products.get(&(catalog.clone(), item.retailer_id.clone())).cloned(),
            product_id: item.retailer_id.clone(),
            quantity: item.quantity,
            price: minor(item.price.as_ref()),
            currency: item.price.as_ref().map(|money| money.currency.to_string()),
        });
        items.collect()
    }
}

/// Whether the customer was told of a status.
#[derive(Serialize)]
pub(crate) struct Notification {
    /// `sent`, `not_sent`, or `unknown`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// Our id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Notification {
    /// Nothing, when nobody wanted the customer to be told.
    pub(crate) fn of(changed: &ChangedOrder) -> Option<Self> {
        match &changed.told {
            Told::No => None,
            Told::By(sent) => Some(Self {
                status: "sent",
                message_id: Some(sent.provider_id.clone()),
                id: Some(sent.id.to_string()),
                code: None,
                message: None,
            }),
            Told::Not(error) => Some(Self {
                // Nobody knows, or another request is telling them.
                status: if error.code == Code::ProviderTimeout { "unknown" } else { "not_sent" },
                message_id: None,
                id: error.message_id.clone(),
                code: Some(error.code.as_str()),
                message: Some(error.message.clone()),
            }),
        }
    }
}
