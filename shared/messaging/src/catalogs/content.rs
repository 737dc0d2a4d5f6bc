//! What shows products: whichever way it is asked for, it is of a catalog of the account's.

use domain::TenantId;
use domain::account::Account;
use domain::catalog::Catalog;
use domain::message::{Commerce, Content, ProductSection};

use super::{FRESH_FOR_UNKNOWN_MS, connected, find, known};
use crate::Services;
use crate::error::of_provider;
use ops::{Error, Result};

/// Longest header, in characters.
const MAX_HEADER: usize = 60;

/// Products that are to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownProducts {
    /// What is said with them; the name of the catalog where a text is needed.
    pub text: Option<String>,
    /// What stands above several; the name of the catalog otherwise.
    pub header: Option<String>,
    /// What stands below.
    pub footer: Option<String>,
    /// The catalog; the only one of the account otherwise.
    pub catalog: Option<String>,
    /// Which: one product is shown alone, several as a list.
    pub sections: Vec<ProductSection>,
    /// One product is a list, too.
    pub as_list: bool,
}

/// The catalog of an account that is named, or its only one.
///
/// # Errors
/// [`ops::Code::NotFound`] names `catalog_id` when it is not connected to the account;
/// [`ops::Code::InvalidField`] when none is named and the account has none, or several.
pub async fn of_account(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    named: Option<&str>,
) -> Result<Catalog> {
    let account = std::slice::from_ref(account);
    if let Some(id) = named.map(str::trim).filter(|id| !id.is_empty()) {
        return Ok(find(services, tenant, account, id).await?.catalog);
    }
    let mut catalogs = services.store.catalogs(tenant).await?;
    if connected(&catalogs, account).is_empty() {
        let (fresh, refused) = known(services, tenant, account, FRESH_FOR_UNKNOWN_MS).await?;
        if let Some(error) = refused {
            return Err(of_provider(error));
        }
        catalogs = fresh;
    }
    let ids = connected(&catalogs, account);
    let mut mine = catalogs.all.iter().filter(|one| ids.contains(one.catalog.id.as_str()));
    match (mine.next(), mine.next()) {
        (Some(only), None) => Ok(only.catalog.clone()),
        (None, _) => Err(Error::invalid("catalog_id", "no catalog is connected to this account")),
        (Some(_), Some(_)) => {
            let ids: Vec<&str> = ids.into_iter().collect();
            let message = format!("catalog_id is required, since there are several: {}", ids.join(", "));
            Err(Error::invalid("catalog_id", message))
        }
    }
}

/// A message that shows products.
///
/// # Errors
/// As [`of_account`].
pub async fn show(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    shown: ShownProducts,
) -> Result<Content> {
    let ShownProducts { text: body, header, footer, catalog, sections, as_list } = shown;
    let Catalog { id: catalog, name, .. } = of_account(services, tenant, account, catalog.as_deref()).await?;
    let products: Vec<&String> = sections.iter().flat_map(|section| &section.products).collect();
    let only = match products.as_slice() {
        [product] if !as_list => Some((*product).clone()),
        _ => None,
    };
    Ok(Content::Commerce(match only {
        Some(product) => Commerce::Product { body, footer, catalog, product },
        None => Commerce::ProductList {
            header: header.unwrap_or_else(|| name.chars().take(MAX_HEADER).collect()),
            body: body.unwrap_or(name),
            footer,
            catalog,
            sections,
        },
    }))
}
