//! Creation, review, listing, deletion and use of templates.

use http::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, Bench, code, template};

fn body(text: &str, samples: &[&str]) -> Value {
    if samples.is_empty() {
        return json!({ "type": "BODY", "text": text });
    }
    json!({ "type": "BODY", "text": text, "example": { "body_text": [samples] } })
}

fn new(name: &str, components: Value) -> Value {
    json!({ "name": name, "language": "en_US", "category": "UTILITY", "components": components })
}

fn with_buttons(buttons: Value) -> Value {
    new("t", json!([body("A text", &[]), { "type": "BUTTONS", "buttons": buttons }]))
}

fn quick(text: &str) -> Value {
    json!({ "type": "QUICK_REPLY", "text": text })
}

fn url(url: &str, example: Value) -> Value {
    json!({ "type": "URL", "text": "Open", "url": url, "example": example })
}

fn otp(components: Value) -> Value {
    json!({ "name": "otp", "language": "en_US", "category": "AUTHENTICATION", "components": components })
}

/// The templates Meta refuses, with the subcode, or 0 without one.
fn refused() -> Vec<(Value, u64)> {
    let text = |text: &str| new("t", json!([body(text, &["a"])]));
    let copy =
        json!({ "type": "BUTTONS", "buttons": [{ "type": "OTP", "otp_type": "COPY_CODE", "text": "Copy" }] });
    let header = |header: Value| new("t", json!([header, body("A text", &[])]));
    let phone = json!({ "type": "PHONE_NUMBER", "text": "Call", "phone_number": "39333" });
    vec![
        (new("Bad-Name", json!([body("A text", &[])])), 0),
        (new("", json!([body("A text", &[])])), 0),
        (new("t", json!([])), 0),
        (new("t", json!([{ "type": "FOOTER", "text": "x" }])), 2_388_072),
        (text(&format!("{} {{{{1}}}} end", "x".repeat(1_030))), 2_388_040),
        (text("Your code is {{1}}"), 2_388_299),
        (text("Il tuo codice è {{1}}."), 2_388_299),
        (text("{{1}} is your code"), 2_388_299),
        (text("Hi {{1}} bye"), 2_388_293),
        (text("Hello dear {{ 1 }} and welcome"), 2_388_072),
        (text("Hello dear {{2}} and welcome"), 2_388_072),
        (text("Hello dear {{name}} and welcome"), 2_388_072),
        (new("t", json!([body("Hello dear {{1}} and welcome", &[])])), 2_388_043),
        (new("t", json!([body("Hello dear {{1}} and welcome", &["a", "b"])])), 2_388_043),
        (header(json!({ "type": "HEADER", "format": "TEXT", "text": "x".repeat(61) })), 2_388_040),
        (
            header(json!({ "type": "HEADER", "format": "TEXT", "text": "{{1}} and {{2}}",
            "example": { "header_text": ["a", "b"] } })),
            2_388_047,
        ),
        (header(json!({ "type": "HEADER", "format": "TEXT", "text": "Hello {{1}}" })), 2_388_043),
        (header(json!({ "type": "HEADER", "format": "IMAGE" })), 2_388_043),
        (header(json!({ "type": "HEADER", "format": "SOUND" })), 2_388_047),
        (header(json!({ "type": "FOOTER", "text": "x".repeat(61) })), 2_388_040),
        (header(json!({ "type": "FOOTER", "text": "Bye {{1}}" })), 2_388_073),
        (with_buttons(json!([])), 2_388_000),
        (with_buttons(json!((0..11).map(|n| quick(&n.to_string())).collect::<Vec<_>>())), 2_388_000),
        (with_buttons(json!([quick(&"x".repeat(26))])), 2_388_040),
        (with_buttons(json!([quick("a"), phone, quick("b")])), 2_388_000),
        (with_buttons(json!([phone, phone])), 2_388_000),
        (with_buttons(json!([url("https://a.b/{{1}}", Value::Null)])), 2_388_043),
        (with_buttons(json!([url("https://a.b/{{1}}/c", json!(["x"]))])), 2_388_000),
        (with_buttons(json!([url("ftp://a.b", Value::Null)])), 2_388_000),
        (with_buttons(json!([{ "type": "COPY_CODE" }])), 2_388_043),
        (otp(json!([{ "type": "BODY", "text": "Your code" }, copy])), 2_388_072),
        (otp(json!([{ "type": "BODY" }])), 2_388_072),
        (
            otp(json!([{ "type": "BODY" }, { "type": "FOOTER", "code_expiration_minutes": 91 }, copy])),
            2_388_072,
        ),
    ]
}

