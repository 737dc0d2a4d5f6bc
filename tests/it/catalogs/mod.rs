//! Catalogs that are read from Meta, messages that show their products, and orders.

mod bad;
mod kills;
mod orders;
mod sending;
mod statuses;
mod sync;

use harness::{Api, WABA_ID, World};
use serde_json::{Value, json};
use simulators::graph::{InboundOrder, OrderedItem};

use crate::sendwo::{done, is, post, refused};

/// The catalog of the account.
const CATALOG: &str = "700700700700700";

/// Connects a catalog with these products.
fn stock(world: &World, id: &str, products: Value) {
    let catalog = json!({"id": id, "name": "Bottega", "waba_id": WABA_ID, "products": products});
    world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
}

/// Connects a catalog with so many products.
fn large(world: &World, count: usize) {
    let catalog = json!({"id": CATALOG, "name": "Grande", "waba_id": WABA_ID, "generate": count});
    world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
}

fn bread() -> Value {
    json!([
        {"retailer_id": "pane", "name": "Pane di Altamura", "price": 2.5, "description": "Un chilo"},
        {"retailer_id": "dolce", "name": "Dolce", "price": "12.90", "sale_price": 10, "brand": "Forno"},
        {"retailer_id": "vino", "name": "Vino rosso", "price": 8, "availability": "out of stock"},
    ])
}

/// A shop with a catalog that was not read yet.
async fn shop() -> (World, Api) {
    let world = World::new().await;
    stock(&world, CATALOG, bread());
    let api = Api::of(&world).await;
    (world, api)
}

/// Begins to read the catalog; answers how far it is.
async fn begin(api: &Api) -> Value {
    done(api, "/api/v1/catalog/sync", json!({"catalogId": CATALOG})).await["data"]["sync"].clone()
}

/// How far the catalog is read.
async fn progress(api: &Api) -> Value {
    done(api, "/api/v1/catalog/list", json!({})).await["message"][0]["sync"].clone()
}

/// Reads the catalog; answers what came of it.
async fn synced(world: &World, api: &Api) -> Value {
    begin(api).await;
    world.drain().await;
    progress(api).await
}

/// The products of the catalog, with those that are gone.
async fn products(api: &Api) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), format!("/api/catalogs/{CATALOG}/products?gone=1&limit=1000"));
    loop {
        let page = api.get(&path).await.expect(200);
        all.extend(page["products"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => path = format!("/api/catalogs/{CATALOG}/products?gone=1&limit=1000&after={next}"),
            None => return all,
        }
    }
}

/// The ids of products that are gone.
async fn gone(api: &Api) -> Vec<String> {
    let gone = products(api).await.into_iter().filter(|product| product["gone"] == true);
    gone.map(|product| product["id"].as_str().unwrap().to_owned()).collect()
}

/// A customer orders.
fn order(world: &World, from: &str, items: &[(&str, u64)]) -> String {
    let items = items
        .iter()
        .map(|(id, quantity)| OrderedItem { product_retailer_id: (*id).to_owned(), quantity: *quantity });
    let order = InboundOrder {
        from: Some(from.to_owned()),
        catalog_id: Some(CATALOG.to_owned()),
        items: items.collect(),
        ..InboundOrder::default()
    };
    world.simulator.order(order).unwrap()
}

/// Everything that was ordered, newest first.
async fn ordered(api: &Api) -> Vec<Value> {
    done(api, "/api/v1/catalog/order/list", json!({})).await["message"].as_array().unwrap().clone()
}
