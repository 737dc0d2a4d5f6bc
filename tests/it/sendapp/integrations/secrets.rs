//! Secrets of shops, and what they demand of posts.

use harness::{Answer, Api};
use http::Method;
use serde_json::{Value, json};

use super::{FORM, JSON, calls, ignored, italy, other_tenant, post, total};

const SECRET: &str = "fake-shop-secret";
const BODY: &str = r#"{"id":1,"email":"mario@example.com"}"#;
/// Of `BODY` under `SECRET`.
const SIGNED: &str = "nw2KEiUTfWra2/ETrh3Vw0e0q1pjNR7p5M4GPSzuk/E=";
const SHOPIFY: &str = "x-shopify-hmac-sha256";
const WOOCOMMERCE: &str = "x-wc-webhook-signature";

async fn change(api: &Api, method: Method, mut body: Value) -> Answer {
    if body["token"].is_null() {
        body["token"] = json!(api.token);
    }
    api.json(method, "/api/integrations/secrets", &body).await
}

async fn set(api: &Api, shop: &str) {
    change(api, Method::POST, json!({"shop": shop, "secret": SECRET})).await.expect(200);
}

async fn refused(api: &Api, query: &str, headers: &[(&str, &str)], body: &'static str) -> String {
    let answer = post(api, query, headers, body).await.expect(401);
    answer["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_signed_post_of_either_shop_is_taken() {
    let (_world, api) = italy().await;
    for (shop, header) in [("shopify", SHOPIFY), ("woocommerce", WOOCOMMERCE)] {
        set(&api, shop).await;
        post(&api, "", &[JSON, (header, SIGNED)], BODY).await.expect(200);
        post(&api, &format!("?source={shop}"), &[JSON, (header, SIGNED)], BODY).await.expect(200);
        let contact = &api.get(&format!("/api/contacts?tag={shop}")).await.expect(200)["contacts"][0];
        assert_eq!(contact["email"], "mario@example.com");
    }
}

#[tokio::test]
async fn a_wrong_or_missing_signature_stores_nothing() {
    let (_world, api) = italy().await;
    set(&api, "shopify").await;
    let (missing, wrong) = ("the signature is missing", "the signature does not fit the body");
    let of_shape = r#"{"admin_graphql_api_id": "gid://shopify/Customer/1", "email": "m@example.com"}"#;
    assert_eq!(refused(&api, "", &[JSON, (SHOPIFY, "AAAA")], BODY).await, wrong);
    assert_eq!(refused(&api, "", &[JSON, (SHOPIFY, SIGNED)], "{}").await, wrong);
    assert_eq!(
        refused(&api, "?source=x", &[JSON, ("x-shopify-topic", "orders/create")], BODY).await,
        missing
    );
    assert_eq!(refused(&api, "", &[JSON, ("user-agent", "Shopify-Captain-Hook")], BODY).await, missing);
    for source in ["shopify", "Shopify", "%20shopify", "shop%0Aify"] {
        assert_eq!(refused(&api, &format!("?source={source}"), &[JSON], BODY).await, missing, "{source}");
    }
    assert_eq!(refused(&api, "", &[JSON], of_shape).await, missing, "or it would get the tag");
    let both = [JSON, (SHOPIFY, "AAAA")];
    assert_eq!(refused(&api, "?source=woocommerce", &both, BODY).await, wrong);
    assert_eq!(total(&api).await, 0);
    let calls = calls(&api).await;
    assert_eq!(calls.len(), 10);
    assert!(calls.iter().all(|c| c["outcome"] == "refused" && c["contact_ids"] == json!([])), "{calls:?}");
}

#[tokio::test]
async fn other_senders_are_not_affected() {
    let (_world, api) = italy().await;
    set(&api, "shopify").await;
    for (query, header) in [
        ("?source=crm", JSON),
        ("", ("user-agent", "Zapier")),
        ("?source=woocommerce", JSON),
        ("", (WOOCOMMERCE, "AAAA")),
    ] {
        post(&api, query, &[header], BODY).await.expect(200);
    }
    assert_eq!(total(&api).await, 1);
}

#[tokio::test]
async fn a_ping_needs_no_signature() {
    let (_world, api) = italy().await;
    set(&api, "woocommerce").await;
    let agent = ("user-agent", "WooCommerce/9.4.2 Hookshot (WordPress/6.7)");
    assert_eq!(ignored(&api, "", &[FORM, agent], "webhook_id=12").await, "a ping without data");
    refused(&api, "", &[FORM, agent], "webhook_id=12&email=a%40example.com").await;
    assert_eq!(total(&api).await, 0);
}

#[tokio::test]
async fn a_secret_is_replaced_and_removed_and_never_shown() {
    let (_world, api) = italy().await;
    let path = format!("/api/integrations/secrets?token={}", api.token);
    let shown = |shopify, woocommerce| json!({"status": "success", "secrets": {"shopify": shopify, "woocommerce": woocommerce}});
    assert_eq!(api.get(&path).await.expect(200), shown(false, false));
    let old = json!({"shop": "Shopify", "secret": "old"});
    assert_eq!(change(&api, Method::POST, old).await.expect(200), shown(true, false));
    refused(&api, "", &[JSON, (SHOPIFY, SIGNED)], BODY).await;
    change(&api, Method::POST, json!({"shop": "shopify", "secret": format!("{SECRET}\n")})).await.expect(200);
    post(&api, "", &[JSON, (SHOPIFY, SIGNED)], BODY).await.expect(200);
    set(&api, "woocommerce").await;
    assert_eq!(api.get(&path).await.expect(200), shown(true, true));
    let remove = || change(&api, Method::DELETE, json!({"shop": "shopify"}));
    assert_eq!(remove().await.expect(200), shown(false, true));
    assert_eq!(remove().await.expect(200), shown(false, true));
    post(&api, "?source=shopify", &[JSON], BODY).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let (_world, api) = italy().await;
    for (body, field) in [
        (json!({"secret": "x"}), "shop"),
        (json!({"shop": "magento", "secret": "x"}), "shop"),
        (json!({"shop": "shopify"}), "secret"),
        (json!({"shop": "shopify", "secret": " "}), "secret"),
        (json!({"shop": "shopify", "secret": "x".repeat(256)}), "secret"),
        (json!({"shop": "shopify", "secret": ["x"]}), "secret"),
        (json!({"shop": "shopify", "secret": "x", "token": " "}), "token"),
    ] {
        assert_eq!(change(&api, Method::POST, body.clone()).await.field(422), field, "{body}");
    }
    assert_eq!(change(&api, Method::DELETE, json!({})).await.field(422), "shop");
}

#[tokio::test]
async fn only_the_owner_changes_them() {
    let (_world, api) = italy().await;
    let made = api.post("/api/operators", json!({"name": "Anna"})).await.expect(201);
    let operator = api.with_key(made["apikey"].as_str().unwrap());
    let body = json!({"shop": "shopify", "secret": SECRET});
    assert_eq!(change(&operator, Method::POST, body.clone()).await.status, 403);
    assert_eq!(change(&operator, Method::DELETE, body.clone()).await.status, 403);
    operator.get(&format!("/api/integrations/secrets?token={}", api.token)).await.expect(200);
    let other = other_tenant(&api).await;
    for method in [Method::POST, Method::DELETE] {
        assert_eq!(change(&other, method, body.clone()).await.field(404), "token");
    }
}
