//! Catalogs that are connected to business accounts of a tenant: `CATALOG#<tenant>` under
//! their ids, which are digits; under `waba#<id>` which of them a business account has, as
//! Meta told last. A catalog is read in legs, each a job of its own: only whoever took the
//! last one can write down how far it is. `CATALOG#<tenant>#<catalog>` holds, page by page,
//! which products a run has seen.

mod products;

pub use products::{ProductQuery, StoredProduct};

use std::collections::HashSet;

use domain::catalog::Catalog;
use domain::{AccountId, TenantId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::item::{Item, Key, Query, compose, n, number, read, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// The item's type.
const KIND: &str = "catalog";
/// The sort key of what a business account has.
const WABA: &str = "waba#";
/// How long it is known what a run has seen, in seconds.
const SEEN_S: i64 = 2 * 86_400;

/// A catalog, and how far it is read. `T` is what is known of that.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCatalog<T> {
    /// The catalog.
    pub catalog: Catalog,
    /// The account whose number reads it.
    pub account: AccountId,
    /// The business account that it is connected to.
    pub waba_id: String,
    /// The run that reads it, or read it last.
    pub run: Option<String>,
    /// The leg that the run is in; 0 before the first.
    pub leg: u64,
    /// Counts those who took a leg.
    pub take: u64,
    /// How far that run is.
    pub sync: Option<T>,
}

/// Which catalogs a business account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WabaCatalogs {
    /// The business account.
    pub waba_id: String,
    /// When Meta told so, in milliseconds since 1970.
    pub at_ms: i64,
    /// Their ids.
    pub ids: Vec<String>,
}

/// All that is known of a tenant's catalogs.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogs<T> {
    /// Every catalog that was ever connected, by id.
    pub all: Vec<StoredCatalog<T>>,
    /// What is connected.
    pub connected: Vec<WabaCatalogs>,
}

#[derive(Serialize, Deserialize)]
struct WabaItem {
    at: i64,
    ids: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct SeenItem {
    ids: Vec<String>,
    ttl: i64,
}

fn key(tenant: &TenantId, id: &str) -> Key {
    Key::new(Kind::Catalog.pk(tenant), id)
}

fn waba_key(tenant: &TenantId, waba_id: &str) -> Key {
    Key::new(Kind::Catalog.pk(tenant), format!("{WABA}{waba_id}"))
}

fn seen_pk(tenant: &TenantId, catalog: &str) -> String {
    Kind::Catalog.pk(format_args!("{tenant}#{catalog}"))
}

fn from_item<T: DeserializeOwned>(item: &Item) -> Result<StoredCatalog<T>> {
    let corrupt = || Error::Corrupt { kind: KIND };
    let sync = text(item, "sync").map(|json| serde_json::from_str(&json)).transpose();
    Ok(StoredCatalog {
        catalog: Catalog {
            id: text(item, "sk").ok_or_else(corrupt)?,
            name: text(item, "name").unwrap_or_default(),
            count: number(item, "count"),
        },
        account: AccountId(number(item, "account").ok_or_else(corrupt)?),
        waba_id: text(item, "waba").ok_or_else(corrupt)?,
        run: text(item, "run"),
        leg: number(item, "leg").unwrap_or(0),
        take: number(item, "take").unwrap_or(0),
        sync: sync.map_err(|_| corrupt())?,
    })
}

fn json(sync: &impl Serialize) -> Result<String> {
    serde_json::to_string(sync).map_err(|_| Error::Corrupt { kind: KIND })
}

impl Store {
    /// Everything that is known of a tenant's catalogs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn catalogs<T: DeserializeOwned>(&self, tenant: &TenantId) -> Result<Catalogs<T>> {
        let query = Query { pk: Kind::Catalog.pk(tenant), ..Query::default() };
        let mut found = Catalogs { all: Vec::new(), connected: Vec::new() };
        for item in self.query(&query).await? {
            match text(&item, "sk").as_deref().and_then(|sk| sk.strip_prefix(WABA)) {
                Some(waba_id) => {
                    let waba_id = waba_id.to_owned();
                    let WabaItem { at, ids } = read(item, "catalogs of a business account")?;
                    found.connected.push(WabaCatalogs { waba_id, at_ms: at, ids });
                }
                None => found.all.push(from_item(&item)?),
            }
        }
        Ok(found)
    }

