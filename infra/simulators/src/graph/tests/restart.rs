//! A killed and restarted simulator forgets nothing.

use std::path::Path;

use serde_json::json;

use super::{ACCOUNT, Bench, NUMBER, PERSON, START_MS, template, text};
use crate::graph::{Clock, Config, state::journal::Line};

fn open(path: &Path, now_ms: u64) -> Bench {
    let config = super::config();
    Bench::with(Config {
        state: Some(path.to_owned()),
        webhook_url: Some("http://127.0.0.1:9/hook".to_owned()),
        clock: Clock::manual(now_ms),
        ..config
    })
}

#[tokio::test]
async fn state_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.jsonl");
    let first = open(&path, START_MS);
    first.get(&format!("/{NUMBER}?fields=verified_name")).await;
    let components = json!([{ "type": "BODY", "text": "A text" }]);
    first
        .approved(
            json!({ "name": "t", "language": "en_US", "category": "UTILITY", "components": components }),
        )
        .await;
    first
        .simulator
        .inbound(crate::graph::Inbound {
            from: Some(PERSON.to_owned()),
            text: Some(json!("hi")),
            ..Default::default()
        })
        .unwrap();
    let mut message = text("x");
    message["biz_opaque_callback_data"] = json!("mine");
    let (_, answer) = first.send(message.clone()).await;
    let before = first.simulator.stats();
    drop(first);

    let second = open(&path, START_MS + 5_000);
    let after = second.simulator.stats();
    assert_eq!((after.accepted, after.first_accepted_at), (1, before.first_accepted_at));
    // Two statuses, the inbound message, and the approval that was not announced yet.
    assert_eq!((before.webhooks.pending, after.webhooks.pending), (4, 4));
    assert_eq!(second.send_code(template("t", json!([]))).await, 0);
    let (_, again) = second.send(message).await;
    assert_ne!(again["messages"], answer["messages"]);
    let stats = second.simulator.stats();
    assert_eq!((stats.accepted, stats.duplicates, stats.repeated), (3, 1, 1));
    assert_eq!(second.get(&format!("/{ACCOUNT}/message_templates")).await.1["data"][0]["name"], "t");
}

#[tokio::test]
async fn acknowledged_statuses_are_not_sent_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.jsonl");
    let first = open(&path, START_MS);
    first.set(
        json!({ "enforce_window": false, "sent_after_ms": 0, "delivered_after_ms": 10, "flush_after_ms": 0 }),
    );
    first.send(text("x")).await;
    {
        let world = &mut *first.simulator.world();
        let settings = world.settings.clone();
        let mut posts = world.outbox.take(START_MS, &settings);
        assert_eq!(posts.len(), 1, "only the first status is due");
        let post = posts.remove(0);
        world.outbox.succeeded(&post);
        world.remember(&Line::Statuses { acknowledged: vec![(1, 0)], at_ms: START_MS });
    }
    drop(first);
    let second = open(&path, START_MS);
    assert_eq!(second.simulator.stats().webhooks.pending, 1);
    assert_eq!(second.simulator.messages(None, 1)[0].statuses[0].status, "sent");
}

#[tokio::test]
async fn a_reset_is_not_undone_by_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.jsonl");
    let first = open(&path, START_MS);
    first.set(json!({ "enforce_window": false }));
    first.send(text("x")).await;
    first.simulator.reset(false);
    drop(first);
    let second = open(&path, START_MS);
    let stats = second.simulator.stats();
    assert_eq!((stats.accepted, stats.webhooks.pending), (0, 0));
    assert!(!second.simulator.settings().enforce_window);
}
