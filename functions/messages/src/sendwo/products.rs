//! `send-product`, `send-product-list` and `send-catalog`.

use api_http::{Caller, Given, Input, Required, Result, Texts, idempotent_send, request};
use axum::extract::State;
use axum::response::Response;
use domain::message::{Commerce, Content, MAX_COMMERCE_TEXT, ProductSection};
use messaging::Services;
use messaging::catalogs::{ShownProducts, show};

use super::{ToFields, called};
use crate::products::{SectionRows, sections};

request! {
    /// The catalog; the account's only one otherwise.
    pub(crate) struct CatalogFields {
        catalog: Given<String> = named("catalogId" | "catalog_id" | "whatsapp_catalog_id").max_length(32),
        footer: Given<String> = named("footer").max_length(60),
    }
}

request! {
    /// `send-product`
    pub(crate) struct SendProduct(recipient: ToFields, of: CatalogFields) {
        product: Required<String> =
            named("productId" | "product_id" | "product_retailer_id" | "productRetailerId").max_length(512),
        message: Given<String> = named("message" | "text" | "body").max_length(MAX_COMMERCE_TEXT),
    }
}

/// `send-product`: one product.
pub(crate) async fn send_product(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendProduct>,
) -> Result<Response> {
    let work = async |send| {
        let SendProduct { recipient, of, product, message } = input.read();
        let names = [
            ("message", message.name()),
            ("catalog_id", of.catalog.name()),
            ("product_id", product.name()),
            ("footer", of.footer.name()),
        ];
        let recipient = recipient.get(&services, &caller).await?;
        let shown = ShownProducts {
            text: message.get()?,
            footer: of.footer.get()?,
            catalog: of.catalog.get()?,
            sections: vec![ProductSection { title: None, products: vec![product.get()?] }],
            ..ShownProducts::default()
        };
        let content = show(&services, caller.tenant_id(), &recipient.account, shown).await;
        let content = content.map_err(|error| called(error, &names))?;
        recipient.send(&services, &caller, content, (&names, send)).await
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

request! {
    /// `send-product-list`
    pub(crate) struct SendProducts(recipient: ToFields, of: CatalogFields) {
        message: Required<String> = named("message" | "text" | "body").max_length(MAX_COMMERCE_TEXT),
        header: Given<String> = named("header").max_length(60),
        sections: Given<SectionRows> = named("sections").max_items(10),
        products: Given<Texts> = named("productIds" | "product_ids" | "product_retailer_ids").max_items(30),
    }
}

/// `send-product-list`: up to 30 products.
pub(crate) async fn send_products(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendProducts>,
) -> Result<Response> {
    let work = async |send| {
        let asked = input.read();
        let names = [
            ("message", asked.message.name()),
            ("catalog_id", asked.of.catalog.name()),
            ("header", asked.header.name()),
            ("footer", asked.of.footer.name()),
        ];
        let recipient = asked.recipient.get(&services, &caller).await?;
        let shown = ShownProducts {
            text: Some(asked.message.get()?),
            header: asked.header.get()?,
            footer: asked.of.footer.get()?,
            catalog: asked.of.catalog.get()?,
            sections: sections(asked.sections, asked.products)?,
            as_list: true,
        };
        let content = show(&services, caller.tenant_id(), &recipient.account, shown).await;
        let content = content.map_err(|error| called(error, &names))?;
        recipient.send(&services, &caller, content, (&names, send)).await
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

request! {
    /// `send-catalog`
    pub(crate) struct SendCatalog(recipient: ToFields) {
        message: Required<String> = named("message" | "text" | "body").max_length(MAX_COMMERCE_TEXT),
        footer: Given<String> = named("footer").max_length(60),
        thumbnail: Given<String> =
            named("thumbnailProductId" | "thumbnail_product_id" | "thumbnail_product_retailer_id")
                .max_length(512),
    }
}

/// `send-catalog`: the whole catalog.
pub(crate) async fn send_catalog(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendCatalog>,
) -> Result<Response> {
    let work = async |send| {
        let SendCatalog { recipient, message, footer, thumbnail } = input.read();
        let names = [
            ("message", message.name()),
            ("footer", footer.name()),
            ("thumbnail_product_id", thumbnail.name()),
        ];
        let recipient = recipient.get(&services, &caller).await?;
        let content = Content::Commerce(Commerce::Catalog {
            body: message.get()?,
            footer: footer.get()?,
            thumbnail: thumbnail.get()?,
        });
        recipient.send(&services, &caller, content, (&names, send)).await
    };
    idempotent_send(&services.store, &caller, &input, work).await
}
