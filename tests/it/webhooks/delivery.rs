//! Deliveries to servers that are down, slow, choosy or gone.

use domain::webhook::{EndpointId, EventId, EventType};
use harness::{Api, Hook, Mood, Received, World};
use serde_json::{Value, json};
use store::webhooks::{Body, Delivery, DeliveryProgress};

use super::{DAY_MS, forwarding, ids, pass, post, text};

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
async fn an_endpoint_is_not_told_that_it_is_disabled() {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let made = api.post("/api/webhooks", json!({"url": hook.url})).await.expect(201);
    hook.answer(410);
    api.post("/api/contacts", json!({"phone": "+393331112222"})).await.expect(201);
    world.drain().await;
    let path = format!("/api/webhooks/{}", made["webhook"]["id"]);
    assert_eq!(api.get(&path).await.expect(200)["webhook"]["state"], "disabled");
    hook.answer(200);
    api.post(&path, json!({"enabled": true})).await.expect(200);
    world.drain().await;
    let taken: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let kinds: Vec<&str> = taken.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds, ["contact.created"]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_keep_the_schedule_and_the_receiver_s_wish() {
    // The pause after each failure in a row, and what Retry-After may make of it.
    for (asked, factor) in [(None, (0.8, 1.2)), (Some("31536000"), (2.0, 2.0)), (Some("0"), (1.0, 1.0))] {
        let (world, api, hook, made) = forwarding().await;
        let headers = asked.map(|asked| ("retry-after", asked.to_owned())).into_iter().collect();
        hook.set(Mood::Answers(429, headers));
        post(&world, &text(1, "ciao")).await;
        world.drain().await;
        let id = &made["webhook"]["id"];
        for step_s in [1_800.0, 7_200.0, 18_000.0, 36_000.0] {
            let shown = api.get(&format!("/api/webhooks/{id}")).await.expect(200);
            let time =
                |name: &str| shown["webhook"][name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            let delivery = api.get(&format!("/api/webhooks/{id}/deliveries/1")).await.expect(200);
            let last = delivery["delivery"]["last_attempt_at"].as_str().unwrap().parse::<jiff::Timestamp>();
            let wait = time("next_attempt_at").duration_since(last.unwrap()).as_secs_f64();
            // Five seconds and five minutes are over by now: the queue waits for them.
            let range = step_s * factor.0 - 1.0..=step_s * factor.1 + 1.0;
            assert!(range.contains(&wait), "{asked:?}: {wait} after {step_s}");
            let jump = time("next_attempt_at").duration_since(world.clock.now()).as_millis() + 1_000;
            pass(&world, i64::try_from(jump).unwrap(), i64::try_from(jump).unwrap()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_answer_is_a_failure_and_holds_up_nobody() {
    let (world, api, healthy, _) = forwarding().await;
    let hanging = Hook::new().await;
    hanging.set(Mood::Hangs);
    let body = json!({"url": hanging.url, "events": ["meta.change"], "name": "lento"});
    let made = api.post("/api/webhooks", body).await.expect(201);
    for n in 0..20 {
        post(&world, &text(n, "ciao")).await;
    }
    world.drain().await;
    assert_eq!(healthy.taken().len(), 20);
    let id = &made["webhook"]["id"];
    let shown = api.get(&format!("/api/webhooks/{id}")).await.expect(200);
    assert_eq!(shown["webhook"]["state"], "down", "{shown}");
    let list = api.get(&format!("/api/webhooks/{id}/deliveries")).await.expect(200);
    let tried = list["deliveries"].as_array().unwrap().iter().find(|d| d["attempts"] == 1).unwrap();
    assert_eq!((&tried["last_status"], &tried["state"]), (&Value::Null, &json!("waiting")));
    assert!(tried["last_error"].as_str().unwrap().contains("in time"), "{tried}");
    hanging.answer(200);
    pass(&world, DAY_MS, 7_200_000).await;
    // A call that was cut off may have been taken; each that was is there once more at most.
    let mut taken = ids(&hanging.taken());
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_not_followed() {
    let (world, _, hook, _) = forwarding().await;
    let elsewhere = Hook::new().await;
    hook.set(Mood::Answers(307, vec![("location", elsewhere.url.clone())]));
    post(&world, &text(1, "ciao")).await;
    world.drain().await;
    assert!(!hook.received().is_empty());
    assert!(elsewhere.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_delivered_can_be_sent_again_under_its_id() {
    let (world, api, hook, made) = forwarding().await;
    for n in 0..5 {
        post(&world, &text(n, "ciao")).await;
        world.drain().await;
        world.clock.advance_ms(60_000);
    }
    let replay = format!("/api/webhooks/{}/replay", made["webhook"]["id"]);
    let one = api.post(&replay, json!({"delivery_id": 2})).await.expect(200);
    assert_eq!((&one["replayed"], &one["more"]), (&json!(1), &json!(false)));
    world.drain().await;
    let before = ids(&hook.received());
    assert_eq!(before[5], before[1]);
    let from = world.clock.now().as_millisecond() - 150_000;
    let from = jiff::Timestamp::from_millisecond(from).unwrap().to_string();
    let some = api.post(&replay, json!({"from": from})).await.expect(200);
    assert_eq!(some["replayed"], 2, "{some}");
    world.drain().await;
    assert_eq!(ids(&hook.received())[6..], before[3..5]);
    assert_eq!(api.post(&replay, json!({"delivery_id": 99})).await.field(404), "delivery_id");
    assert_eq!(api.post(&replay, json!({"from": "ieri"})).await.field(422), "from");
    assert_eq!(api.post(&replay, json!({})).await.field(422), "delivery_id");
}

/// A delivery that was taken on a second after the one before it.
fn taken_on(world: &World, sequence: u64) -> Delivery {
    Delivery {
        sequence,
        event: EventId::of(EventType::ContactCreated, &[&sequence.to_string()]),
        kind: EventType::ContactCreated,
        at_ms: world.clock.now_ms() + 1_000 * i64::try_from(sequence).unwrap(),
        body: Body::Inline("{}".to_owned()),
        signature: None,
        progress: DeliveryProgress::Delivered,
        attempts: 1,
        last: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_of_a_time_are_found_among_many_and_across_gaps() {
    let (world, api, _, made) = forwarding().await;
    let (store, id) = (world.store(), EndpointId(made["webhook"]["id"].as_u64().unwrap()));
    store.take_sequence(world.tenant(), id, 7_400).await.unwrap();
    // The first are forgotten, some numbers came to nothing, a few were overtaken.
    let there = (1_050..=7_400).filter(|n| !(2_120..2_660).contains(n) && n % 97 != 0);
    let mut all: Vec<Delivery> = there.chain(200..=1_030).map(|n| taken_on(&world, n)).collect();
    for delivery in all.iter_mut().filter(|d| d.sequence % 250 < 3) {
        delivery.at_ms += 5_000;
    }
    all.sort_by_key(|delivery| delivery.sequence);
    for some in all.chunks(250) {
        store.write_deliveries(world.tenant(), id, some).await.unwrap();
    }
    let start = world.clock.now_ms();
    for (from, to, limit) in [
        (0, 7_500, 10_000),
        (0, 150, 10_000),
        (2_400, 2_500, 10_000),
        (2_100, 2_700, 10_000),
        (1_000, 1_003, 10_000),
        (7_390, 9_000, 10_000),
        (7_500, 9_000, 10_000),
        (3_000, 5_000, 700),
    ] {
        let span = (start + from * 1_000, start + to * 1_000);
        let found = store.deliveries_between(world.tenant(), id, 7_400, span, limit).await.unwrap();
        let within = all.iter().filter(|d| (span.0..span.1).contains(&d.at_ms)).take(limit);
        assert!(found.iter().eq(within), "{from} to {to}: {}", found.len());
    }
    let replay = format!("/api/webhooks/{id}/replay");
    let time = |ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let first = api.post(&replay, json!({"from": time(start)})).await.expect(200);
    assert_eq!((&first["replayed"], &first["more"]), (&json!(5_000), &json!(true)));
    let second = api.post(&replay, json!({"from": first["next_from"]})).await.expect(200);
    let replayed = usize::try_from(second["replayed"].as_u64().unwrap()).unwrap();
    assert!(replayed >= all.len() - 5_000 && replayed < all.len() - 4_990, "{replayed} of {}", all.len());
    assert_eq!((&second["more"], &second["next_from"]), (&json!(false), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_a_server_takes_brings_what_waits() {
    let (world, api, hook, made) = forwarding().await;
    hook.answer(500);
    for n in 0..5 {
        post(&world, &text(n, "ciao")).await;
    }
    world.drain().await;
    let id = &made["webhook"]["id"];
    assert_eq!(api.get(&format!("/api/webhooks/{id}")).await.expect(200)["webhook"]["state"], "down");
    let test = format!("/api/webhooks/{id}/test");
    assert_eq!(api.post(&test, json!({})).await.expect(200)["delivered"], false);
    world.drain().await;
    assert!(hook.taken().is_empty());
    hook.answer(200);
    assert_eq!(api.post(&test, json!({})).await.expect(200)["delivered"], true);
    world.drain().await;
    assert_eq!(hook.taken().len(), 6);
    assert_eq!(api.get(&format!("/api/webhooks/{id}")).await.expect(200)["webhook"]["state"], "active");
}
