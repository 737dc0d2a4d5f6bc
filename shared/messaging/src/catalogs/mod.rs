//! Catalogs that are connected to the business accounts of a tenant's numbers: which there
//! are, reading their products, and messages that show them.

mod content;
mod sync;

pub use content::{ShownProducts, of_account, show};
pub use sync::{Sync, SyncState, run, start};

use std::collections::{BTreeMap, BTreeSet};

use channels::Error as ProviderError;
use domain::TenantId;
use domain::account::{Account, Number};
use domain::catalog::is_catalog_id;
use store::Store;
use store::catalogs::{Catalogs, ProductQuery, StoredCatalog, StoredProduct};

use crate::Services;
use crate::error::of_provider;
use ops::{Error, Result};

/// How long it is believed what Meta said of which catalogs there are, in milliseconds.
const FRESH_MS: i64 = 60_000;
/// The same for somebody who asks for a catalog that is not among them.
const FRESH_FOR_UNKNOWN_MS: i64 = 2_000;

/// A catalog, as it is stored.
pub type KnownCatalog = StoredCatalog<Sync>;

/// A refusal of a catalog that is not the tenant's.
pub(crate) fn unknown() -> Error {
    Error::not_found("catalog_id", "catalog_id is not the id of a catalog that is connected to your numbers")
}

/// A number of each business account that the tenant has, with its account.
fn numbers(accounts: &[Account]) -> BTreeMap<&str, (&Account, &Number)> {
    let all = accounts.iter().flat_map(|account| account.numbers.iter().map(move |number| (account, number)));
    // The first one of each.
    let mut numbers = BTreeMap::new();
    for (account, number) in all {
        numbers.entry(number.waba_id.as_str()).or_insert((account, number));
    }
    numbers
}

/// What is connected, as far as it is believed for so long; the rest is asked of Meta. Answers
/// also why Meta did not tell.
async fn known(
    services: &Services,
    tenant: &TenantId,
    accounts: &[Account],
    fresh_ms: i64,
) -> Result<(Catalogs<Sync>, Option<ProviderError>)> {
    let store = &services.store;
    let catalogs = store.catalogs(tenant).await?;
    let since_ms = store.clock().now_ms() - fresh_ms;
    let is_fresh = |waba_id: &str| {
        catalogs.connected.iter().any(|waba| waba.waba_id == waba_id && waba.at_ms > since_ms)
    };
    let (mut is_new, mut refused) = (false, None);
    for (waba_id, (account, number)) in numbers(accounts).into_iter().filter(|(id, _)| !is_fresh(id)) {
        match services.graph.catalogs(number).await {
            Ok(found) => {
                store.connect_catalogs(tenant, (account.id, waba_id), &found).await?;
                is_new = true;
            }
            Err(error) => {
                tracing::warn!(%tenant, %error, "which catalogs there are could not be read");
                refused = refused.or(Some(error));
            }
        }
    }
    let catalogs = if is_new { store.catalogs(tenant).await? } else { catalogs };
    Ok((catalogs, refused))
}

/// The ids of what is connected to these accounts.
fn connected<'a>(catalogs: &'a Catalogs<Sync>, accounts: &[Account]) -> BTreeSet<&'a str> {
    let numbers = numbers(accounts);
    let theirs = catalogs.connected.iter().filter(|waba| numbers.contains_key(waba.waba_id.as_str()));
    theirs.flat_map(|waba| waba.ids.iter().map(String::as_str)).collect()
}

/// The catalogs that are connected, by id. What Meta said before is better than nothing.
///
/// # Errors
/// The provider's refusal, when nothing was known before.
pub async fn list(services: &Services, tenant: &TenantId) -> Result<Vec<KnownCatalog>> {
    let accounts = services.store.accounts(tenant).await?;
    let (catalogs, refused) = known(services, tenant, &accounts, FRESH_MS).await?;
    if let Some(error) = refused.filter(|_| catalogs.all.is_empty()) {
        return Err(of_provider(error));
    }
    let ids = connected(&catalogs, &accounts);
    let mine: Vec<KnownCatalog> =
        catalogs.all.iter().filter(|one| ids.contains(one.catalog.id.as_str())).cloned().collect();
    for catalog in &mine {
        sync::take_up(services, tenant, catalog).await?;
    }
    Ok(mine)
}

/// A catalog that is connected to one of these accounts; Meta is asked only for one that is
/// not known to be.
async fn find(
    services: &Services,
    tenant: &TenantId,
    accounts: &[Account],
    id: &str,
) -> Result<KnownCatalog> {
    if !is_catalog_id(id) {
        return Err(unknown());
    }
    let catalogs = services.store.catalogs(tenant).await?;
    if let Some(found) = among(&catalogs, accounts, id) {
        return Ok(found);
    }
    let (catalogs, refused) = known(services, tenant, accounts, FRESH_FOR_UNKNOWN_MS).await?;
    among(&catalogs, accounts, id).ok_or_else(|| refused.map_or_else(unknown, of_provider))
}

fn among(catalogs: &Catalogs<Sync>, accounts: &[Account], id: &str) -> Option<KnownCatalog> {
    let is_connected = connected(catalogs, accounts).contains(id);
    catalogs.all.iter().find(|one| is_connected && one.catalog.id == id).cloned()
}

/// Products of a catalog as they were read last, also of one that is no longer connected.
///
/// # Errors
/// [`ops::Code::NotFound`] names `catalog_id`.
pub async fn products(
    services: &Services,
    tenant: &TenantId,
    id: &str,
    wanted: &ProductQuery<'_>,
) -> Result<(KnownCatalog, Vec<StoredProduct>)> {
    let catalog = was_known(services, tenant, id).await?;
    let products = services.store.products(tenant, &catalog.catalog.id, wanted).await?;
    Ok((catalog, products))
}

async fn was_known(services: &Services, tenant: &TenantId, id: &str) -> Result<KnownCatalog> {
    let id = id.trim();
    if is_catalog_id(id)
        && let Some(known) = services.store.catalog(tenant, id).await?
    {
        return Ok(known);
    }
    let accounts = services.store.accounts(tenant).await?;
    find(services, tenant, &accounts, id).await
}

/// The names of catalogs that were ever connected, by id.
///
/// # Errors
/// [`ops::Code::Unavailable`] when the database does not answer.
pub async fn names(store: &Store, tenant: &TenantId) -> Result<BTreeMap<String, String>> {
    let catalogs: Catalogs<Sync> = store.catalogs(tenant).await?;
    Ok(catalogs.all.into_iter().map(|one| (one.catalog.id, one.catalog.name)).collect())
}
