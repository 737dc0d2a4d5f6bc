//! Catalogs of a shop: their products, and what customers order from them.

mod order;

pub use order::{NewOrder, Order, OrderItem, OrderNotice, OrderStatus};

use crate::money::Money;

/// Longest id that a shop gives to a product, in bytes; Meta allows 100 characters
/// (<https://developers.facebook.com/docs/commerce-platform/catalog/fields>).
pub const MAX_RETAILER_ID: usize = 512;
/// Most products of a message.
pub const MAX_PRODUCTS: usize = 30;
/// Most sections of a message with products.
pub const MAX_SECTIONS: usize = 10;

/// Whether a text may be a catalog's id: Meta's are digits.
pub fn is_catalog_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A catalog that is connected to a WhatsApp business account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// Meta's id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// How many products Meta says that it has.
    pub count: Option<u64>,
}

/// A product of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The shop's own id of it, unique within its catalog: messages and orders name it so.
    pub retailer_id: String,
    /// Meta's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// What it costs; `None` when that cannot be read.
    pub price: Option<Money>,
    /// What it costs for now.
    pub sale_price: Option<Money>,
    /// As Meta writes it: `in stock`, `out of stock` and others.
    pub availability: Option<String>,
    /// Its picture.
    pub image_url: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
}
