//! Messages that show a shop's products, or tell of an order (Meta, «Share products with
//! customers» and «Order status messages»,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/sell-products-and-services>).

use super::rules::within;
use crate::Invalid;
use crate::catalog::{MAX_PRODUCTS, MAX_RETAILER_ID, MAX_SECTIONS, OrderStatus, is_catalog_id};

/// Longest text of such a message, in characters.
pub const MAX_COMMERCE_TEXT: usize = 1_024;

/// Some products under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSection {
    /// At most 24 characters; needed where there are several.
    pub title: Option<String>,
    /// The shop's ids of the products.
    pub products: Vec<String>,
}

/// What shows products, or tells of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commerce {
    /// One product.
    Product {
        /// At most 1,024 characters.
        body: Option<String>,
        /// At most 60 characters.
        footer: Option<String>,
        /// The catalog.
        catalog: String,
        /// The shop's id of the product.
        product: String,
    },
    /// Up to thirty products.
    ProductList {
        /// At most 60 characters.
        header: String,
        /// At most 1,024 characters.
        body: String,
        /// At most 60 characters.
        footer: Option<String>,
        /// The catalog.
        catalog: String,
        /// One to ten.
        sections: Vec<ProductSection>,
    },
    /// The whole catalog that is connected.
    Catalog {
        /// At most 1,024 characters.
        body: String,
        /// At most 60 characters.
        footer: Option<String>,
        /// The shop's id of the product that is shown for all.
        thumbnail: Option<String>,
    },
    /// How far an order is.
    OrderStatus {
        /// At most 1,024 characters.
        body: String,
        /// What names the order.
        reference: String,
        /// How far it is.
        status: OrderStatus,
        /// At most 120 characters.
        description: Option<String>,
    },
}

impl Commerce {
    /// The text to show in a conversation.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Product { body, .. } => body.as_deref(),
            Self::ProductList { body, .. } | Self::Catalog { body, .. } | Self::OrderStatus { body, .. } => {
                Some(body)
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Product { body, footer, catalog, product } => {
                body.as_deref().map_or(Ok(()), |text| within("message", text, 1, MAX_COMMERCE_TEXT))?;
                check_footer(footer.as_deref())?;
                check_catalog(catalog)?;
                check_product("product_id", product)
            }
            Self::ProductList { header, body, footer, catalog, sections } => {
                within("header", header, 1, 60)?;
                within("message", body, 1, MAX_COMMERCE_TEXT)?;
                check_footer(footer.as_deref())?;
                check_catalog(catalog)?;
                check_sections(sections)
            }
            Self::Catalog { body, footer, thumbnail } => {
                within("message", body, 1, MAX_COMMERCE_TEXT)?;
                check_footer(footer.as_deref())?;
                thumbnail.as_deref().map_or(Ok(()), |id| check_product("thumbnail_product_id", id))
            }
            Self::OrderStatus { body, status, description, .. } => {
                within("message", body, 1, MAX_COMMERCE_TEXT)?;
                description.as_deref().map_or(Ok(()), |text| within("description", text, 1, 120))?;
                match status.of_meta() {
                    Some(_) => Ok(()),
                    None => Err(Invalid::new(
                        "status",
                        format!("WhatsApp has no message of an order that is {status}"),
                    )),
                }
            }
        }
    }
}

fn check_footer(footer: Option<&str>) -> Result<(), Invalid> {
    footer.map_or(Ok(()), |text| within("footer", text, 1, 60))
}

fn check_catalog(id: &str) -> Result<(), Invalid> {
    if is_catalog_id(id) {
        return Ok(());
    }
    Err(Invalid::new("catalog_id", "catalog_id must be Meta's id of a catalog, digits"))
}

fn check_product(field: &str, id: &str) -> Result<(), Invalid> {
    if id.trim().is_empty() || id.len() > MAX_RETAILER_ID {
        return Err(Invalid::new(field, format!("{field} must be the shop's id of a product")));
    }
    Ok(())
}

fn check_sections(sections: &[ProductSection]) -> Result<(), Invalid> {
    let wrong = |message: String| Err(Invalid::new("sections", message));
    if sections.is_empty() || sections.len() > MAX_SECTIONS {
        return wrong(format!("sections must be an array of 1 to {MAX_SECTIONS} sections"));
    }
    for section in sections {
        match section.title.as_deref().map(str::trim).filter(|title| !title.is_empty()) {
            Some(title) => within("sections", title, 1, 24)?,
            None if sections.len() > 1 => {
                return wrong("sections need a title when there are several".to_owned());
            }
            None => {}
        }
        if section.products.is_empty() {
            return wrong("each of sections needs products".to_owned());
        }
        section.products.iter().try_for_each(|id| check_product("sections", id))?;
    }
    match sections.iter().map(|section| section.products.len()).sum::<usize>() {
        count if count > MAX_PRODUCTS => {
            wrong(format!("sections may have at most {MAX_PRODUCTS} products together, not {count}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(sections: Vec<ProductSection>) -> Commerce {
        let (header, body) = ("Pane".to_owned(), "Scegli".to_owned());
        Commerce::ProductList { header, body, footer: None, catalog: "1".to_owned(), sections }
    }

    fn section(title: Option<&str>, products: usize) -> ProductSection {
        let products = (0..products).map(|n| format!("sku-{n}")).collect();
        ProductSection { title: title.map(str::to_owned), products }
    }

    #[test]
    fn lists_keep_to_metas_limits() {
        for fine in [
            vec![section(None, 30)],
            vec![section(Some("Pane"), 15), section(Some("Dolci"), 15)],
            (0..10).map(|_| section(Some("Pane"), 3)).collect(),
        ] {
            assert_eq!(list(fine).check(), Ok(()));
        }
        for bad in [
            Vec::new(),
            vec![section(None, 31)],
            vec![section(None, 0)],
            vec![section(Some("Pane"), 1), section(None, 1)],
            vec![section(Some(&"x".repeat(25)), 1)],
            vec![section(Some("Pane"), 16), section(Some("Dolci"), 15)],
            (0..11).map(|_| section(Some("Pane"), 1)).collect(),
            vec![ProductSection { title: None, products: vec![" ".to_owned()] }],
        ] {
            assert_eq!(list(bad.clone()).check().unwrap_err().field, "sections", "{bad:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let product =
            |body: Option<&str>, footer: Option<&str>, catalog: &str, product: &str| Commerce::Product {
                body: body.map(str::to_owned),
                footer: footer.map(str::to_owned),
                catalog: catalog.to_owned(),
                product: product.to_owned(),
            };
        assert_eq!(product(None, None, "12", "sku").check(), Ok(()));
        let long = "x".repeat(1_025);
        for (wrong, field) in [
            (product(Some(&long), None, "12", "sku"), "message"),
            (product(None, Some(&long[..61]), "12", "sku"), "footer"),
            (product(None, None, "shop", "sku"), "catalog_id"),
            (product(None, None, "12", ""), "product_id"),
        ] {
            assert_eq!(wrong.check().unwrap_err().field, field);
        }
        let of = |status| Commerce::OrderStatus {
            body: "x".to_owned(),
            reference: "1".to_owned(),
            status,
            description: None,
        };
        assert_eq!(of(OrderStatus::Shipped).check(), Ok(()));
        assert_eq!(of(OrderStatus::Refunded).check().unwrap_err().field, "status");
    }
}
