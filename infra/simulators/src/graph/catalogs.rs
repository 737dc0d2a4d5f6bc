//! `GET /{waba_id}/product_catalogs` and `GET /{catalog_id}/products`, and the control of both.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    clock::mix,
    errors::{Error, GraphError},
    ids::is_id,
    paging::{cursor, limit, link, position},
    simulator::Simulator,
    state::{
        accounts::Token,
        catalogs::{Catalog, NewCatalog, NewProduct, Product, generated},
        journal::Line,
        world::World,
    },
};

/// The fields of a product when none are asked for.
const USUAL_FIELDS: &str = "id,name,retailer_id";

impl Simulator {
    /// Connects a catalog to a business account; answers its id, and how many products it has.
    ///
    /// # Errors
    /// When the business account is missing, or a product makes no sense.
    pub fn put_catalog(&self, new: NewCatalog) -> Result<(String, usize), Error> {
        let world = &mut *self.world();
        let account = match new.waba_id {
            Some(account) => account,
            None => {
                let first = world.accounts.first_number().map(|number| number.id.clone());
                let account = first.and_then(|number| world.accounts.known_account_of(&number));
                let unknown = "no business account is known yet: give waba_id, or call the Graph API first";
                account.ok_or_else(|| Error::Invalid(unknown.to_owned()))?
            }
        };
        let id = match new.id {
            Some(id) => id,
            None => format!("9{:014}", mix(world.id_key ^ world.next_seq()) % 100_000_000_000_000),
        };
        if !is_id(&id) || !is_id(&account) {
            return Err(Error::Invalid("id and waba_id must be digits".to_owned()));
        }
        let name = new.name.unwrap_or_else(|| "Test Catalog".to_owned());
        let known = world.catalogs.get(&id).cloned();
        let mut catalog = known.unwrap_or_else(|| Catalog::new(id, String::new(), String::new()));
        (catalog.name, catalog.account) = (name, account);
        let made: Vec<NewProduct> = new.products.into_iter().chain(generated(new.generate)).collect();
        let stays: BTreeSet<&str> = made.iter().map(|product| product.retailer_id.as_str()).collect();
        catalog.products.retain(|product| stays.contains(product.told.retailer_id.as_str()));
        catalog.put(made)?;
        Ok(remembered(world, catalog))
    }

    /// Puts products into a catalog, in the place of those of the same ids.
    ///
    /// # Errors
    /// When there is no such catalog, or a product makes no sense.
    pub fn put_products(&self, catalog: &str, products: Vec<NewProduct>) -> Result<(String, usize), Error> {
        let world = &mut *self.world();
        let mut catalog = world.catalogs.get(catalog).cloned().ok_or_else(|| unknown(catalog))?;
        catalog.put(products)?;
        Ok(remembered(world, catalog))
    }

    /// Removes products from a catalog; answers how many there were.
    ///
    /// # Errors
    /// When there is no such catalog.
    pub fn remove_products(&self, catalog: &str, ids: &[String]) -> Result<usize, Error> {
        let world = &mut *self.world();
        let mut catalog = world.catalogs.get(catalog).cloned().ok_or_else(|| unknown(catalog))?;
        let removed = catalog.take(ids);
        remembered(world, catalog);
        Ok(removed)
    }

    /// Disconnects a catalog; answers whether there was one.
    pub fn remove_catalog(&self, id: &str) -> bool {
        let world = &mut *self.world();
        world.remember(&Line::CatalogRemoved { id: id.to_owned() });
        world.catalogs.remove(id)
    }

    /// Every catalog with how many products it has.
    pub fn catalogs(&self) -> Value {
        let world = self.world();
        let shown = |catalog: &Catalog| {
            json!({ "id": catalog.id, "name": catalog.name, "waba_id": catalog.account,
                "products": catalog.products.len() })
        };
        Value::Array(world.catalogs.all().map(shown).collect())
    }
}

fn unknown(id: &str) -> Error {
    Error::Invalid(format!("there is no catalog {id}"))
}

fn remembered(world: &mut World, catalog: Catalog) -> (String, usize) {
    let known = (catalog.id.clone(), catalog.products.len());
    if world.is_journaled() {
        world.remember(&Line::Catalog(catalog.clone()));
    }
    world.catalogs.put(catalog);
    known
}

/// The page of catalogs that are connected to a business account, by id.
pub(super) fn of_account(
    world: &World,
    account: &str,
    query: &BTreeMap<String, String>,
    address: &str,
) -> Result<Value, GraphError> {
    let found: Vec<(u64, Value)> = (1..)
        .zip(world.catalogs.of_account(account))
        .map(|(seq, catalog)| (seq, node(catalog, query)))
        .collect();
    page(found, query, address, usize::MAX)
}

