//! Webhooks over a real connection to a receiver that records what it gets.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::State, routing::post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use super::{Bench, NUMBER, PERSON, text};
use crate::graph::{Config, Simulator, webhooks};

/// Refuses the first `refusals` requests and hands on the accepted ones.
#[derive(Clone)]
struct Receiver {
    refusals: Arc<AtomicUsize>,
    received: mpsc::UnboundedSender<(String, Bytes)>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let refuse = |left: usize| left.checked_sub(1);
    if receiver.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse).is_ok() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
    receiver.received.send((signature, body)).unwrap();
    StatusCode::OK
}

/// A bench whose webhooks arrive in the channel, and whose every interval is zero.
async fn delivering(refusals: usize) -> (Bench, mpsc::UnboundedReceiver<(String, Bytes)>) {
    let (received, webhooks) = mpsc::unbounded_channel();
    let receiver = Receiver { refusals: Arc::new(AtomicUsize::new(refusals)), received };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(receive)).with_state(receiver);
    background(async move { axum::serve(listener, router).await.unwrap() });
    let bench = Bench::with(Config { webhook_url: Some(url), ..super::config() });
    bench.set(json!({
        "enforce_window": false, "throughput_per_second": null, "pair_limit": false, "approve_after_ms": 0,
        "sent_after_ms": 0, "delivered_after_ms": 0, "flush_after_ms": 0, "retry_first_ms": 0,
    }));
    (bench, webhooks)
}

#[expect(clippy::disallowed_methods, reason = "a test's receiver runs beside the test")]
fn background(future: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(future);
}

/// Delivers everything that is planned.
async fn drain(simulator: &Simulator) {
    tokio::select! {
        () = simulator.run_webhooks() => {}
        () = simulator.webhooks_idle() => {}
    }
}

fn value(body: &Bytes) -> Value {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["object"], "whatsapp_business_account");
    body["entry"][0]["changes"][0].take()
}

#[tokio::test]
async fn statuses_are_signed_and_carry_the_callers_data() {
    let (bench, mut webhooks) = delivering(0).await;
    let mut message = text("x");
    message["biz_opaque_callback_data"] = json!("perché");
    let (_, answer) = bench.send(message).await;
    drain(&bench.simulator).await;

    let (signature, body) = webhooks.recv().await.unwrap();
    assert_eq!(signature, webhooks::signature("secret", &body));
    assert!(body.is_ascii() && String::from_utf8_lossy(&body).contains("perch\\u00e9"));
    let change = value(&body);
    assert_eq!(change["field"], "messages");
    assert_eq!(change["value"]["metadata"]["phone_number_id"], NUMBER);
    let statuses = change["value"]["statuses"].as_array().unwrap();
    let names: Vec<_> = statuses.iter().map(|status| status["status"].as_str().unwrap()).collect();
    assert_eq!(names, ["sent", "delivered"]);
    for status in statuses {
        assert_eq!(status["id"], answer["messages"][0]["id"]);
        assert_eq!(status["recipient_id"], PERSON);
        assert_eq!(status["timestamp"], "1767225600");
        assert_eq!(status["biz_opaque_callback_data"], "perché");
        assert_eq!(status["pricing"]["pricing_model"], "PMP");
    }
    let messages = bench.simulator.messages(None, 10);
    assert_eq!(messages[0].statuses.len(), 2);
}

#[tokio::test]
async fn webhooks_are_repeated_until_they_are_accepted() {
    let (bench, mut webhooks) = delivering(3).await;
    bench.send(text("x")).await;
    drain(&bench.simulator).await;
    assert!(webhooks.recv().await.is_some());
    let figures = bench.simulator.stats().webhooks;
    assert_eq!((figures.delivered, figures.pending, figures.failed_attempts), (1, 0, 3));
}

#[tokio::test]
async fn statuses_share_a_webhook_up_to_the_setting() {
    let (bench, mut webhooks) = delivering(0).await;
    bench.set(json!({ "statuses_per_webhook": 10, "delivered_after_ms": null }));
    for _ in 0..25 {
        bench.send(text("x")).await;
    }
    drain(&bench.simulator).await;
    let mut counts = Vec::new();
    while let Ok((_, body)) = webhooks.try_recv() {
        counts.push(value(&body)["value"]["statuses"].as_array().unwrap().len());
    }
    counts.sort_unstable();
    assert_eq!(counts, [5, 10, 10]);
}

