//! Every sample below `events/` is what its function takes.

use std::path::{Path, PathBuf};

use axum::body::Body;
use harness::{Api, Hook, World};
use http::Request;
use queue::{Queue, Record};
use serde_json::{Value, json};

fn samples(function: &str) -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(function);
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
        .collect();
    samples.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!samples.is_empty(), "{function}");
    samples
}

fn records(event: &Value) -> Vec<Record> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    let records = event["Records"].as_array().unwrap();
    records.iter().map(|r| Record { id: text(r, "messageId"), body: text(r, "body") }).collect()
}

#[tokio::test]
async fn every_sample_of_a_job_is_settled_by_its_function() {
    let world = World::new().await;
    let services = &world.services;
    for (path, event) in samples("campaign-worker") {
        assert_eq!(campaign_worker::handle(services, &records(&event), || true).await, [""; 0], "{path:?}");
    }
    for (path, event) in samples("send-worker") {
        assert_eq!(send_worker::handle(services, &records(&event), || true).await, [""; 0], "{path:?}");
    }
    for (path, event) in samples("inbound-worker") {
        assert_eq!(inbound_worker::handle(services, &records(&event)).await, [""; 0], "{path:?}");
    }
    let dispatcher = world.apps().dispatcher();
    for (path, event) in samples("webhook-worker") {
        assert_eq!(webhook_worker::handle(&dispatcher, &records(&event), || true).await, [""; 0], "{path:?}");
    }
    for (_, event) in samples("schedule-tick") {
        assert_eq!(event["detail-type"], "Scheduled Event");
        schedule_tick::handle(&services.store, &services.queues).await.unwrap();
    }
    for (path, event) in samples("media-worker") {
        assert_eq!(media_worker::handle(&world.media(), &records(&event)).await, [""; 0], "{path:?}");
    }
    let want = ["there is no campaign with this id", "there is no campaign with this id"];
    assert_eq!(world.reasons_in(Queue::Campaign).await, want, "the samples' campaign does not exist");
    let want = ["nothing was announced under the id of the upload"];
    assert_eq!(world.reasons_in(Queue::Media).await, want, "nor does their upload");
}

/// The request that Lambda's library makes of an event.
fn request(event: &Value) -> Request<Body> {
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    request.map(|body| Body::from(body.to_vec()))
}

#[tokio::test]
async fn every_sample_of_a_request_is_answered_by_its_function() {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    api.post("/api/channels", json!({"name": "my-channel", "url": hook.url})).await.expect(201);
    ops::agencies::mark(world.store(), world.tenant().as_str(), true).await.unwrap();
    let bakery = json!({"name": "Bakery", "email": "bakery@example.com"});
    api.post("/api/subaccounts", bakery).await.expect(201);
    world.template("codice", "AUTHENTICATION", "").await;
    world.clock.advance_ms(2_000);
    for function in ["accounts", "assistant", "campaigns", "catalog", "contacts", "messages", "webhooks"] {
        for (path, event) in samples(function) {
            assert_eq!(api.send_to(function, request(&event)).await.status, 401, "{path:?}");
            let known = event.to_string().replace("fake-api-key", &api.key).replace("fake-token", &api.token);
            let event: Value = serde_json::from_str(&known).unwrap();
            let answer = api.send_to(function, request(&event)).await;
            let found = answer.status.is_success() || path.ends_with("launch.json");
            assert!(found, "{path:?}: {}", String::from_utf8_lossy(&answer.body));
        }
    }
    assert_eq!(hook.received().len(), 1, "the sample of a custom channel");
    let secret = json!({"token": api.token, "shop": "woocommerce", "secret": "fake-shop-secret"});
    api.post("/api/integrations/secrets", secret).await.expect(200);
    let (custom, posted): (Vec<_>, Vec<_>) =
        samples("inbound").into_iter().partition(|(_, event)| event.to_string().contains("fake-api-key"));
    for (path, event) in &custom {
        assert_eq!(api.send_to("inbound", request(event)).await.status, 401, "{path:?}");
        let known = event.to_string().replace("fake-api-key", &api.key);
        let answer = api.send_to("inbound", request(&serde_json::from_str(&known).unwrap())).await;
        assert_eq!(answer.expect(200)["success"], true, "{path:?}");
    }
    let (integrations, meta): (Vec<_>, Vec<_>) =
        posted.into_iter().partition(|(_, event)| event.to_string().contains("fake-token"));
    let before = world.queued().await;
    for (path, event) in &meta {
        assert_eq!(api.send_to("inbound", request(event)).await.status, 200, "{path:?}");
    }
    assert_eq!(world.queued().await - before, meta.len() as u64 - 1, "all but the verification");
    for (path, event) in &integrations {
        assert_eq!(api.send_to("inbound", request(event)).await.status, 404, "{path:?}");
        let known = event.to_string().replace("fake-token", &api.token);
        let answer = api.send_to("inbound", request(&serde_json::from_str(&known).unwrap())).await;
        assert_eq!(answer.expect(200)["status"], "ok", "{path:?}");
    }
    world.drain().await;
}

#[tokio::test]
async fn a_malformed_record_does_not_fail_its_batch() {
    let world = World::new().await;
    let (_, event) = samples("inbound-worker").remove(0);
    let mut batch = records(&event);
    for (id, body) in
        [("a", "{"), ("b", "{\"v\":9,\"job\":{}}"), ("c", "{\"v\":1,\"job\":{\"type\":\"sing\"}}")]
    {
        batch.push(Record { id: id.to_owned(), body: body.to_owned() });
    }
    assert_eq!(inbound_worker::handle(&world.services, &batch).await, [""; 0]);
    let reasons = [
        "the job has version 9, which this build does not know",
        "the job is malformed",
        "the job is malformed",
    ];
    assert_eq!(world.reasons_in(Queue::Inbound).await, reasons);
}

#[tokio::test]
async fn what_can_never_be_done_is_parked_with_its_reason() {
    let world = World::new().await;
    let services = &world.services;
    let tenant = world.tenant().as_str();
    let record = |body: Value| Record { id: "a".to_owned(), body: body.to_string() };
    let campaign =
        |kind: &str| record(json!({"v": 1, "job": {"type": kind, "tenant": tenant, "campaign": 99}}));
    assert_eq!(campaign_worker::handle(services, &[campaign("start")], || true).await, [""; 0]);
    assert_eq!(world.reasons_in(Queue::Campaign).await, ["there is no campaign with this id"]);

    let wake = record(json!({"v": 1, "job": {"type": "wake", "tenant": "", "phone_number_id": "1"}}));
    assert_eq!(send_worker::handle(services, &[wake], || true).await, [""; 0]);
    assert_eq!(world.reasons_in(Queue::Send).await, ["the job names no tenant"]);

    let put = |key: &str| record(json!({"Records": [{"s3": {"object": {"key": key}}}]}));
    let unknown = put("uploads/0123456789abcdef0123456789abcdef");
    let batch = [put("elsewhere/a"), record(json!({})), unknown];
    assert_eq!(media_worker::handle(&world.media(), &batch).await, [""; 0]);
    let reasons = [
        "nothing was announced under the id of the upload",
        "the job is malformed",
        "the object is no upload of ours",
    ];
    assert_eq!(world.reasons_in(Queue::Media).await, reasons);
}