/// The page of a catalog's products.
pub(super) fn products(
    world: &World,
    (id, token): (&str, Token),
    query: &BTreeMap<String, String>,
    address: &str,
) -> Result<Value, GraphError> {
    let catalog = world.catalogs.get(id).filter(|catalog| world.accounts.owns(token, &catalog.account));
    let catalog = catalog.ok_or_else(|| GraphError::unknown_object(id))?;
    let found = catalog.products.iter().map(|one| (one.seq, one)).collect();
    let shown = |product: &Product| product_node(product, query);
    let most = world.settings.products_per_page;
    page_of(found, shown, query, address, most)
}

/// A catalog as a Graph node.
pub(super) fn node(catalog: &Catalog, query: &BTreeMap<String, String>) -> Value {
    let all = json!({ "id": catalog.id, "name": catalog.name, "product_count": catalog.products.len(),
        "vertical": "commerce" });
    chosen(&all, query.get("fields").map_or("id,name", String::as_str))
}

fn product_node(product: &Product, query: &BTreeMap<String, String>) -> Value {
    let NewProduct {
        retailer_id,
        name,
        description,
        price,
        sale_price,
        availability,
        image_url,
        url,
        brand,
        ..
    } = &product.told;
    let shown =
        |price: &Option<Value>| price.as_ref().map(|price| shown_price(price, product.told.currency()));
    let mut all = json!({
        "id": product.id,
        "retailer_id": retailer_id,
        "name": name.as_deref().unwrap_or(retailer_id),
        "currency": product.told.currency(),
        "availability": availability.as_deref().unwrap_or("in stock"),
        "visibility": "published",
        "condition": "new",
    });
    for (field, value) in [
        ("description", description.clone()),
        ("price", shown(price)),
        ("sale_price", shown(sale_price)),
        ("image_url", image_url.clone()),
        ("url", url.clone()),
        ("brand", brand.clone()),
    ] {
        if let Some(value) = value {
            all[field] = json!(value);
        }
    }
    chosen(&all, query.get("fields").map_or(USUAL_FIELDS, String::as_str))
}

fn chosen(all: &Value, fields: &str) -> Value {
    let wanted: Vec<&str> = fields.split(',').map(str::trim).collect();
    let chosen = all.as_object().into_iter().flatten();
    let chosen = chosen.filter(|(name, _)| *name == "id" || wanted.contains(&name.as_str()));
    Value::Object(chosen.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}

/// A price as Meta shows it: `€9.90`, and with the letters of a currency that has no sign.
fn shown_price(price: &Value, currency: &str) -> String {
    let text = price.as_str().map_or_else(|| price.to_string(), str::to_owned);
    let decimals = match currency {
        "JPY" | "KRW" | "CLP" | "VND" => 0,
        "KWD" | "BHD" | "OMR" | "JOD" | "TND" => 3,
        _ => 2,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let number = if decimals == 0 { whole.to_owned() } else { format!("{whole}.{fraction:0<decimals$}") };
    match currency {
        "EUR" => format!("€{number}"),
        "USD" => format!("${number}"),
        "GBP" => format!("£{number}"),
        "JPY" => format!("¥{number}"),
        other => format!("{other} {number}"),
    }
}

fn page(
    found: Vec<(u64, Value)>,
    query: &BTreeMap<String, String>,
    address: &str,
    most: usize,
) -> Result<Value, GraphError> {
    page_of(found, |node: Value| node, query, address, most)
}

/// A page of items in the order of their numbers.
fn page_of<T>(
    found: Vec<(u64, T)>,
    shown: impl Fn(T) -> Value,
    query: &BTreeMap<String, String>,
    address: &str,
    most: usize,
) -> Result<Value, GraphError> {
    let limit = limit(query)?;
    if limit > most {
        return Err(GraphError::too_much());
    }
    let after = query.get("after").map(|cursor| position(cursor)).transpose()?;
    let before = query.get("before").map(|cursor| position(cursor)).transpose()?;
    let start = match (after, before) {
        (Some(seq), _) => found.partition_point(|(one, _)| *one <= seq),
        (None, Some(seq)) => found.partition_point(|(one, _)| *one < seq).saturating_sub(limit),
        (None, None) => 0,
    };
    let count = found.len();
    let page: Vec<(u64, T)> = found.into_iter().skip(start).take(limit).collect();
    let ends = page.first().zip(page.last()).map(|((first, _), (last, _))| (cursor(*first), cursor(*last)));
    let behind = start + page.len();
    let data: Vec<Value> = page.into_iter().map(|(_, one)| shown(one)).collect();
    let mut answer = json!({ "data": data });
    if let Some((before, after)) = ends {
        answer["paging"] = json!({ "cursors": { "before": before, "after": after } });
        if behind < count {
            answer["paging"]["next"] = json!(link(address, query, "after", &after));
        }
        if start > 0 {
            answer["paging"]["previous"] = json!(link(address, query, "before", &before));
        }
    }
    Ok(answer)
}