#[tokio::test]
async fn refuses_what_meta_refuses() {
    for (request, subcode) in refused() {
        let bench = Bench::new();
        let (status, answer) = bench.create_template(request.clone()).await;
        assert_eq!((status, code(&answer)), (400, 100), "{request} {answer}");
        assert_eq!(answer["error"]["error_subcode"].as_u64().unwrap_or(0), subcode, "{request} {answer}");
    }
}

#[tokio::test]
async fn a_language_and_a_category_are_required() {
    let good = new("t", json!([body("A text", &[])]));
    for (field, value) in
        [("language", json!("english")), ("language", Value::Null), ("category", json!("SPAM"))]
    {
        let mut request = good.clone();
        request[field] = value;
        assert_eq!(Bench::new().create_template(request).await.0, 400, "{field}");
    }
}

#[tokio::test]
async fn names_are_unique_reserved_and_limited() {
    let bench = Bench::new();
    let subcode = |answer: &Value| answer["error"]["error_subcode"].as_u64();
    let request = |name: &str| new(name, json!([body("A text", &[])]));
    bench.approved(request("first")).await;
    assert_eq!(subcode(&bench.create_template(request("first")).await.1), Some(2_388_024));

    let path = format!("/{ACCOUNT}/message_templates?name=first");
    assert_eq!(bench.call(Method::DELETE, &path, Value::Null).await, (200, json!({ "success": true })));
    assert_eq!(subcode(&bench.create_template(request("first")).await.1), Some(2_388_023));
    assert_eq!(bench.call(Method::DELETE, &path, Value::Null).await.0, 400);

    for number in 0..250 {
        assert_eq!(bench.create_template(request(&format!("n{number}"))).await.0, 200);
    }
    assert_eq!(subcode(&bench.create_template(request("one_more")).await.1), Some(2_388_019));
}