    /// One catalog.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn catalog<T: DeserializeOwned>(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<StoredCatalog<T>>> {
        self.get_item(&key(tenant, id)).await?.as_ref().map(from_item).transpose()
    }

    /// Writes down which catalogs Meta says that a business account has, and which account
    /// reads them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn connect_catalogs(
        &self,
        tenant: &TenantId,
        (account, waba_id): (AccountId, &str),
        catalogs: &[Catalog],
    ) -> Result<()> {
        for catalog in catalogs {
            let update = Update::of(key(tenant, &catalog.id))
                .set("type", s(KIND))
                .set("name", s(&catalog.name))
                .set("account", n(account))
                .set("waba", s(waba_id))
                .set_some("count", catalog.count.map(n));
            self.update(update).await?;
        }
        let ids = catalogs.iter().map(|catalog| catalog.id.clone()).collect();
        let item = WabaItem { at: self.clock().now_ms(), ids };
        self.put(compose(&waba_key(tenant, waba_id), "catalogs of a business account", &item)?).await
    }

    /// Begins a run of a catalog that nobody began since `take`.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody did.
    pub async fn begin_sync<T: Serialize + DeserializeOwned>(
        &self,
        tenant: &TenantId,
        id: &str,
        (run, take): (&str, u64),
        sync: &T,
    ) -> Result<StoredCatalog<T>> {
        let unchanged = match take {
            0 => When::Absent("take"),
            take => When::Is("take", n(take)),
        };
        let update = Update::of(key(tenant, id))
            .set("run", s(run))
            .set("leg", n(0))
            .set("take", n(take + 1))
            .set("sync", s(json(sync)?))
            .when(When::Exists)
            .when(unchanged);
        from_item(&self.update_returning(update).await?)
    }

    /// Takes a leg of a run: the one that it is in, from whoever had it, or the next.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the run is beyond it, or is no more.
    pub async fn take_sync<T: DeserializeOwned>(
        &self,
        tenant: &TenantId,
        id: &str,
        run: &str,
        leg: u64,
    ) -> Result<StoredCatalog<T>> {
        let update = Update::of(key(tenant, id))
            .set("leg", n(leg))
            .add("take", n(1))
            .when(When::Is("run", s(run)))
            .when(When::AtMost("leg", n(leg)));
        from_item(&self.update_returning(update).await?)
    }

    /// Writes down how far a run is.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else took it.
    pub async fn save_sync(
        &self,
        tenant: &TenantId,
        id: &str,
        take: u64,
        sync: &impl Serialize,
    ) -> Result<()> {
        let update = Update::of(key(tenant, id)).set("sync", s(json(sync)?)).when(When::Is("take", n(take)));
        self.update(update).await
    }

    /// Writes down which products are on a page that a run read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn note_seen(
        &self,
        tenant: &TenantId,
        catalog: &str,
        (run, page): (&str, u64),
        ids: Vec<String>,
    ) -> Result<()> {
        let key = Key::new(seen_pk(tenant, catalog), format!("{run}#{page:08}"));
        let item = SeenItem { ids, ttl: self.clock().now().as_second() + SEEN_S };
        self.put(compose(&key, "seen products", &item)?).await
    }

    /// Every product that a run has seen.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn seen(&self, tenant: &TenantId, catalog: &str, run: &str) -> Result<HashSet<String>> {
        let query =
            Query { pk: seen_pk(tenant, catalog), prefix: Some(format!("{run}#")), ..Query::default() };
        let mut seen = HashSet::new();
        for item in self.query(&query).await? {
            let SeenItem { ids, .. } = read(item, "seen products")?;
            seen.extend(ids);
        }
        Ok(seen)
    }
}
