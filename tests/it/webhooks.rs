//! Events to the users' endpoints: sent, sent again, and never lost.

use domain::webhook::EventType;
use harness::{
    APP_SECRET, Api, Hook, Mood, PHONE_NUMBER_ID, Received, WABA_ID, World, sign, text_change, webhook,
};
use serde_json::{Value, json};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A world whose account forwards what Meta posts.
async fn forwarding() -> (World, Api, Hook, Value) {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let body = json!({"apikey": api.key, "token": api.token, "url": hook.url});
    let made = api.post("/api/whatsapp-meta/set_webhook", body).await.expect(200);
    (world, api, hook, made)
}

fn text(n: usize, text: &str) -> Value {
    webhook(&[(WABA_ID, vec![text_change(PHONE_NUMBER_ID, "393330000001", &format!("wamid.{n}"), text)])])
}

async fn post(world: &World, body: &Value) -> Vec<u8> {
    let bytes = body.to_string().into_bytes();
    world.meta_posts(&bytes, Some(&sign(APP_SECRET, &bytes))).await.unwrap();
    bytes
}

/// Lets time pass as it does: the clock looks for what is due, the workers do it.
async fn pass(world: &World, ms: i64, step_ms: i64) {
    for _ in 0..ms / step_ms {
        world.clock.advance_ms(step_ms);
        world.sweep().await;
        world.drain().await;
    }
}

fn ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|r| r.header("webhook-id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meta_s_bytes_arrive_unchanged_with_both_signatures() {
    let (world, _, hook, made) = forwarding().await;
    let bytes = post(&world, &text(1, "Perché no? \u{1f600}")).await;
    world.drain().await;
    let received = hook.received();
    assert_eq!(received.len(), 1);
    let first = &received[0];
    assert_eq!(first.body, bytes);
    assert_eq!(first.header("x-hub-signature-256"), sign(APP_SECRET, &bytes));
    assert!(first.is_signed_with(made["secret"].as_str().unwrap()));
    assert_eq!((first.header("webhook-sequence"), first.header("webhook-event")), ("1", "meta.change"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_for_two_days_gets_everything_once() {
    let (world, _, hook, _) = forwarding().await;
    hook.answer(503);
    for n in 0..40 {
        post(&world, &text(n, "ciao")).await;
        if n % 10 == 0 {
            world.drain().await;
        }
    }
    world.drain().await;
    pass(&world, 2 * DAY_MS, 3_600_000).await;
    assert!(hook.taken().is_empty());
    let attempts = hook.received().len();
    // A probe now and then, and not 40 events on every step of the schedule.
    assert!(attempts < 90, "{attempts}");
    hook.answer(200);
    pass(&world, DAY_MS, 3_600_000).await;
    let mut taken = ids(&hook.taken());
    assert_eq!(taken.len(), 40);
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 40, "each once");
    let after = hook.received().len();
    pass(&world, 3 * DAY_MS, DAY_MS).await;
    assert_eq!(hook.received().len(), after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_that_the_receiver_chokes_on_holds_up_no_other() {
    let (world, api, hook, made) = forwarding().await;
    hook.set(Mood::ChokesOn("veleno".to_owned()));
    post(&world, &text(0, "veleno")).await;
    world.drain().await;
    for n in 1..30 {
        post(&world, &text(n, "bene")).await;
        world.drain().await;
        pass(&world, 60_000, 60_000).await;
    }
    assert_eq!(hook.taken().len(), 29);
    let choked = hook.received().len() - 29;
    assert!((2..=6).contains(&choked), "{choked}");
    let id = &made["webhook"]["id"];
    let list = api.get(&format!("/api/webhooks/{id}/deliveries?limit=500")).await.expect(200);
    let first = list["deliveries"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["state"], &first["last_status"]), (&json!("waiting"), &json!(500)));
    let shown = api.get(&format!("/api/webhooks/{id}/deliveries/1")).await.expect(200);
    assert_eq!(shown["attempts"].as_array().unwrap().len(), choked);
    assert_eq!(shown["attempts"][0]["answer"], "the receiver's answer");
    assert!(shown["body"].as_str().unwrap().contains("veleno"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_webhook_many_times_at_once_is_one_event() {
    let (world, _, hook, _) = forwarding().await;
    let body = text(1, "ciao");
    futures::future::join_all((0..100).map(|_| post(&world, &body))).await;
    world.drain().await;
    assert_eq!(hook.received().len(), 1);
    let audit = world.audit().await;
    assert_eq!((audit.contacts, audit.problems), (1, vec![]));
    assert_eq!(world.conversation(world.account.id, domain::ContactId(1)).await, ["ciao"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_disables_at_once_and_five_days_of_failures_do() {
    for (status, days, reason) in [(410, 0, "gone"), (500, 7, "failing")] {
        let (world, api, hook, made) = forwarding().await;
        let other = Hook::new().await;
        api.post("/api/webhooks", json!({"apikey": api.key, "url": other.url, "name": "CRM"}))
            .await
            .expect(201);
        hook.answer(status);
        post(&world, &text(1, "ciao")).await;
        world.drain().await;
        pass(&world, days * DAY_MS, 7_200_000).await;
        let id = &made["webhook"]["id"];
        let shown = api.get(&format!("/api/webhooks/{id}")).await.expect(200);
        assert_eq!(shown["webhook"]["disabled_reason"], reason, "{shown}");
        world.drain().await;
        let told: Vec<Value> = other.taken().iter().map(Received::json).collect();
        let disabled = told.iter().find(|e| e["type"] == EventType::WebhookDisabled.as_str()).unwrap();
        assert_eq!((&disabled["data"]["webhook_id"], &disabled["data"]["reason"]), (id, &json!(reason)));
        // What comes in meanwhile is kept until it is on again.
        let before = hook.received().len();
        post(&world, &text(2, "intanto")).await;
        world.drain().await;
        assert_eq!(hook.received().len(), before);
        hook.answer(200);
        api.post(&format!("/api/webhooks/{id}"), json!({"apikey": api.key, "enabled": true}))
            .await
            .expect(200);
        world.drain().await;
        assert_eq!(hook.taken().len(), 2);
    }
}
