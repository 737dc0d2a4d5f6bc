//! Templates with a location, a limited-time offer, products, a flow or a carousel.

use serde_json::{Value, json};

use super::{ACCOUNT, Bench, START_MS, code, template};

fn marketing(name: &str, components: Value) -> Value {
    json!({ "name": name, "language": "en_US", "category": "MARKETING", "components": components })
}

fn body(length: usize) -> Value {
    json!({ "type": "BODY", "text": "x".repeat(length) })
}

fn offer(text: &str, ends: Value) -> Value {
    json!({ "type": "LIMITED_TIME_OFFER", "limited_time_offer": { "text": text, "has_expiration": ends } })
}

fn buttons(buttons: Value) -> Value {
    json!({ "type": "BUTTONS", "buttons": buttons })
}

fn copy() -> Value {
    json!({ "type": "COPY_CODE", "example": "SALE25" })
}

fn url() -> Value {
    json!({ "type": "URL", "text": "Go", "url": "https://a.b/{{1}}", "example": ["https://a.b/x"] })
}

fn quick() -> Value {
    json!({ "type": "QUICK_REPLY", "text": "Yes" })
}

fn card(format: &str, length: Option<usize>, buttons: Value) -> Value {
    let mut components =
        vec![json!({ "type": "HEADER", "format": format, "example": { "header_handle": ["4::x"] } })];
    components.extend(length.map(body));
    components.push(json!({ "type": "BUTTONS", "buttons": buttons }));
    json!({ "components": components })
}

fn carousel(cards: Value) -> Value {
    json!([body(1), { "type": "CAROUSEL", "cards": cards }])
}

#[tokio::test]
async fn refuses_the_components_that_meta_refuses() {
    let good = || card("image", Some(160), json!([quick(), url()]));
    let bare = json!({ "components": [{ "type": "HEADER", "format": "IMAGE" }, buttons(json!([quick()]))] });
    let refused = [
        (json!([offer(&"x".repeat(17), json!(true)), body(1), buttons(json!([copy()]))]), 2_388_040),
        (json!([offer("", json!(true)), body(1), buttons(json!([copy()]))]), 2_388_000),
        (json!([offer("x", json!("yes")), body(1), buttons(json!([copy()]))]), 0),
        (json!([offer("x", json!(true)), body(601), buttons(json!([copy()]))]), 2_388_040),
        (json!([offer("x", json!(true)), body(1)]), 2_388_000),
        (json!([offer("x", json!(true)), body(1), buttons(json!([url(), copy()]))]), 2_388_000),
        (json!([offer("x", json!(false)), body(1), { "type": "FOOTER", "text": "x" }]), 2_388_000),
        (json!([offer("x", json!(false)), body(1), { "type": "HEADER", "format": "LOCATION" }]), 2_388_047),
        (carousel(json!([good()])), 2_388_000),
        (carousel(json!(vec![good(); 11])), 2_388_000),
        (carousel(json!([good(), card("video", Some(1), json!([quick(), url()]))])), 2_388_000),
        (carousel(json!([good(), card("image", None, json!([quick(), url()]))])), 2_388_000),
        (carousel(json!([good(), card("image", Some(1), json!([url(), quick()]))])), 2_388_000),
        (carousel(json!(vec![card("image", Some(161), json!([quick()])); 2])), 2_388_040),
        (carousel(json!(vec![card("image", Some(1), json!([])); 2])), 2_388_000),
        (carousel(json!(vec![card("image", Some(1), json!([quick(), quick(), quick()])); 2])), 2_388_000),
        (carousel(json!(vec![card("location", Some(1), json!([quick()])); 2])), 2_388_000),
        (carousel(json!([bare, bare])), 2_388_043),
        (
            json!([body(1), { "type": "CAROUSEL", "cards": [good(), good()] }, { "type": "FOOTER", "text": "x" }]),
            2_388_000,
        ),
        (json!([body(1), { "type": "SURPRISE" }]), 0),
    ];
    for (components, subcode) in refused {
        let (status, answer) = Bench::new().create_template(marketing("t", components.clone())).await;
        assert_eq!((status, code(&answer)), (400, 100), "{components} {answer}");
        assert_eq!(answer["error"]["error_subcode"].as_u64().unwrap_or(0), subcode, "{components} {answer}");
    }
    for components in [carousel(json!([good(), good()])), json!([offer("x", json!(false)), body(1)])] {
        let mut request = marketing("t", components);
        request["category"] = json!("UTILITY");
        assert_eq!(Bench::new().create_template(request.clone()).await.0, 400, "{request}");
    }
}

