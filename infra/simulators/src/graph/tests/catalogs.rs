//! Catalogs, their products by pages, messages that show them, and orders.

use http::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, Bench, NUMBER, PERSON, START_MS, code, config, message};
use crate::graph::{Clock, Config};

const CATALOG: &str = "700700700700700";

async fn shop(products: Value) -> Bench {
    let bench = Bench::unlimited();
    bench.get(&format!("/{ACCOUNT}/phone_numbers")).await;
    bench.get(&format!("/{NUMBER}?fields=verified_name")).await;
    let catalog = json!({ "id": CATALOG, "name": "Bottega", "waba_id": ACCOUNT, "products": products });
    let (status, answer) = bench.call(Method::POST, "/_sim/catalogs", catalog).await;
    assert_eq!(status, 200, "{answer}");
    bench
}

fn bread() -> Value {
    json!([
        { "retailer_id": "pane", "name": "Pane", "price": 2.5, "currency": "EUR" },
        { "retailer_id": "dolce", "name": "Dolce", "price": "12.9", "currency": "EUR", "sale_price": 10 },
    ])
}

#[tokio::test]
async fn catalogs_are_listed_with_their_products() {
    let bench = shop(bread()).await;
    let (_, list) = bench.get(&format!("/v25.0/{ACCOUNT}/product_catalogs?fields=id,name")).await;
    assert_eq!(list["data"], json!([{ "id": CATALOG, "name": "Bottega" }]));
    assert!(list["paging"].get("next").is_none());
    let path = format!("/v25.0/{CATALOG}/products?fields=retailer_id,price,sale_price,currency,availability");
    let (_, products) = bench.get(&path).await;
    assert_eq!(products["data"][0]["price"], "€2.50");
    assert_eq!(
        (&products["data"][1]["price"], &products["data"][1]["sale_price"]),
        (&json!("€12.90"), &json!("€10.00"))
    );
    assert_eq!(products["data"][0]["availability"], "in stock");
    let (_, node) = bench.get(&format!("/{CATALOG}?fields=name,product_count")).await;
    assert_eq!(node["product_count"], 2);
    for unknown in ["/1234/products", "/999/product_catalogs/x"] {
        assert_eq!(code(&bench.get(unknown).await.1), 100, "{unknown}");
    }
}

