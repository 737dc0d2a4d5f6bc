//! What is refused, in each dialect's words.

use std::collections::BTreeSet;

use domain::plan::{Module, Plan};
use harness::{Api, Setup, World, phone};
use http::Method;
use serde_json::{Value, json};

use super::{CATALOG, done, is, order, ordered, post, refused, shop, synced};

const SYNC: &str = "/api/v1/catalog/sync";
const UPDATE: &str = "/api/v1/catalog/order/update";

#[tokio::test]
async fn what_is_wrong_is_named_as_the_caller_does() {
    let (world, api) = shop().await;
    order(&world, &phone(1)[1..], &[("pane", 1)]);
    world.drain().await;
    let id = ordered(&api).await[0]["order_id"].clone();
    for (path, body, want) in [
        (SYNC, json!({}), is("invalid_field", "catalogId")),
        (SYNC, json!({"catalogId": {"a": {"b": {"c": 1}}}}), is("invalid_field", "catalogId")),
        (SYNC, json!({"catalog_id": "999"}), is("not_found", "catalog_id")),
        (SYNC, json!({"whatsapp_catalog_id": "x#y"}), is("not_found", "whatsapp_catalog_id")),
        (SYNC, json!({"catalogId": "7".repeat(5_000)}), is("not_found", "catalogId")),
        ("/api/v1/catalog/product/list", json!({}), is("invalid_field", "catalogId")),
        ("/api/v1/catalog/product/list", json!({"catalogId": "999"}), is("not_found", "catalogId")),
        (
            "/api/v1/catalog/product/list",
            json!({"catalogId": CATALOG, "limit": "many"}),
            is("invalid_field", "limit"),
        ),
        ("/api/v1/catalog/order/list", json!({"status": "lost"}), is("invalid_field", "status")),
        ("/api/v1/catalog/order/list", json!({"cart_status": "lost"}), is("invalid_field", "cart_status")),
        ("/api/v1/catalog/order/list", json!({"offset": -1}), is("invalid_field", "offset")),
        ("/api/v1/catalog/order/list", json!({"offset": 2_000_000}), is("invalid_field", "offset")),
        ("/api/v1/catalog/order/list", json!({"page": 2_000_000}), is("invalid_field", "page")),
        (UPDATE, json!({"status": "shipped"}), is("invalid_field", "orderId")),
        (UPDATE, json!({"orderId": id}), is("invalid_field", "status")),
        (UPDATE, json!({"order_id": id, "status": "lost"}), is("invalid_field", "status")),
        (
            UPDATE,
            json!({"order_unique_id": id, "cart_status": ["shipped"]}),
            is("invalid_field", "cart_status"),
        ),
        (UPDATE, json!({"order_unique_id": "1", "status": "shipped"}), is("not_found", "order_unique_id")),
        (
            UPDATE,
            json!({"orderId": "01K6F7ZK3T4D9Z0000000000AB", "status": "shipped"}),
            is("not_found", "orderId"),
        ),
        (
            UPDATE,
            json!({"orderId": id, "status": "shipped", "notify": "perhaps"}),
            is("invalid_field", "notify"),
        ),
        (
            UPDATE,
            json!({"orderId": id, "status": "shipped", "message": "x".repeat(1_025)}),
            is("invalid_field", "message"),
        ),
    ] {
        assert_eq!(refused(&api, path, body.clone()).await, want, "{path} {body}");
    }
    assert_eq!(ordered(&api).await[0]["status"], "pending");
    for (path, status, field) in [
        ("/api/catalogs/999/products", 404, "catalog_id"),
        ("/api/orders/1", 404, "order_id"),
        ("/api/orders?before=1", 422, "before"),
        ("/api/orders?status=lost", 422, "status"),
        ("/api/orders?contact_id=x", 422, "contact_id"),
    ] {
        assert_eq!(api.get(path).await.field(status), field, "{path}");
    }
    assert_eq!(api.get("/api/orders?contact_id=99").await.expect(200)["orders"], json!([]));
}

#[tokio::test]
async fn what_is_another_tenants_is_not_there() {
    let (world, api) = shop().await;
    order(&world, &phone(1)[1..], &[("pane", 1)]);
    world.drain().await;
    synced(&world, &api).await;
    let id = ordered(&api).await[0]["order_id"].clone();
    let other = api.of_another_tenant().await;
    assert_eq!(done(&other, "/api/v1/catalog/list", json!({})).await["message"], json!([]));
    assert_eq!(refused(&other, SYNC, json!({"catalogId": CATALOG})).await, is("not_found", "catalogId"));
    let products = json!({"catalogId": CATALOG});
    assert_eq!(refused(&other, "/api/v1/catalog/product/list", products).await, is("not_found", "catalogId"));
    assert_eq!(ordered(&other).await, [Value::Null; 0]);
    let update = json!({"orderId": id, "status": "shipped"});
    assert_eq!(refused(&other, UPDATE, update).await, is("not_found", "orderId"));
    assert_eq!(other.get(&format!("/api/orders/{}", id.as_str().unwrap())).await.field(404), "order_id");
    let sync = other.json(Method::POST, &format!("/api/catalogs/{CATALOG}/sync"), &json!({})).await;
    assert_eq!(sync.field(404), "catalog_id");
    assert_eq!(ordered(&api).await[0]["status"], "pending");
}

#[tokio::test]
async fn a_plan_without_catalogs_has_none() {
    let plan = Plan { modules: Some(BTreeSet::from([Module::Broadcast])), ..Plan::default() };
    let world = World::with(Setup { plan, ..Setup::default() }).await;
    super::stock(&world, CATALOG, super::bread());
    let api = Api::of(&world).await;
    for (path, body) in [
        ("/api/v1/catalog/list", json!({})),
        (SYNC, json!({"catalogId": CATALOG})),
        ("/api/v1/catalog/product/list", json!({"catalogId": CATALOG})),
        ("/api/v1/catalog/order/list", json!({})),
        (UPDATE, json!({"orderId": "1", "status": "shipped"})),
    ] {
        assert_eq!(post(&api, path, body).await["error"]["code"], "plan_limit", "{path}");
    }
    for path in ["/api/catalogs", "/api/orders"] {
        assert_eq!(api.get(path).await.expect(403)["code"], "plan_limit", "{path}");
    }
    let show = json!({"token": api.token, "number": phone(1), "type": "catalog", "message": "Tutto"});
    assert_eq!(api.post("/api/whatsapp-meta/send", show).await.expect(403)["code"], "plan_limit");
}
