//! Products that a SendApp message shows: one, a list, or the whole catalog.

use api_http::{Given, Texts, request};
use domain::Invalid;
use domain::message::{Commerce, Content, ProductSection};
use messaging::catalogs::ShownProducts;

use crate::products::{SectionRows, sections};

type Result<T> = std::result::Result<T, Invalid>;

request! {
    /// Products of a catalog.
    pub(super) struct ProductFields {
        catalog: Given<String> = named("catalog_id").max_length(32),
        product: Given<String> = named("product_id" | "product_retailer_id").max_length(512),
        products: Given<Texts> = named("product_ids" | "product_retailer_ids").max_items(30),
        sections: Given<SectionRows> = named("sections").max_items(10),
        thumbnail: Given<String> =
            named("thumbnail_product_id" | "thumbnail_product_retailer_id").max_length(512),
    }
}

/// What stands around them.
pub(super) struct Around {
    pub(super) message: Given<String>,
    pub(super) header: Given<String>,
    pub(super) footer: Given<String>,
}

impl ProductFields {
    /// One product, which has no header.
    pub(super) fn one(self, around: Around) -> Result<ShownProducts> {
        Ok(ShownProducts {
            text: around.message.get()?,
            footer: around.footer.get()?,
            catalog: self.catalog.get()?,
            sections: vec![ProductSection { title: None, products: vec![self.product.needed()?] }],
            ..ShownProducts::default()
        })
    }

    /// Up to thirty products.
    pub(super) fn list(self, around: Around) -> Result<ShownProducts> {
        Ok(ShownProducts {
            text: Some(around.message.needed()?),
            header: around.header.get()?,
            footer: around.footer.get()?,
            catalog: self.catalog.get()?,
            sections: sections(self.sections, self.products)?,
            as_list: true,
        })
    }

    /// All of them.
    pub(super) fn all(self, around: Around) -> Result<Content> {
        Ok(Content::Commerce(Commerce::Catalog {
            body: around.message.needed()?,
            footer: around.footer.get()?,
            thumbnail: self.thumbnail.get()?,
        }))
    }
}