#[tokio::test]
async fn products_come_by_pages() {
    let bench = shop(json!([])).await;
    let more = json!({ "id": CATALOG, "waba_id": ACCOUNT, "generate": 60 });
    assert_eq!(bench.call(Method::POST, "/_sim/catalogs", more).await.1["products"], 60);
    let mut path = format!("/{CATALOG}/products?fields=retailer_id&limit=25");
    let mut seen = Vec::new();
    loop {
        let (status, page) = bench.get(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(page["data"].as_array().unwrap().iter().map(|one| one["retailer_id"].clone()));
        match page["paging"]["next"].as_str() {
            Some(next) => path = next.replace("http://graph.test", ""),
            None => break,
        }
    }
    assert_eq!((seen.len(), &seen[0], &seen[59]), (60, &json!("sku-00001"), &json!("sku-00060")));
    bench.set(json!({ "products_per_page": 50 }));
    let (status, refused) = bench.get(&format!("/{CATALOG}/products?limit=51")).await;
    assert_eq!((status, code(&refused)), (500, 1), "{refused}");
    assert_eq!(code(&bench.get(&format!("/{CATALOG}/products?after=nowhere")).await.1), 100);
}

#[tokio::test]
async fn products_that_are_not_there_cannot_be_shown() {
    let bench = shop(bread()).await;
    let product = |catalog: &str, id: &str| {
        let action = json!({ "catalog_id": catalog, "product_retailer_id": id });
        message("interactive", json!({ "type": "product", "action": action }))
    };
    assert_eq!(bench.send_code(product(CATALOG, "pane")).await, 0);
    assert_eq!(bench.send_code(product(CATALOG, "vino")).await, 131_009);
    assert_eq!(bench.send_code(product("1", "pane")).await, 131_009);
    let list = |items: usize, header: Option<Value>| {
        let items: Vec<Value> = (0..items).map(|_| json!({ "product_retailer_id": "pane" })).collect();
        let action = json!({ "catalog_id": CATALOG, "sections": [{ "product_items": items }] });
        let mut interactive = json!({ "type": "product_list", "body": { "text": "x" }, "action": action });
        if let Some(header) = header {
            interactive["header"] = header;
        }
        message("interactive", interactive)
    };
    let header = || Some(json!({ "type": "text", "text": "Pane" }));
    assert_eq!(bench.send_code(list(30, header())).await, 0);
    assert_eq!(bench.send_code(list(31, header())).await, 131_009);
    assert_eq!(bench.send_code(list(0, header())).await, 131_009);
    assert_eq!(bench.send_code(list(1, None)).await, 100);
    let all = |thumbnail: &str| {
        let action = json!({ "name": "catalog_message", "parameters": { "thumbnail_product_retailer_id": thumbnail } });
        message(
            "interactive",
            json!({ "type": "catalog_message", "body": { "text": "x" }, "action": action }),
        )
    };
    assert_eq!(bench.send_code(all("pane")).await, 0);
    assert_eq!(bench.send_code(all("vino")).await, 131_009);
    bench.call(Method::DELETE, &format!("/_sim/catalogs/{CATALOG}"), Value::Null).await;
    assert_eq!(bench.send_code(all("pane")).await, 131_009);
}

#[tokio::test]
async fn an_order_has_the_prices_of_the_catalog() {
    let bench = shop(bread()).await;
    bench.simulator.set_webhook_url("http://127.0.0.1:9/hook");
    let order = json!({ "from": PERSON, "items": [{ "product_retailer_id": "pane", "quantity": 3 }], "text": "presto" });
    let (status, answer) = bench.call(Method::POST, "/_sim/orders", order).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(bench.simulator.stats().webhooks.pending, 1);
    for bad in [
        json!({ "from": PERSON, "items": [{ "product_retailer_id": "vino" }] }),
        json!({ "from": PERSON, "items": [] }),
        json!({ "from": PERSON, "catalog_id": "1", "items": [{ "product_retailer_id": "pane" }] }),
    ] {
        assert_eq!(bench.call(Method::POST, "/_sim/orders", bad.clone()).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn catalogs_survive_a_restart_and_fail_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let state = Some(directory.path().join("state.jsonl"));
        Bench::with(Config { state, clock: Clock::manual(START_MS), ..config() })
    };
    let first = open();
    first.get(&format!("/{ACCOUNT}/phone_numbers")).await;
    let catalog = json!({ "id": CATALOG, "waba_id": ACCOUNT, "products": bread() });
    first.call(Method::POST, "/_sim/catalogs", catalog).await;
    let path = format!("/_sim/catalogs/{CATALOG}/products");
    let more = json!({ "products": [{ "retailer_id": "vino", "price": 8 }] });
    assert_eq!(first.call(Method::POST, &path, more).await.1["products"], 3);
    let gone = json!({ "retailer_ids": ["pane", "olio"] });
    assert_eq!(first.call(Method::DELETE, &path, gone).await.1["removed"], 1);
    drop(first);
    let second = open();
    let (_, products) = second.get(&format!("/{CATALOG}/products?fields=retailer_id")).await;
    let ids: Vec<&str> =
        products["data"].as_array().unwrap().iter().map(|one| one["retailer_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["dolce", "vino"]);
    let fault = json!({ "code": 80007, "on": "catalogs", "next": 1 });
    second.call(Method::POST, "/_sim/faults", fault).await;
    assert_eq!(code(&second.get(&format!("/{CATALOG}/products")).await.1), 80_007);
    assert_eq!(second.get(&format!("/{CATALOG}/products")).await.0, 200);
}
