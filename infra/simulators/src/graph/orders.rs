//! Orders: what a person puts into the cart of a catalog and sends.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{errors::Error, inbound::Inbound, simulator::Simulator};

/// An order of a person, who has a phone number, a business-scoped user id, or both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboundOrder {
    pub from: Option<String>,
    pub user_id: Option<String>,
    /// The profile name.
    pub name: Option<String>,
    /// The receiving number; the first one unless given.
    pub phone_number_id: Option<String>,
    /// The catalog; the first one unless given.
    pub catalog_id: Option<String>,
    pub items: Vec<OrderedItem>,
    /// What the person writes beside it.
    pub text: Option<String>,
    /// The message id; a new one unless given.
    pub id: Option<String>,
    /// Seconds since the epoch; now unless given.
    pub timestamp: Option<u64>,
}

/// A product that is ordered, for the price that the catalog has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderedItem {
    #[serde(alias = "retailer_id")]
    pub product_retailer_id: String,
    #[serde(default = "one")]
    pub quantity: u64,
}

fn one() -> u64 {
    1
}

impl Simulator {
    /// Sends a person's order, opens the 24-hour window, and returns the message's id.
    ///
    /// # Errors
    /// When the person, the receiving number, the catalog or a product is missing.
    pub fn order(&self, order: InboundOrder) -> Result<String, Error> {
        let (catalog, items) = {
            let world = self.world();
            let catalog = match &order.catalog_id {
                Some(id) => world.catalogs.get(id),
                None => world.catalogs.all().next(),
            };
            let catalog = catalog.ok_or_else(|| Error::Invalid("there is no such catalog".to_owned()))?;
            let item = |item: &OrderedItem| {
                let id = &item.product_retailer_id;
                let unknown = || Error::Invalid(format!("the catalog has no product {id}"));
                let product = catalog.product(id).ok_or_else(unknown)?;
                Ok(json!({ "product_retailer_id": id, "quantity": item.quantity,
                    "item_price": product.item_price(), "currency": product.currency() }))
            };
            let items = order.items.iter().map(item).collect::<Result<Vec<Value>, Error>>()?;
            (catalog.id.clone(), items)
        };
        if items.is_empty() {
            return Err(Error::Invalid("items must name at least one product".to_owned()));
        }
        let text = order.text.unwrap_or_default();
        let content = json!({ "catalog_id": catalog, "text": text, "product_items": items });
        self.inbound(Inbound {
            from: order.from,
            user_id: order.user_id,
            name: order.name,
            phone_number_id: order.phone_number_id,
            kind: Some("order".to_owned()),
            id: order.id,
            timestamp: order.timestamp,
            rest: Map::from_iter([("order".to_owned(), content)]),
            ..Inbound::default()
        })
    }
}
