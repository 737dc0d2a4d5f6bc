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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_several_accounts_is_split_and_loses_meta_s_signature() {
    let (world, _, hook, made) = forwarding().await;
    let other = webhook(&[
        (WABA_ID, vec![text_change(PHONE_NUMBER_ID, "393330000001", "wamid.1", "mio")]),
        ("999", vec![text_change("998", "393330000002", "wamid.2", "altrui")]),
    ]);
    post(&world, &other).await;
    world.drain().await;
    let received = hook.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("x-hub-signature-256"), "");
    assert!(received[0].is_signed_with(made["secret"].as_str().unwrap()));
    let own = received[0].json();
    assert_eq!((own["entry"].as_array().unwrap().len(), &own["entry"][0]["id"]), (1, &json!(WABA_ID)));
    assert!(!String::from_utf8_lossy(&received[0].body).contains("altrui"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_no_queue_takes_arrives_whole() {
    let (world, api, hook, made) = forwarding().await;
    let changes = (0..300).map(|n| {
        text_change(PHONE_NUMBER_ID, "393330000001", &format!("wamid.{n}"), &"lungo ".repeat(1_500))
    });
    let bytes = post(&world, &webhook(&[(WABA_ID, changes.collect())])).await;
    assert!(bytes.len() > 2_700_000, "{}", bytes.len());
    world.drain().await;
    assert_eq!(hook.received().len(), 1);
    assert_eq!(hook.received()[0].body, bytes);
    let id = &made["webhook"]["id"];
    let shown = api.get(&format!("/api/webhooks/{id}/deliveries/1")).await.expect(200);
    assert_eq!(shown["body"].as_str().unwrap().len(), bytes.len());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_tells_at_once_what_the_endpoint_answers() {
    let (_world, api, hook, made) = forwarding().await;
    let test = format!("/api/webhooks/{}/test", made["webhook"]["id"]);
    let tested = api.post(&test, json!({})).await.expect(200);
    assert_eq!((&tested["delivered"], &tested["attempt"]["status"]), (&json!(true), &json!(200)));
    let body = hook.received()[0].json();
    assert_eq!((&body["type"], &body["sequence"]), (&json!("webhook.test"), &json!(1)));
    hook.answer(418);
    let tested = api.post(&test, json!({})).await.expect(200);
    assert_eq!((&tested["delivered"], &tested["attempt"]["status"]), (&json!(false), &json!(418)));
    assert_eq!(tested["attempt"]["answer"], "the receiver's answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_secrets_sign_for_a_day_after_a_rotation() {
    let (world, api, hook, made) = forwarding().await;
    let old = made["secret"].as_str().unwrap();
    let rotated = format!("/api/webhooks/{}/rotate_secret", made["webhook"]["id"]);
    let new = api.post(&rotated, json!({})).await.expect(200)["secret"].as_str().unwrap().to_owned();
    post(&world, &text(1, "ciao")).await;
    world.drain().await;
    world.clock.advance_ms(DAY_MS);
    post(&world, &text(2, "ciao")).await;
    world.drain().await;
    let received = hook.received();
    assert!(received[0].is_signed_with(old) && received[0].is_signed_with(&new));
    assert!(!received[1].is_signed_with(old) && received[1].is_signed_with(&new));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_that_lead_inside_are_refused_with_the_reason() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    for (url, why) in [
        ("http://example.com/hook", "https"),
        ("https://user:pass@example.com/", "user name"),
        ("https://0x7f000002/", "loopback"),
        ("https://[::ffff:10.0.0.1]/", "carries an ipv4 address"),
        ("https://169.254.169.254/latest", "link-local"),
        ("https://example.com:22/", "port"),
        ("ftp://example.com/", "http"),
        ("https://printer.local/", "public host name"),
        ("not a url", "spaces"),
    ] {
        let answer = api.post("/api/webhooks", json!({"url": url, "name": "x"})).await;
        let body = answer.expect(422);
        assert_eq!(body["field"], "url", "{body}");
        assert!(body["message"].as_str().unwrap().contains(why), "{url}: {body}");
        let workflow = json!({"apiToken": api.key, "workflowName": "x", "targetUrl": url}).to_string();
        let path = "/api/v1/webhook/workflow/create";
        let body = api.raw(http::Method::POST, path, "application/json", workflow).await.expect(200);
        assert_eq!((&body["status"], &body["error"]["field"]), (&json!("0"), &json!("targetUrl")), "{body}");
    }
    let answer = api.get("/api/webhooks").await.expect(200);
    assert_eq!(answer["webhooks"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_s_registrations_replace_and_remove() {
    let (world, api, hook, made) = forwarding().await;
    let second = Hook::new().await;
    let path = "/api/whatsapp-meta/set_webhook";
    let replaced = api.post_as_documented(path, json!({"url": second.url})).await.expect(200);
    assert_eq!(replaced["webhook"]["id"], made["webhook"]["id"]);
    assert_eq!(replaced["secret"], Value::Null, "a replaced one keeps its secret");
    post(&world, &text(1, "ciao")).await;
    world.drain().await;
    assert_eq!((hook.received().len(), second.received().len()), (0, 1));
    for removed in [true, false] {
        let body = json!({"apikey": api.key, "token": api.token});
        let answer = api.json(http::Method::DELETE, path, &body).await.expect(200);
        assert_eq!((&answer["status"], &answer["removed"]), (&json!("success"), &json!(removed)));
    }
    post(&world, &text(2, "ciao")).await;
    world.drain().await;
    assert_eq!(second.received().len(), 1);
    assert_eq!(api.post("/api/sms/set_webhook", json!({"token": api.token})).await.field(422), "url");
    let sms = api.post_as_documented("/api/sms/set_webhook", json!({"url": hook.url})).await.expect(200);
    let names = ["sms_received", "device.disconnected", "device.reconnected", "device.deleted"];
    assert_eq!(sms["webhook"]["events"], json!(names));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenant_s_endpoints_are_not_there() {
    let (_world, api, _, made) = forwarding().await;
    let other = api.of_another_tenant().await;
    let id = &made["webhook"]["id"];
    assert_eq!(other.get("/api/webhooks").await.expect(200)["webhooks"], json!([]));
    for (path, body) in [
        ("", json!({"name": "x"})),
        ("/replay", json!({"delivery_id": 1})),
        ("/test", json!({})),
        ("/rotate_secret", json!({})),
    ] {
        assert_eq!(other.post(&format!("/api/webhooks/{id}{path}"), body).await.field(404), "id");
    }
    assert_eq!(other.get(&format!("/api/webhooks/{id}/deliveries")).await.field(404), "id");
    let token = json!({"token": api.token, "url": "https://example.com/"});
    assert_eq!(other.post("/api/whatsapp-meta/set_webhook", token).await.field(404), "token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_told_also_when_the_request_broke_off() {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let made = json!({"url": hook.url, "name": "CRM", "events": ["contact.created", "contact.updated"]});
    api.post("/api/webhooks", made).await.expect(201);
    let new = json!({"name": "Ada", "phone": "+393331112222", "tags": ["vip"]});
    api.post("/api/contacts", new.clone()).await.expect(201);
    api.post("/api/contacts", new).await.expect(201);
    api.post("/api/contacts", json!({"phone": "+393331112222", "tags": ["oro"]})).await.expect(201);
    let rows: Vec<Value> = (0..30).map(|n| json!({"phone": format!("+3933311133{n:02}")})).collect();
    api.post("/api/contacts/bulk", json!({"contacts": rows})).await.expect(200);
    world.drain().await;
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let count = |kind: &str| told.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((count("contact.created"), count("contact.updated")), (31, 1));
    let ada = told.iter().find(|event| event["contact_id"] == 1 && event["type"] == "contact.created");
    assert_eq!(ada.unwrap()["data"]["tags"], json!(["vip"]));
    let entry = world.store().entry(
        world.tenant(),
        store::outbox::Facts::Contacts(vec![
            store::outbox::ContactChange::new(domain::ContactId(1), 2, false),
            store::outbox::ContactChange::new(domain::ContactId(2), 9, false),
        ]),
    );
    world.store().note(&entry).await.unwrap();
    world.clock.advance_ms(15_000);
    world.sweep().await;
    world.drain().await;
    // The first was told before under the same id; the second never came about.
    assert_eq!(hook.taken().len(), 32);
    let fresh = store::outbox::Facts::Contacts(vec![store::outbox::ContactChange::new(
        domain::ContactId(2),
        1,
        false,
    )]);
    world.store().note(&world.store().entry(world.tenant(), fresh)).await.unwrap();
    world.clock.advance_ms(15_000);
    world.sweep().await;
    world.drain().await;
    assert_eq!(hook.taken().len(), 33);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn campaigns_statuses_and_consent_are_told() {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let workflow = json!({"apiToken": api.key, "workflowName": "Tutto", "targetUrl": hook.url}).to_string();
    let path = "/api/v1/webhook/workflow/create";
    let made = api.raw(http::Method::POST, path, "application/json", workflow).await.expect(200);
    assert_eq!(made["status"], "1");
    world.import((0..3).map(harness::person)).await;
    let id = world.launched().await;
    world.drain().await;
    world.writes(&harness::phone(1), "STOP");
    world.writes(&harness::phone(1), "START");
    world.drain().await;
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let of = |kind: &str| told.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    assert_eq!(of("contact.created").len(), 3);
    assert_eq!(of("campaign.finished").len(), 1);
    assert_eq!(of("campaign.finished")[0]["data"]["campaign_id"], id.0);
    assert_eq!(of("message.status").len(), 6, "sent and delivered, each");
    assert_eq!(of("message.status")[0]["data"]["campaign_id"], id.0);
    assert_eq!((of("contact.opted_out").len(), of("contact.opted_in").len()), (1, 1));
    assert_eq!(of("message.received").len(), 2);
    for event in &told {
        for field in
            ["sequence", "id", "schema", "timestamp", "account_id", "channel", "contact_id", "message_id"]
        {
            assert!(event.get(field).is_some(), "{field}: {event}");
        }
    }
}
