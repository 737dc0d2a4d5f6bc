//! Messages with products, and of orders, as Meta's API wants them.

use domain::message::{Commerce, ProductSection};
use serde_json::{Value, json};

/// The `interactive` object.
pub(super) fn interactive(commerce: &Commerce) -> Value {
    let (kind, body, footer, action) = match commerce {
        Commerce::Product { body, footer, catalog, product } => {
            let action = json!({"catalog_id": catalog, "product_retailer_id": product});
            ("product", body.as_deref(), footer.as_deref(), action)
        }
        Commerce::ProductList { body, footer, catalog, sections, .. } => {
            let sections: Vec<Value> = sections.iter().map(section).collect();
            let action = json!({"catalog_id": catalog, "sections": sections});
            ("product_list", Some(body.as_str()), footer.as_deref(), action)
        }
        Commerce::Catalog { body, footer, thumbnail } => {
            let mut action = json!({"name": "catalog_message"});
            if let Some(product) = thumbnail {
                action["parameters"] = json!({"thumbnail_product_retailer_id": product});
            }
            ("catalog_message", Some(body.as_str()), footer.as_deref(), action)
        }
        Commerce::OrderStatus { body, reference, status, description } => {
            let mut order = json!({"status": status.of_meta()});
            if let Some(description) = description {
                order["description"] = description.as_str().into();
            }
            let parameters = json!({"reference_id": reference, "order": order});
            let action = json!({"name": "review_order", "parameters": parameters});
            ("order_status", Some(body.as_str()), None, action)
        }
    };
    let mut interactive = json!({"type": kind, "action": action});
    if let Commerce::ProductList { header, .. } = commerce {
        interactive["header"] = json!({"type": "text", "text": header});
    }
    for (name, text) in [("body", body), ("footer", footer)] {
        if let Some(text) = text {
            interactive[name] = json!({"text": text});
        }
    }
    interactive
}

fn section(section: &ProductSection) -> Value {
    let items: Vec<Value> = section.products.iter().map(|id| json!({"product_retailer_id": id})).collect();
    let mut shown = json!({"product_items": items});
    if let Some(title) = &section.title {
        shown["title"] = title.as_str().into();
    }
    shown
}
