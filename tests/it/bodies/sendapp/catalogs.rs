//! `/api/catalogs`, `/api/orders`, and messages that show products.

use http::Method;
use serde_json::json;

use crate::bodies::compare;
use crate::bodies::story::{CATALOG, HOOK};

#[test]
fn catalogs() {
    compare("sendapp-catalogs", async |story| {
        story.stock();
        story.get("/api/catalogs").await;
        story.post(&format!("/api/catalogs/{CATALOG}/sync"), json!({})).await;
        story.later().await;
        story.get("/api/catalogs").await;
        story.get(&format!("/api/catalogs/{CATALOG}/products?limit=1")).await;
        story.get(&format!("/api/catalogs/{CATALOG}/products?after=pane&search=VINO")).await;
        story.post("/api/catalogs/999/sync", json!({})).await;
        story.get("/api/catalogs/999/products").await;
        let to = "393330000001";
        for shown in [
            json!({"type": "product", "number": to, "product_id": "pane", "message": "Fresco"}),
            json!({"type": "product_list", "number": to, "product_ids": ["pane", "vino"], "message": "Oggi"}),
            json!({"type": "catalog", "number": to, "message": "Tutto"}),
            json!({"type": "product", "number": to, "product_id": "olio"}),
            json!({"type": "product", "number": to, "product_id": "pane", "catalog_id": "999"}),
            json!({"type": "product_list", "number": to, "message": "Oggi"}),
        ] {
            story.post("/api/whatsapp-meta/send", shown).await;
        }
        story.keyless(Method::GET, "/api/catalogs").await;
    });
}

#[test]
fn orders() {
    compare("sendapp-orders", async |story| {
        story.stock();
        story.given("/api/webhooks", json!({"name": "crm", "url": HOOK})).await;
        story.given("/api/contacts", json!({"name": "Ada Neri", "phone": "+393330000001"})).await;
        story.order();
        story.later().await;
        let orders = story.get("/api/orders").await;
        let path = format!("/api/orders/{}", orders["orders"][0]["id"].as_str().unwrap());
        story.get(&path).await;
        story.post(&path, json!({"status": "shipped", "notify": true, "message": "È partito!"})).await;
        story.post(&path, json!({"status": "shipped", "notify": true})).await;
        story.post(&path, json!({"status": "refunded", "notify": true})).await;
        story.post(&path, json!({"status": "pending"})).await;
        story.post(&path, json!({"status": "lost"})).await;
        story.post(&path, json!({})).await;
        story.get("/api/orders?status=refunded&contact_id=1&limit=1").await;
        story.get("/api/orders?status=pending").await;
        story.get("/api/orders/1").await;
        story.post("/api/orders/1", json!({"status": "shipped"})).await;
        story.keyless(Method::POST, &path).await;
    });
}
