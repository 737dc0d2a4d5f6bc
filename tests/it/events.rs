//! Every sample below `events/` is what its function takes.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use harness::{World, sign};
use queue::Record;
use serde_json::Value;

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
async fn every_sample_is_accepted_by_its_function() {
    let world = World::new().await;
    let sender = &world.sender;
    for (path, event) in samples("campaign-worker") {
        assert_eq!(campaign_worker::handle(sender, &records(&event), || true).await, [""; 0], "{path:?}");
    }
    for (path, event) in samples("send-worker") {
        assert_eq!(send_worker::handle(sender, &records(&event), || true).await, [""; 0], "{path:?}");
    }
    for (path, event) in samples("inbound-worker") {
        assert_eq!(inbound_worker::handle(sender, &records(&event)).await, [""; 0], "{path:?}");
    }
    for (_, event) in samples("schedule-tick") {
        assert_eq!(event["detail-type"], "Scheduled Event");
        schedule_tick::handle(sender).await.unwrap();
    }
    for (path, body) in samples("inbound") {
        let body = Bytes::from(body.to_string());
        let (store, queues) = (&sender.store, &sender.queues);
        let owners = ops::inbound::Owners::default();
        let signature = sign(harness::APP_SECRET, &body);
        let queued = ops::inbound::receive(store, queues, &owners, &body, Some(&signature)).await;
        assert_eq!(queued.unwrap(), 1, "{path:?}");
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
    assert_eq!(inbound_worker::handle(&world.sender, &batch).await, ["a", "b", "c"]);
}
