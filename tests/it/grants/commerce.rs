//! What sells: catalogs and orders, and the flows that lead people to them.

use harness::{WABA_ID, World, phone};
use http::Method;
use serde_json::{Value, json};
use simulators::graph::FaultRule;

use super::{done, post, shop, upload};

/// The catalog of the shop.
pub(super) const CATALOG: &str = "700700700700700";

/// A catalog that is read, shown and ordered from.
pub(super) async fn catalogs() -> World {
    let (world, api, _) = shop().await;
    let stock = |products: Value| {
        let catalog = json!({"id": CATALOG, "waba_id": WABA_ID, "products": products});
        world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
    };
    stock(json!([{"retailer_id": "pane", "price": 2}, {"retailer_id": "vino", "price": 8}]));
    world.writes(&phone(1), "ciao");
    world.drain().await;
    // Which there are is asked of Meta by whoever needs it first.
    let show = json!({"number": phone(1), "type": "product", "product_id": "pane"});
    post(&api, "/api/whatsapp-meta/send", show).await;
    world.clock.advance_ms(61_000);
    api.get("/api/catalogs").await.expect(200);
    post(&api, &format!("/api/catalogs/{CATALOG}/sync"), json!({})).await;
    world.drain().await;
    stock(json!([{"retailer_id": "pane", "price": 3}]));
    post(&api, &format!("/api/catalogs/{CATALOG}/sync"), json!({})).await;
    world.drain().await;
    // The provider knows one of the customers by the number of another contact: the two are
    // one. Another wants no more.
    post(&api, "/api/contacts", json!({"phone": "+393339990001"})).await;
    world.set(json!({"wa_ids": {&phone(1)[1..]: "393339990001"}}));
    for (n, told) in [(1, "sent"), (2, "not_sent")] {
        let items = json!([{"product_retailer_id": "pane"}]);
        let order = json!({"from": phone(n), "catalog_id": CATALOG, "items": items});
        world.simulator.order(serde_json::from_value(order).unwrap()).unwrap();
        world.drain().await;
        let orders = api.get("/api/orders").await.expect(200);
        let path = format!("/api/orders/{}", orders["orders"][0]["id"].as_str().unwrap());
        let change = json!({"status": "shipped", "notify": true, "idempotency_key": path});
        assert_eq!(post(&api, &path, change).await["notification"]["status"], told);
        world.fault(FaultRule { code: Some(131_050), next: Some(1), ..FaultRule::default() });
    }
    api.sendwo("/api/v1/catalog/order/list", &format!("phone_number={}", &phone(1)[1..])).await.expect(200);
    world.drain().await;
    world
}

/// Flows, whose steps do everything that there is.
pub(super) async fn flows() -> World {
    let (world, api, _) = shop().await;
    world.template("novita", "MARKETING", "Ciao {{1}}, ecco le novità di questo mese").await;
    post(&api, "/api/accounts/settings", json!({"frequency_cap": "100/7"})).await;
    let catalog =
        json!({"id": CATALOG, "waba_id": WABA_ID, "products": [{"retailer_id": "pane", "price": 2}]});
    world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
    let file = upload(&world, &api).await;
    let steps = json!({
        "file": {"do": "message", "text": "Eccolo", "media": {"type": "image", "url": file}, "next": "bread"},
        "bread": {"do": "message", "text": "Ecco", "product": {"ids": ["pane"]}, "next": "tag"},
        "tag": {"do": "set", "add_tags": ["interessato"], "lists": ["Novità"], "next": "news"},
        "news": {"do": "message", "template": {"name": "novita", "params": {"body": ["{{first_name|tu}}"]}}, "next": "wait"},
        "wait": {"do": "wait", "minutes": 5, "next": "person"},
        "person": {"do": "handover"},
    });
    let words = json!([{"on": "keyword", "words": ["catalogo"]}, {"on": "tag_added", "tag": "VIP"}]);
    let flow = json!({"name": "Catalogo", "triggers": words, "start": "file", "steps": steps});
    post(&api, "/api/flows", json!({"flow": flow})).await;
    let inbound = json!({"from": "393331234567", "text": "catalogo", "name": "Ada"});
    world.simulator.inbound(serde_json::from_value(inbound).unwrap()).unwrap();
    world.drain().await;
    world.clock.advance_ms(6 * 60 * 1_000);
    world.sweep().await;
    world.drain().await;
    post(&api, "/api/contacts", json!({"phone": "+393331234568", "tags": ["vip"]})).await;
    let opens = json!({"a": {"do": "message", "template": {"name": "novita", "params": {"body": ["tu"]}}}});
    let opens = post(&api, "/api/flows", json!({"flow": {"name": "x", "start": "a", "steps": opens}})).await;
    let start = format!("/api/flows/{}/start", opens["flow"]["id"].as_str().unwrap());
    let stranger = json!({"number": "+393331234569", "idempotency_key": "k-1"});
    post(&api, &start, stranger).await;
    post(&api, "/api/conversation/1/handover", json!({})).await;
    done(&api, Method::DELETE, "/api/contacts/1", json!({})).await;
    world.drain().await;
    world
}
