//! Faults, figures and settings through the control plane.

use http::Method;
use serde_json::{Value, json};

use super::{Bench, PERSON, text};

fn with_callback(callback: &str, body: &str) -> Value {
    let mut message = text(body);
    message["biz_opaque_callback_data"] = json!(callback);
    message
}

#[tokio::test]
async fn figures_tell_duplicates_from_repetitions() {
    let bench = Bench::unlimited();
    bench.send(with_callback("one", "hello")).await;
    bench.send(with_callback("one", "other")).await;
    bench.send(with_callback("two", "hello")).await;
    bench.clock.advance(5_000);
    bench.send(with_callback("three", "new")).await;
    bench.send(text("")).await;
    let (_, stats) = bench.get("/_sim/stats").await;
    for (name, expected) in [
        ("accepted", 4),
        ("duplicates", 1),
        ("repeated", 1),
        ("distinct_recipients", 1),
        ("max_rate_1s", 3),
        ("calls", 5),
    ] {
        assert_eq!(stats[name], expected, "{name}");
    }
    assert_eq!(stats["errors"], json!({ "100": 1 }));
    assert_eq!(
        stats["last_accepted_at"].as_u64().unwrap() - stats["first_accepted_at"].as_u64().unwrap(),
        5_000
    );

    let (_, messages) = bench.get(&format!("/_sim/messages?to={PERSON}")).await;
    assert_eq!(messages["messages"].as_array().unwrap().len(), 4);
    assert_eq!(messages["messages"][0]["body"]["text"]["body"], "hello");
    assert_eq!(bench.get("/_sim/messages?to=39000").await.1["messages"], json!([]));
}

#[tokio::test]
async fn faults_refuse_with_the_status_of_their_code() {
    let bench = Bench::unlimited();
    for (fault, status, code) in [
        (json!({ "code": 130429 }), 429, 130_429),
        (json!({ "code": 131056 }), 400, 131_056),
        (json!({ "code": 190, "subcode": 463 }), 401, 190),
        (json!({ "code": 131000 }), 500, 131_000),
        (json!({ "code": 80007 }), 429, 80_007),
        (json!({ "http_status": 502 }), 502, 0),
        (json!({ "drop_before_accept": true }), 500, 0),
    ] {
        let (added, _) = bench.call(Method::POST, "/_sim/faults", json!({ "rules": [fault] })).await;
        assert_eq!(added, 200, "{fault}");
        let (given, answer) = bench.send(text("x")).await;
        assert_eq!((given, super::code(&answer)), (status, code), "{fault}");
        bench.call(Method::DELETE, "/_sim/faults", Value::Null).await;
    }
    assert_eq!(bench.simulator.stats().accepted, 0);
    assert_eq!(bench.send(text("x")).await.0, 200);
}

#[tokio::test]
async fn a_silent_acceptance_counts() {
    let bench = Bench::unlimited();
    bench
        .call(
            Method::POST,
            "/_sim/faults",
            json!([{ "timeout_after_accept": true, "hang_ms": 0, "next": 1 }]),
        )
        .await;
    assert_eq!(bench.send(text("x")).await.0, 500);
    assert_eq!(bench.simulator.stats().accepted, 1);
    let (_, faults) = bench.get("/_sim/faults").await;
    assert_eq!((&faults["rules"][0]["applied"], &faults["rules"][0]["next"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn faults_may_concern_other_calls() {
    let bench = Bench::unlimited();
    bench.call(Method::POST, "/_sim/faults", json!({ "code": 4, "on": "templates" })).await;
    assert_eq!(bench.get("/1/message_templates").await.0, 429);
    assert_eq!(bench.send(text("x")).await.0, 200);
}

#[tokio::test]
async fn settings_are_merged_and_checked() {
    let bench = Bench::new();
    let (_, settings) =
        bench.call(Method::POST, "/_sim/settings", json!({ "throughput_per_second": 1000 })).await;
    assert_eq!((&settings["throughput_per_second"], &settings["pair_limit"]), (&json!(1000), &json!(true)));
    for wrong in
        [json!({ "nonsense": 1 }), json!({ "read_share": 2 }), json!([]), json!({ "webhook_concurrency": 0 })]
    {
        assert_eq!(bench.call(Method::POST, "/_sim/settings", wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(bench.get("/_sim/settings").await.1, settings);
}

#[tokio::test]
async fn a_reset_forgets_all_but_the_settings() {
    let bench = Bench::unlimited();
    bench.send(text("x")).await;
    bench.call(Method::POST, "/_sim/faults", json!({ "code": 4 })).await;
    assert_eq!(bench.call(Method::POST, "/_sim/reset", json!({})).await.0, 200);
    assert_eq!(bench.simulator.stats().accepted, 0);
    assert_eq!(bench.send(text("x")).await.0, 200);
    assert_eq!(bench.simulator.stats().repeated, 0);
}

#[tokio::test]
async fn an_inbound_message_needs_a_person_and_a_number() {
    let bench = Bench::new();
    let inbound = |body: Value| bench.call(Method::POST, "/_sim/inbound", body);
    assert_eq!(inbound(json!({ "from": PERSON, "text": "x" })).await.0, 400, "no number is known yet");
    bench.get("/1?fields=verified_name").await;
    assert_eq!(inbound(json!({ "text": "x" })).await.0, 400);
    assert_eq!(inbound(json!({ "from": PERSON, "type": "image" })).await.0, 400);
    assert_eq!(inbound(json!({ "from": PERSON, "text": "x", "phone_number_id": "9" })).await.0, 400);
    let (status, answer) = inbound(json!({ "user_id": "US.123", "text": "x", "id": "wamid.mine" })).await;
    assert_eq!((status, &answer["id"]), (200, &json!("wamid.mine")));
}