#[tokio::test]
async fn a_fault_lets_an_accepted_message_fail() {
    let (bench, mut webhooks) = delivering(0).await;
    bench
        .simulator
        .add_faults(vec![crate::graph::FaultRule { status_failed: Some(131_026), ..Default::default() }])
        .unwrap();
    assert_eq!(bench.send(text("x")).await.0, 200);
    drain(&bench.simulator).await;
    let (_, body) = webhooks.recv().await.unwrap();
    let status = value(&body)["value"]["statuses"][0].take();
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131026)));
}

#[tokio::test]
async fn an_approval_is_announced() {
    let (bench, mut webhooks) = delivering(0).await;
    let components = json!([{ "type": "BODY", "text": "A text" }]);
    let request = json!({ "name": "t", "language": "it", "category": "UTILITY", "components": components });
    bench.create_template(request).await;
    drain(&bench.simulator).await;
    let change = value(&webhooks.recv().await.unwrap().1);
    assert_eq!(change["field"], "message_template_status_update");
    assert_eq!(
        (&change["value"]["event"], &change["value"]["message_template_name"]),
        (&json!("APPROVED"), &json!("t"))
    );
}

#[tokio::test]
async fn people_cause_webhooks() {
    let (bench, mut webhooks) = delivering(0).await;
    bench.get(&format!("/{NUMBER}?fields=verified_name")).await;
    let inbound = |body: Value| bench.call(http::Method::POST, "/_sim/inbound", body);
    let reply = json!({ "type": "button_reply", "button_reply": { "id": "yes", "title": "Yes" } });
    inbound(json!({ "from": "+393331234567", "name": "Anna", "text": "ciao" })).await;
    inbound(json!({ "from": PERSON, "type": "interactive", "interactive": reply, "context": { "id": "wamid.x" } })).await;
    inbound(json!({ "user_id": "US.123", "username": "anna", "text": "hi" })).await;
    inbound(json!({ "user_preferences": { "from": PERSON, "value": "stop" } })).await;
    inbound(json!({ "raw": { "anything": "è" } })).await;
    drain(&bench.simulator).await;
    let mut bodies = Vec::new();
    while let Ok((_, body)) = webhooks.try_recv() {
        bodies.push(String::from_utf8(body.to_vec()).unwrap());
    }
    // Webhooks are independent of each other, so their order is not fixed.
    let find = |part: &str| -> Value {
        let body = bodies.iter().find(|body| body.contains(part)).unwrap();
        serde_json::from_str(body).unwrap()
    };
    let change = |part: &str| find(part)["entry"][0]["changes"][0]["value"].take();
    let hello = change("ciao");
    assert_eq!(hello["contacts"], json!([{ "profile": { "name": "Anna" }, "wa_id": PERSON }]));
    assert_eq!(
        (&hello["messages"][0]["from"], &hello["messages"][0]["text"]["body"]),
        (&json!(PERSON), &json!("ciao"))
    );
    assert_eq!(change("button_reply")["messages"][0]["context"]["id"], "wamid.x");
    let user = change("US.123");
    assert_eq!((&user["contacts"][0]["user_id"], user["messages"][0].get("from")), (&json!("US.123"), None));
    assert_eq!(change("user_preferences")["user_preferences"][0]["value"], "stop");
    assert_eq!(find("anything"), json!({ "anything": "è" }));
}

#[tokio::test]
async fn a_dropped_call_ends_without_an_answer() {
    let (bench, _webhooks) = delivering(0).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v23.0/{NUMBER}/messages", listener.local_addr().unwrap());
    let serving = bench.simulator.clone();
    background(async move { serving.serve(listener, std::future::pending()).await.unwrap() });
    let rules = json!([{ "timeout_after_accept": true, "hang_ms": 0, "next": 1 }]);
    bench.call(http::Method::POST, "/_sim/faults", rules).await;

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = || client.post(&url).bearer_auth("token").body(text("x").to_string()).send();
    assert!(send().await.is_err());
    assert_eq!(send().await.unwrap().status(), 200);
    assert_eq!(bench.simulator.stats().accepted, 2);
}
