//! What `/messages` accepts and refuses.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{ACCOUNT, Bench, NUMBER, PERSON, code, message, template, text};

fn reply(id: &str, title: &str) -> Value {
    json!({ "type": "reply", "reply": { "id": id, "title": title } })
}

fn buttons(buttons: Vec<Value>) -> Value {
    let action = json!({ "buttons": buttons });
    message("interactive", json!({ "type": "button", "body": { "text": "Choose" }, "action": action }))
}

fn list(rows: usize) -> Value {
    let rows: Vec<Value> = (0..rows).map(|row| json!({ "id": row.to_string(), "title": "Row" })).collect();
    let action = json!({ "button": "Open", "sections": [{ "title": "One", "rows": rows }] });
    message("interactive", json!({ "type": "list", "body": { "text": "Choose" }, "action": action }))
}

fn cta(text: &str, url: &str) -> Value {
    let action = json!({ "name": "cta_url", "parameters": { "display_text": text, "url": url } });
    message("interactive", json!({ "type": "cta_url", "body": { "text": "Look" }, "action": action }))
}

fn with(mut message: Value, name: &str, value: Value) -> Value {
    message[name] = value;
    message
}

#[tokio::test]
async fn accepts_what_the_protocol_allows() {
    let bench = Bench::unlimited();
    let link = json!({ "link": "https://example.com/a" });
    let accepted = [
        text(&"x".repeat(4_096)),
        with(text("hello"), "to", json!("+393331234567")),
        with(text("hello"), "recipient_type", json!("individual")),
        with(text("hello"), "biz_opaque_callback_data", json!("c".repeat(512))),
        with(text("hello"), "context", json!({ "message_id": "wamid.x" })),
        json!({ "messaging_product": "whatsapp", "recipient": "US.1349abc", "type": "text", "text": { "body": "x" } }),
        buttons(vec![reply("a", "12345678901234567890"), reply("b", "B"), reply("c", "C")]),
        list(10),
        cta("Open", "https://example.com"),
        message("image", link.clone()),
        message("sticker", link.clone()),
        message("document", json!({ "link": "https://example.com/a", "filename": "a.pdf", "caption": "A" })),
        message("location", json!({ "latitude": 45.4, "longitude": "9.1" })),
        message("reaction", json!({ "message_id": "wamid.x", "emoji": "" })),
        message(
            "contacts",
            json!([{ "name": { "formatted_name": "A B", "first_name": "A", "suffix": null }, "phones": null }]),
        ),
    ];
    for message in accepted {
        assert_eq!(bench.send(message.clone()).await.0, 200, "{message}");
    }
    let receipt = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x",
        "typing_indicator": { "type": "text" } });
    assert_eq!(bench.send(receipt).await, (200, json!({ "success": true })));
}

#[tokio::test]
async fn refuses_what_the_protocol_forbids() {
    let bench = Bench::unlimited();
    let link = "https://example.com/a";
    let four = ["a", "b", "c", "d"].map(|id| reply(id, id)).to_vec();
    let refused = [
        (text(&"x".repeat(4_097)), 100),
        (text(""), 100),
        (message("text", json!({})), 100),
        (with(text("x"), "messaging_product", json!("sms")), 100),
        (with(text("x"), "to", json!("12345")), 131_009),
        (with(text("x"), "to", json!("+39 333 1234567")), 131_009),
        (with(text("x"), "to", Value::Null), 100),
        (with(text("x"), "recipient_type", json!("group")), 100),
        (with(text("x"), "biz_opaque_callback_data", json!("c".repeat(513))), 100),
        (with(text("x"), "type", json!("telegram")), 100),
        (buttons(four), 131_009),
        (buttons(vec![]), 131_009),
        (buttons(vec![reply("a", "123456789012345678901")]), 131_009),
        (buttons(vec![reply("a", "A"), reply("a", "B")]), 131_009),
        (list(11), 131_009),
        (list(0), 131_009),
        (cta("Open", "not a url"), 131_009),
        (cta(&"x".repeat(21), link), 131_009),
        (message("image", json!({ "id": "1", "link": link })), 100),
        (message("image", json!({})), 100),
        (message("image", json!({ "id": "1" })), 100),
        (message("image", json!({ "link": "file:///etc/passwd" })), 131_009),
        (message("audio", json!({ "link": link, "caption": "no" })), 100),
        (message("sticker", json!({ "link": link, "caption": "no" })), 100),
        (message("image", json!({ "link": link, "filename": "no" })), 100),
        (message("location", json!({ "latitude": 91, "longitude": 0 })), 131_009),
        (message("contacts", json!([])), 131_009),
        (message("contacts", json!([{ "name": { "formatted_name": "A" } }])), 100),
        (message("reaction", json!({ "message_id": "wamid.x", "emoji": "ok" })), 131_009),
        (template("nowhere", json!([])), 132_001),
    ];
    for (message, expected) in refused {
        assert_eq!(bench.send_code(message.clone()).await, expected, "{message}");
    }
    assert_eq!(bench.simulator.stats().accepted, 0);
}

