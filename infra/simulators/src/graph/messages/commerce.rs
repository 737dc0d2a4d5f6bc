//! Validation of messages that show products, or tell of an order.

use serde_json::Value;

use super::{
    fields::{Checked, invalid, need_array, need_object, need_short, need_text, path, short},
    interactive::ACTION,
};
use crate::graph::{
    fields::field,
    state::{accounts::Token, catalogs::Catalog, world::World},
};

const PRODUCTS_MOST: usize = 30;
/// The words of an order's status.
const STATUSES: [&str; 6] =
    ["pending", "processing", "partially_shipped", "shipped", "completed", "canceled"];

/// The catalog that is named, if it is connected to a business account of the token.
fn connected<'a>(id: &str, world: &'a World, token: Token) -> Checked<&'a Catalog> {
    let catalog = world.catalogs.get(id).filter(|catalog| world.accounts.owns(token, &catalog.account));
    let problem = || {
        invalid(format!(
            "catalog_id {id} is not connected to the WhatsApp Business Account of this phone number"
        ))
    };
    catalog.ok_or_else(problem)
}

fn known(catalog: &Catalog, retailer_id: &str) -> Checked {
    match catalog.product(retailer_id) {
        Some(_) => Ok(()),
        None => Err(invalid(format!("Product not found for product_retailer_id: {retailer_id}"))),
    }
}

pub(super) fn product(action: &Value, world: &World, token: Token) -> Checked {
    let catalog = connected(need_text(action, ACTION, "catalog_id")?, world, token)?;
    known(catalog, need_text(action, ACTION, "product_retailer_id")?)
}

pub(super) fn product_list(action: &Value, world: &World, token: Token) -> Checked {
    let catalog = connected(need_text(action, ACTION, "catalog_id")?, world, token)?;
    let sections = need_array(action, ACTION, "sections")?;
    if !(1..=10).contains(&sections.len()) {
        return Err(invalid("Invalid sections count. Min allowed sections: 1, Max allowed sections: 10"));
    }
    let mut count = 0;
    for (index, section) in sections.iter().enumerate() {
        let at = format!("{ACTION}['sections'][{index}]");
        if sections.len() > 1 {
            need_short(section, &at, "title", 24)?;
        } else {
            short(section, &at, "title", 24)?;
        }
        let items = need_array(section, &at, "product_items")?;
        if items.is_empty() {
            return Err(invalid(format!("{} must not be empty", path(&at, "product_items"))));
        }
        count += items.len();
        for (item_index, item) in items.iter().enumerate() {
            let item_at = format!("{at}['product_items'][{item_index}]");
            known(catalog, need_text(item, &item_at, "product_retailer_id")?)?;
        }
    }
    if count > PRODUCTS_MOST {
        let problem =
            format!("Total product count exceed max allowed count: {PRODUCTS_MOST}, given: {count}");
        return Err(invalid(problem));
    }
    Ok(())
}

/// The whole catalog: one has to be connected, and what is shown for it has to be in it.
pub(super) fn catalog(action: &Value, world: &World, token: Token) -> Checked {
    let mut connected = world.catalogs.all().filter(|one| world.accounts.owns(token, &one.account));
    let none = || invalid("No catalog is connected to the WhatsApp Business Account of this phone number");
    let catalog = connected.next().ok_or_else(none)?;
    let Some(parameters) = field(action, "parameters") else { return Ok(()) };
    match field(parameters, "thumbnail_product_retailer_id") {
        Some(_) => known(
            catalog,
            need_text(parameters, &path(ACTION, "parameters"), "thumbnail_product_retailer_id")?,
        ),
        None => Ok(()),
    }
}

pub(super) fn order_status(action: &Value) -> Checked {
    let parameters = need_object(action, ACTION, "parameters")?;
    let at = path(ACTION, "parameters");
    let reference = need_short(parameters, &at, "reference_id", 35)?;
    if !reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
        return Err(invalid(format!("{} may have letters, digits, _, - and .", path(&at, "reference_id"))));
    }
    let order = need_object(parameters, &at, "order")?;
    let order_at = path(&at, "order");
    let status = need_text(order, &order_at, "status")?;
    if !STATUSES.contains(&status) {
        return Err(invalid(format!("{} must be one of {}", path(&order_at, "status"), STATUSES.join(", "))));
    }
    short(order, &order_at, "description", 120)
}
