//! Messages that show products.

use harness::{PHONE_NUMBER_ID, World, phone};
use serde_json::{Value, json};

use super::{CATALOG, done, is, refused, shop, stock};

const TO: &str = "393330000001";

fn sent(world: &World) -> Value {
    let newest = world.simulator.messages(None, 1);
    newest[0].body["interactive"].clone()
}

fn product(id: &str) -> Value {
    json!({"product_retailer_id": id})
}

#[tokio::test]
async fn products_are_shown_in_both_dialects() {
    let (world, api) = shop().await;
    world.writes(&phone(1), "ciao");
    world.drain().await;
    let sendapp = async |body: Value| {
        let mut all = json!({"token": api.token, "number": phone(1)});
        all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        api.post("/api/whatsapp-meta/send", all).await.expect(200);
        sent(&world)
    };
    let sendwo = async |path: &str, body: Value| {
        let mut all = json!({"phoneNumberId": PHONE_NUMBER_ID, "to": &phone(1)[1..]});
        all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        done(&api, &format!("/api/v1/whatsapp/{path}"), all).await;
        sent(&world)
    };
    let one = json!({"type": "product", "action": {"catalog_id": CATALOG, "product_retailer_id": "pane"},
                     "body": {"text": "Fresco"}, "footer": {"text": "Forno"}});
    let shown = json!({"type": "product", "product_id": "pane", "message": "Fresco", "footer": "Forno"});
    assert_eq!(sendapp(shown).await, one);
    let shown = json!({"catalog_id": CATALOG, "productId": "pane", "message": "Fresco", "footer": "Forno"});
    assert_eq!(sendwo("send-product", shown).await, one);
    let bare =
        sendapp(json!({"type": "product", "catalog_id": CATALOG, "product_retailer_id": "vino"})).await;
    assert_eq!(bare.get("body"), None);
    let list = |header: &str, sections: Value| {
        json!({"type": "product_list", "header": {"type": "text", "text": header},
        "body": {"text": "Scegli"}, "action": {"catalog_id": CATALOG, "sections": sections}})
    };
    let two = json!([{"title": "Forno", "product_items": [product("pane"), product("dolce")]},
                     {"title": "Cantina", "product_items": [product("vino")]}]);
    let sections =
        json!([{"title": "Forno", "products": ["pane", "dolce"]}, {"title": "Cantina", "products": "vino"}]);
    let shown = json!({"type": "product_list", "message": "Scegli", "header": "Oggi", "sections": sections});
    assert_eq!(sendapp(shown.clone()).await, list("Oggi", two.clone()));
    let shown = json!({"message": "Scegli", "header": "Oggi", "sections": sections.to_string()});
    assert_eq!(sendwo("send-product-list", shown).await, list("Oggi", two));
    let shown = json!({"message": "Scegli", "productIds": "pane,vino"});
    let only = json!([{"product_items": [product("pane"), product("vino")]}]);
    assert_eq!(sendwo("send-product-list", shown).await, list("Bottega", only));
    let all = json!({"type": "catalog_message", "body": {"text": "Tutto"},
                     "action": {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "vino"}}});
    let shown = json!({"type": "catalog", "message": "Tutto", "thumbnail_product_id": "vino"});
    assert_eq!(sendapp(shown).await, all);
    assert_eq!(sendwo("send-catalog", json!({"message": "Tutto", "thumbnailProductId": "vino"})).await, all);
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused() {
    let (world, api) = shop().await;
    world.set(json!({"enforce_window": false}));
    let send = async |body: Value| {
        let mut all = json!({"token": api.token, "number": TO});
        all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        api.post("/api/whatsapp-meta/send", all).await
    };
    let many = |n: usize| (0..n).map(|_| "pane").collect::<Vec<_>>();
    for (body, status, field) in [
        (json!({"type": "product"}), 422, "product_id"),
        (json!({"type": "product", "product_id": "pane", "catalog_id": "999"}), 404, "catalog_id"),
        (json!({"type": "product", "product_id": "pane", "catalog_id": "bottega"}), 404, "catalog_id"),
        (json!({"type": "product_list", "message": "x", "product_ids": many(31)}), 422, "sections"),
        (json!({"type": "product_list", "message": "x"}), 422, "sections"),
        (
            json!({"type": "product_list", "message": "x", "sections": [{"products": ["pane"]}, {"products": ["vino"]}]}),
            422,
            "sections",
        ),
        (json!({"type": "product_list", "product_ids": ["pane"]}), 422, "message"),
        (json!({"type": "catalog"}), 422, "message"),
        (json!({"type": "catalog", "message": "x".repeat(1_025)}), 422, "message"),
    ] {
        assert_eq!(send(body.clone()).await.field(status), field, "{body}");
    }
    // Whether a product is there, WhatsApp knows.
    let gone = send(json!({"type": "product", "product_id": "olio"})).await.expect(422);
    assert_eq!((&gone["code"], &gone["error_code"]), (&json!("provider_rejected"), &json!(131_009)));
    let to = |more: Value| {
        let mut all = json!({"phoneNumberId": PHONE_NUMBER_ID, "to": TO});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    for (path, body, want) in [
        ("send-product", to(json!({})), is("invalid_field", "productId")),
        ("send-product", to(json!({"productId": "pane", "catalogId": "999"})), is("not_found", "catalogId")),
        (
            "send-product-list",
            to(json!({"message": "x", "product_ids": many(31)})),
            is("invalid_field", "sections"),
        ),
        ("send-catalog", to(json!({"message": " "})), is("invalid_field", "message")),
    ] {
        assert_eq!(
            refused(&api, &format!("/api/v1/whatsapp/{path}"), body.clone()).await,
            want,
            "{path} {body}"
        );
    }
    // Of several catalogs one has to be named.
    stock(&world, "800", json!([]));
    world.clock.advance_ms(61_000);
    api.get("/api/catalogs").await.expect(200);
    assert_eq!(send(json!({"type": "product", "product_id": "pane"})).await.field(422), "catalog_id");
    send(json!({"type": "product", "product_id": "pane", "catalog_id": CATALOG})).await.expect(200);
}

#[tokio::test]
async fn products_are_free_form() {
    let (world, api) = shop().await;
    world.clock.advance_ms(25 * 3_600_000);
    let body = json!({"token": api.token, "number": TO, "type": "catalog", "message": "Tutto"});
    assert_eq!(api.post("/api/whatsapp-meta/send", body.clone()).await.expect(422)["code"], "outside_window");
    world.writes(&format!("+{TO}"), "STOP");
    world.drain().await;
    assert_eq!(api.post("/api/whatsapp-meta/send", body).await.expect(422)["code"], "opted_out");
}