#[tokio::test]
async fn answers_as_the_protocol_says() {
    let bench = Bench::unlimited();
    let (status, answer) = bench.send(with(text("hello"), "to", json!("+393331234567"))).await;
    assert_eq!(status, 200);
    assert_eq!(answer["messaging_product"], "whatsapp");
    assert_eq!(answer["contacts"], json!([{ "input": "+393331234567", "wa_id": PERSON }]));
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
    let first = answer["messages"][0]["id"].as_str().unwrap().to_owned();
    assert!(first.starts_with("wamid.HBgM"), "{first}");
    let (_, again) = bench.send(text("hello")).await;
    assert_ne!(again["messages"][0]["id"], json!(first));
}

#[tokio::test]
async fn errors_come_in_the_envelope() {
    let bench = Bench::new();
    let (status, answer) = bench.send(text("hello")).await;
    assert_eq!(status, 400);
    let error = &answer["error"];
    assert_eq!(error["message"], "(#131047) Re-engagement message");
    assert_eq!(error["type"], "OAuthException");
    assert_eq!(error["error_data"]["messaging_product"], "whatsapp");
    assert!(error["fbtrace_id"].as_str().unwrap().starts_with('A'));
}

#[tokio::test]
async fn a_token_is_required_and_must_be_the_configured_one() {
    let path = format!("/v23.0/{NUMBER}/messages");
    let post = |token: Option<&str>| {
        let request = Request::builder().method(Method::POST).uri(&path);
        let request = token.iter().fold(request, |request, token| request.header("Authorization", *token));
        request.body(Body::from(text("x").to_string())).unwrap()
    };
    let bench = Bench::with(super::Config { access_token: Some("right".to_owned()), ..super::config() });
    bench.set(json!({ "enforce_window": false }));
    for token in [None, Some("Bearer "), Some("Bearer wrong"), Some("Basic right")] {
        let (status, body) = bench.request(post(token)).await;
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, code(&answer)), (401, 190), "{token:?}");
    }
    assert_eq!(bench.request(post(Some("Bearer right"))).await.0, 200);
}

#[tokio::test]
async fn an_unknown_object_is_a_bad_request() {
    let only = super::Config {
        phone_number_id: Some("1".to_owned()),
        waba_id: Some("2".to_owned()),
        ..super::config()
    };
    let bench = Bench::with(only);
    for path in ["/v23.0/3/messages", "/v23.0/abc/messages", "/v23.0/3/message_templates", "/v23.0/1/nothing"]
    {
        let (status, answer) = bench.call(Method::POST, path, text("x")).await;
        assert_eq!((status, code(&answer)), (400, 100), "{path}");
        assert_eq!(answer["error"]["error_subcode"], 33, "{path}");
    }
    assert_eq!(bench.get("/v23.0/999").await.1["error"]["error_subcode"], 33);
}

#[tokio::test]
async fn an_account_and_its_numbers_can_be_read() {
    let bench = Bench::new();
    let fields = "?fields=id,display_phone_number,verified_name,throughput";
    let (_, number) = bench.get(&format!("/{NUMBER}{fields}")).await;
    assert_eq!(number["display_phone_number"], "15550783881");
    assert_eq!(number["throughput"]["level"], "STANDARD");
    assert_eq!(number.as_object().unwrap().len(), 4);
    let (_, list) = bench.get(&format!("/v25.0/{ACCOUNT}/phone_numbers")).await;
    assert_eq!(list["data"][0]["id"], NUMBER);
    let (status, answer) =
        bench.call(Method::POST, &format!("/{ACCOUNT}/subscribed_apps"), Value::Null).await;
    assert_eq!((status, answer), (200, json!({ "success": true })));
}

#[tokio::test]
async fn free_text_needs_an_open_window() {
    let bench = Bench::new();
    bench.get(&format!("/{NUMBER}?fields=verified_name")).await;
    assert_eq!(bench.send_code(text("hello")).await, 131_047);
    let (status, _) =
        bench.call(Method::POST, "/_sim/inbound", json!({ "from": PERSON, "text": "hi" })).await;
    assert_eq!(status, 200);
    assert_eq!(bench.send_code(text("hello")).await, 0);
    bench.clock.advance(24 * 60 * 60 * 1_000);
    assert_eq!(bench.send_code(text("hello")).await, 131_047);
}

#[tokio::test]
async fn a_number_accepts_five_percent_more_than_its_throughput_in_any_second() {
    let bench = Bench::new();
    bench.set(json!({ "enforce_window": false, "pair_limit": false }));
    for _ in 0..84 {
        assert_eq!(bench.send_code(text("hello")).await, 0);
    }
    bench.clock.advance(999);
    let (status, answer) = bench.send(text("hello")).await;
    assert_eq!((status, code(&answer)), (429, 130_429));
    bench.clock.advance(1);
    assert_eq!(bench.send_code(text("hello")).await, 0);
    let stats = bench.simulator.stats();
    assert_eq!((stats.accepted, stats.max_rate_1s, stats.errors["130429"]), (85, 84, 1));
}

#[tokio::test]
async fn a_burst_to_one_person_is_limited_but_not_to_others() {
    let bench = Bench::new();
    bench.set(json!({ "enforce_window": false, "throughput_per_second": 0 }));
    for _ in 0..45 {
        assert_eq!(bench.send_code(text("hello")).await, 0);
    }
    let (status, answer) = bench.send(text("hello")).await;
    assert_eq!((status, code(&answer)), (400, 131_056));
    assert_eq!(bench.send_code(with(text("hello"), "to", json!("393330000000"))).await, 0);
    bench.clock.advance(45 * 6_000);
    assert_eq!(bench.send_code(text("hello")).await, 0);
}