#[tokio::test]
async fn cards_are_listed_as_meta_writes_them() {
    let bench = Bench::new();
    let card = card("image", Some(1), json!([{ "type": "quick_reply", "text": "Yes" }]));
    bench.approved(marketing("t", carousel(json!([card, card])))).await;
    let (_, list) = bench.get(&format!("/{ACCOUNT}/message_templates")).await;
    let shown = &list["data"][0]["components"][1]["cards"][1]["components"];
    assert_eq!(
        (&shown[0]["format"], &shown[2]["buttons"][0]["type"]),
        (&json!("IMAGE"), &json!("QUICK_REPLY"))
    );
}

/// What each of these messages of a template is refused with; 0 when it is accepted.
async fn assert_codes(components: Value, cases: &[(Value, u64)]) {
    let bench = Bench::unlimited();
    bench.approved(marketing("t", components)).await;
    for (components, expected) in cases {
        assert_eq!(bench.send_code(template("t", components.clone())).await, *expected, "{components}");
    }
}

#[tokio::test]
async fn a_location_needs_its_coordinates() {
    let with = |location: Value| json!([{ "type": "header", "parameters": [{ "type": "location", "location": location }] }]);
    assert_codes(
        json!([{ "type": "HEADER", "format": "LOCATION" }, body(1)]),
        &[
            (with(json!({ "latitude": "45.4", "longitude": 9.1, "name": "Duomo", "address": "Milano" })), 0),
            (with(json!({ "latitude": 45.4 })), 100),
            (with(json!({ "latitude": 95, "longitude": 9 })), 131_009),
            (json!([{ "type": "header", "parameters": [{ "type": "text", "text": "x" }] }]), 132_012),
            (json!([]), 132_012),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_film_that_plays_by_itself_is_sent_as_one() {
    let with = |kind: &str| json!([{ "type": "header", "parameters": [{ "type": kind, kind: { "link": "https://a.b/c.mp4" } }] }]);
    let header = json!({ "type": "HEADER", "format": "GIF", "example": { "header_handle": ["4::x"] } });
    assert_codes(
        json!([header, body(1)]),
        &[(with("gif"), 0), (with("video"), 132_012), (json!([]), 132_012)],
    )
    .await;
}

#[tokio::test]
async fn an_offer_is_told_when_it_ends() {
    let code = |code: &str| {
        json!({ "type": "button", "sub_type": "copy_code", "index": 0,
            "parameters": [{ "type": "coupon_code", "coupon_code": code }] })
    };
    let ends = |parameters: Value| json!({ "type": "limited_time_offer", "parameters": parameters });
    let at = |ms: Value| json!([{ "type": "limited_time_offer", "limited_time_offer": { "expiration_time_ms": ms } }]);
    let (soon, now) = (json!(START_MS + 60_000), json!(START_MS));
    assert_codes(
        json!([offer("x", json!(true)), body(1), buttons(json!([copy()]))]),
        &[
            (json!([ends(at(soon.clone())), code("SALE25")]), 0),
            (json!([ends(at(now)), code("SALE25")]), 131_009),
            (json!([ends(at(json!("soon"))), code("SALE25")]), 100),
            (json!([ends(json!([{ "type": "text", "text": "x" }])), code("SALE25")]), 132_012),
            (json!([code("SALE25")]), 132_000),
            (json!([ends(at(soon.clone()))]), 131_008),
            (json!([ends(at(soon.clone())), code(&"x".repeat(16))]), 131_009),
        ],
    )
    .await;
    assert_codes(
        json!([offer("x", json!(false)), body(1)]),
        &[(json!([]), 0), (json!([ends(at(soon))]), 132_000)],
    )
    .await;
}

#[tokio::test]
async fn buttons_with_actions_need_them() {
    let button = |sub_type: &str, parameters: Value| json!([{ "type": "button", "sub_type": sub_type, "index": "0", "parameters": parameters }]);
    let action = |action: Value| json!([{ "type": "action", "action": action }]);
    let section = |title: Value, ids: &[&str]| {
        let items: Vec<Value> = ids.iter().map(|id| json!({ "product_retailer_id": id })).collect();
        json!({ "title": title, "product_items": items })
    };
    let products =
        |sections: Value| action(json!({ "thumbnail_product_retailer_id": "1", "sections": sections }));
    let of = |button: Value| json!([body(1), buttons(json!([button]))]);
    assert_codes(
        of(json!({ "type": "MPM", "text": "View items" })),
        &[
            (button("mpm", products(json!([section(json!("A"), &["1", "2"])]))), 0),
            (button("mpm", products(json!([section(Value::Null, &["1"])]))), 0),
            (
                button("mpm", products(json!([section(Value::Null, &["1"]), section(Value::Null, &["2"])]))),
                100,
            ),
            (button("mpm", products(json!([]))), 131_009),
            (button("mpm", products(json!([section(json!("A"), &[])]))), 131_009),
            (button("mpm", products(json!([section(json!("A"), &["1"; 31])]))), 131_009),
            (button("mpm", json!([{ "type": "text", "text": "x" }])), 132_012),
            (button("mpm", json!([])), 131_008),
            (json!([]), 131_008),
        ],
    )
    .await;
    assert_codes(
        of(json!({ "type": "FLOW", "text": "Go", "flow_id": "1" })),
        &[
            (button("flow", action(json!({ "flow_token": "t" }))), 0),
            (button("flow", json!([])), 0),
            (button("url", json!([])), 132_012),
            (button("phone_number", json!([])), 100),
            (json!([]), 131_008),
        ],
    )
    .await;
    assert_codes(
        of(json!({ "type": "CATALOG", "text": "View catalog" })),
        &[
            (button("catalog", action(json!({ "thumbnail_product_retailer_id": "1" }))), 0),
            (button("catalog", json!([{ "type": "text", "text": "x" }])), 132_012),
            (json!([]), 0),
        ],
    )
    .await;
    assert_codes(
        of(json!({ "type": "ORDER_DETAILS", "text": "Pay" })),
        &[
            (button("order_details", action(json!({ "order_details": { "reference_id": "1" } }))), 0),
            (button("order_details", action(json!({}))), 100),
            (json!([]), 131_008),
        ],
    )
    .await;
}

#[tokio::test]
async fn every_card_of_a_carousel_is_sent() {
    let image = |index: usize| {
        json!({ "card_index": index, "components": [
            { "type": "header", "parameters": [{ "type": "image", "image": { "link": "https://a.b/c.png" } }] },
            { "type": "button", "sub_type": "url", "index": "1", "parameters": [{ "type": "text", "text": "x" }] },
        ] })
    };
    let cards = |cards: Value| json!([{ "type": "carousel", "cards": cards }]);
    let mut textless = image(1);
    textless["components"][1]["parameters"] = json!([]);
    let mut footed = image(1);
    footed["components"][1] = json!({ "type": "limited_time_offer" });
    let of = card("IMAGE", Some(1), json!([quick(), url()]));
    assert_codes(
        carousel(json!([of, of])),
        &[
            (cards(json!([image(1), image(0)])), 0),
            (cards(json!([image(0)])), 132_000),
            (cards(json!([image(0), image(1), image(2)])), 132_000),
            (cards(json!([image(0), image(0)])), 131_009),
            (cards(json!([image(0), { "card_index": 1 }])), 132_012),
            (cards(json!([image(0), textless])), 132_000),
            (cards(json!([image(0), footed])), 131_009),
            (cards(json!([image(0), { "components": [] }])), 100),
            (json!([]), 132_000),
        ],
    )
    .await;
}

#[tokio::test]
async fn cards_of_products_may_be_more_than_the_template_has() {
    let product = |index: usize, product: Value| {
        json!({ "card_index": index, "components": [
            { "type": "header", "parameters": [{ "type": "product", "product": product }] }] })
    };
    let good = |index: usize| product(index, json!({ "product_retailer_id": "1", "catalog_id": "2" }));
    let cards = |cards: Value| json!([{ "type": "carousel", "cards": cards }]);
    let of = json!({ "components": [{ "type": "HEADER", "format": "PRODUCT" },
        buttons(json!([{ "type": "SPM", "text": "View" }]))] });
    assert_codes(
        carousel(json!([of, of])),
        &[
            (cards(json!([good(0), good(1)])), 0),
            (cards(json!([good(0), good(1), good(2)])), 0),
            (cards(json!([good(0)])), 132_000),
            (cards(json!([good(0), product(1, json!({ "catalog_id": "2" }))])), 100),
        ],
    )
    .await;
}