#[tokio::test]
async fn a_list_has_pages_filters_and_fields() {
    let bench = Bench::new();
    for number in 0..5 {
        bench.approved(new(&format!("n{number}"), json!([body("A text", &[])]))).await;
    }
    let base = format!("/v23.0/{ACCOUNT}/message_templates");
    let (mut path, mut names) = (format!("{base}?limit=2&fields=name,status"), Vec::new());
    loop {
        let (_, page) = bench.get(&path).await;
        for node in page["data"].as_array().unwrap() {
            assert_eq!(node.as_object().unwrap().len(), 3, "name, status and id");
            names.push(node["name"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["paging"]["next"].as_str() else { break };
        path = next.strip_prefix("http://graph.test").unwrap().to_owned();
    }
    assert_eq!(names, ["n4", "n3", "n2", "n1", "n0"]);

    for (query, count) in [
        ("name=n3", 1),
        ("status=APPROVED", 5),
        ("status=PENDING", 0),
        ("language=it", 0),
        ("category=UTILITY", 5),
    ] {
        let (_, page) = bench.get(&format!("{base}?{query}")).await;
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn a_template_is_usable_after_its_approval() {
    let bench = Bench::new();
    bench.create_template(new("welcome", json!([body("A text", &[])]))).await;
    let send = || bench.send_code(template("welcome", json!([])));
    assert_eq!(send().await, 132_001);
    bench.clock.advance(1_000);
    assert_eq!(send().await, 0, "a template needs no open window");
    let decide = |status| json!({ "name": "welcome", "status": status });
    for (status, expected) in
        [("PAUSED", 132_015), ("DISABLED", 132_016), ("REJECTED", 132_001), ("APPROVED", 0)]
    {
        bench.call(Method::POST, "/_sim/templates", decide(status)).await;
        assert_eq!(send().await, expected, "{status}");
    }
}

#[tokio::test]
async fn positional_parameters_must_fit() {
    let bench = Bench::unlimited();
    let order = body("Hello dear {{1}}, your order {{2}} is on its way", &["a", "b"]);
    let buttons =
        json!({ "type": "BUTTONS", "buttons": [url("https://a.b/{{1}}", json!(["x"])), quick("Stop")] });
    let header = json!({ "type": "HEADER", "format": "IMAGE", "example": { "header_handle": ["4::x"] } });
    bench.approved(new("order", json!([header, order, buttons]))).await;

    let text = |text: &str| json!({ "type": "text", "text": text });
    let image = json!({ "type": "image", "image": { "link": "https://example.com/a.png" } });
    let send = |header: Value, values: Vec<Value>, button: Value| {
        bench.send_code(template(
            "order",
            json!([
                { "type": "HEADER", "parameters": header },
                { "type": "body", "parameters": values },
                { "type": "button", "sub_type": "url", "index": 0, "parameters": button },
            ]),
        ))
    };
    let two = || vec![text("Anna"), text("4711")];
    let link = || json!([text("4711")]);
    assert_eq!(send(json!([image]), two(), link()).await, 0);
    assert_eq!(send(json!([image]), vec![text("Anna")], link()).await, 132_000);
    assert_eq!(send(json!([]), two(), link()).await, 132_012);
    assert_eq!(send(json!([text("x")]), two(), link()).await, 132_012);
    assert_eq!(send(json!([image]), two(), json!([])).await, 132_000);
    for (value, expected) in [
        ("", 131_008),
        (" ", 131_008),
        ("a\nb", 132_018),
        ("a\tb", 132_018),
        ("a     b", 132_018),
        ("a    b", 0),
    ] {
        assert_eq!(
            send(json!([image]), vec![text("Anna"), text(value)], link()).await,
            expected,
            "{value:?}"
        );
    }
    let without_button =
        json!([{ "type": "header", "parameters": [image] }, { "type": "body", "parameters": two() }]);
    assert_eq!(bench.send_code(template("order", without_button)).await, 131_008);
    let wrong_button = json!([{ "type": "header", "parameters": [image] }, { "type": "body", "parameters": two() },
        { "type": "button", "sub_type": "url", "index": "1", "parameters": link() }]);
    assert_eq!(bench.send_code(template("order", wrong_button)).await, 132_012);
}

#[tokio::test]
async fn named_parameters_must_fit() {
    let bench = Bench::unlimited();
    let mut request = new(
        "named",
        json!([{ "type": "BODY", "text": "Hello dear {{first_name}}, welcome back",
        "example": { "body_text_named_params": [{ "param_name": "first_name", "example": "Anna" }] } }]),
    );
    request["parameter_format"] = json!("NAMED");
    bench.approved(request).await;
    let send = |parameter: Value| {
        bench.send_code(template("named", json!([{ "type": "body", "parameters": [parameter] }])))
    };
    assert_eq!(send(json!({ "type": "text", "parameter_name": "first_name", "text": "Anna" })).await, 0);
    assert_eq!(send(json!({ "type": "text", "parameter_name": "other", "text": "Anna" })).await, 100);
    assert_eq!(send(json!({ "type": "text", "text": "Anna" })).await, 100);
    assert_eq!(bench.send_code(template("named", json!([]))).await, 132_000);
}

#[tokio::test]
async fn a_code_is_sent_with_its_button() {
    let bench = Bench::unlimited();
    bench.approved(otp(json!([
        { "type": "BODY", "add_security_recommendation": true },
        { "type": "FOOTER", "code_expiration_minutes": 10 },
        { "type": "BUTTONS", "buttons": [{ "type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code" }] },
    ]))).await;
    let value = json!([{ "type": "text", "text": "123456" }]);
    let components = json!([{ "type": "body", "parameters": value },
        { "type": "button", "sub_type": "url", "index": "0", "parameters": value }]);
    assert_eq!(bench.send_code(template("otp", components)).await, 0);
    let (_, list) = bench.get(&format!("/{ACCOUNT}/message_templates")).await;
    let text = &list["data"][0]["components"][0]["text"];
    assert_eq!(text, "*{{1}}* is your verification code. For your security, do not share this code.");
}
