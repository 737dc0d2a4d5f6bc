//! Products that a message shows, as callers name them.

use api_http::{Array, Given, Rows, Texts, request, text_of};
use domain::Invalid;
use domain::message::ProductSection;

type Result<T> = std::result::Result<T, Invalid>;

request! {
    /// Some products under a heading.
    pub(crate) struct SectionFields {
        title: Given<String> = named("title").max_length(24),
        products: Given<Texts> = named("products" | "product_ids" | "productIds"),
        items: Given<Array> = named("product_items"),
    }
}

/// Sections, each with the ids of its products, or with Meta's `product_items`.
pub(crate) type SectionRows = Rows<SectionFields>;

/// What is shown: sections, or products that stand in one.
///
/// # Errors
/// Names `sections` as the caller does.
pub(crate) fn sections(given: Given<SectionRows>, ids: Given<Texts>) -> Result<Vec<ProductSection>> {
    let (by_sections, by_ids) = (given.name(), ids.name());
    let wrong = || {
        Invalid::new(by_sections, format!("each of {by_sections} must be an object with title and products"))
    };
    let renamed = |invalid: Invalid| Invalid::new(by_sections, format!("{by_sections}: {}", invalid.message));
    if let Some(rows) = given.get()? {
        let section = |row: Option<SectionFields>| {
            let SectionFields { title, products, items } = row.ok_or_else(wrong)?;
            let items = items.get().map_err(renamed)?.unwrap_or_default();
            let named = items.iter().map(|item| {
                let id = item.get("product_retailer_id").or(item.get("product_id")).unwrap_or(item);
                text_of(id).ok_or_else(wrong)
            });
            let mut ids = products.get().map_err(renamed)?.unwrap_or_default();
            ids.extend(named.collect::<Result<Vec<_>>>()?);
            Ok(ProductSection { title: title.get().map_err(renamed)?, products: ids })
        };
        return rows.iter().map(section).collect();
    }
    match ids.get()? {
        Some(products) if !products.is_empty() => Ok(vec![ProductSection { title: None, products }]),
        Some(_) | None => Err(Invalid::new(by_sections, format!("{by_sections} is required, or {by_ids}"))),
    }
}

#[cfg(test)]
mod tests {
    use api_http::{Fields, Request};
    use serde_json::{Value, json};

    use super::*;

    request! {
        struct Shown {
            sections: Given<SectionRows> = named("sections"),
            products: Given<Texts> = named("product_ids"),
        }
    }

    fn read(params: Value) -> Result<Vec<ProductSection>> {
        let shown = Shown::read(Fields::from(params.as_object().unwrap()));
        sections(shown.sections, shown.products)
    }

    #[test]
    fn products_come_in_several_forms() {
        let pane = |title: Option<&str>| ProductSection {
            title: title.map(str::to_owned),
            products: vec!["pane".to_owned(), "42".to_owned()],
        };
        for (params, want) in [
            (json!({"sections": [{"title": "Forno", "products": ["pane", 42]}]}), pane(Some("Forno"))),
            (
                json!({"sections": "[{\"title\": \"Forno\", \"products\": \"pane, 42\"}]"}),
                pane(Some("Forno")),
            ),
            (json!({"sections": [{"product_items": [{"product_retailer_id": "pane"}, "42"]}]}), pane(None)),
            (json!({"product_ids": "pane,42"}), pane(None)),
            (json!({"product_ids": ["pane", "42"]}), pane(None)),
        ] {
            assert_eq!(read(params.clone()).unwrap(), [want], "{params}");
        }
        for bad in [
            json!({}),
            json!({"product_ids": []}),
            json!({"sections": "pane"}),
            json!({"sections": ["pane"]}),
            json!({"sections": [{"products": {"a": 1}}]}),
            json!({"sections": [{"product_items": [{"id": []}]}]}),
            json!({"sections": [{"title": "x".repeat(25), "products": "pane"}]}),
        ] {
            assert_eq!(read(bad.clone()).unwrap_err().field, "sections", "{bad}");
        }
    }
}
