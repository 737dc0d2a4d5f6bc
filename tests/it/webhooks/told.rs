//! Which events are told, and how often.

use domain::{AccountId, ContactId};
use harness::{APP_SECRET, Api, Hook, Received, WABA_ID, World, sign, webhook};
use ops::events::{DeviceChange, DeviceFact, OutgoingEvent, SmsFact, device_changed, sms_received};
use serde_json::{Value, json};
use simulators::graph::FaultRule;
use store::outbox::{ContactChange, Facts};

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
    let changed = |id, version| [ContactChange::new(ContactId(id), version, false)];
    let (store, tenant) = (world.store(), world.tenant());
    let old = [changed(1, 2), changed(2, 9)].concat();
    let _left_behind = store.write_note(store.note(tenant, [Facts::Contacts(old)])).await.unwrap();
    world.clock.advance_ms(15_000);
    world.sweep().await;
    world.drain().await;
    // The first was told before under the same id; the second never came about.
    assert_eq!(hook.taken().len(), 32);
    let fresh = Facts::Contacts(changed(2, 1).to_vec());
    let _left_behind = store.write_note(store.note(tenant, [fresh])).await.unwrap();
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
    for word in ["STOP", "START"] {
        world.writes(&harness::phone(1), word);
        world.drain().await;
    }
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let of = |kind: &str| told.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    assert_eq!(of("contact.created").len(), 3);
    assert_eq!(of("campaign.finished").len(), 1);
    assert_eq!(of("campaign.finished")[0]["data"]["campaign_id"], id.0);
    assert_eq!(of("message.status").len(), 6, "sent and delivered, each");
    assert_eq!(of("message.status")[0]["data"]["campaign_id"], id.0);
    assert_eq!((of("contact.opted_out").len(), of("contact.opted_in").len()), (1, 1));
    let who = &of("contact.opted_out")[0]["contact_id"];
    assert!(who.is_u64() && &of("contact.opted_in")[0]["contact_id"] == who, "{who}");
    assert_eq!(of("message.received").len(), 2);
    // Lifted by its owner, of which only a masked address is kept.
    let added = api.post("/api/suppressions", json!({"number": harness::phone(2)})).await.expect(200);
    let id = json!({"id": added["suppressions"][0]["id"]});
    api.json(http::Method::DELETE, "/api/suppressions", &id).await.expect(200);
    world.drain().await;
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let lifted = told.iter().rfind(|event| event["type"] == "contact.opted_in").unwrap();
    assert!(lifted["contact_id"].is_u64() && lifted["contact_id"] != *who, "{lifted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_meta_decides_on_a_template_is_told_once_each_time() {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    world.drain().await;
    let wanted = json!({"url": hook.url, "events": ["template.status_changed"]});
    api.post("/api/webhooks", wanted).await.expect(201);
    // Paused twice, with an approval between; the first is posted twice.
    for (time, status, reason) in [
        (1_782_900_000, "PAUSED", "NONE"),
        (1_782_900_000, "PAUSED", "NONE"),
        (1_782_910_000, "APPROVED", "NONE"),
        (1_782_920_000, "PAUSED", "LOW_QUALITY"),
    ] {
        let value = json!({"event": status, "message_template_id": 594425479261596_u64, "reason": reason,
            "message_template_name": "avviso", "message_template_language": "it"});
        let change = json!({"field": "message_template_status_update", "value": value});
        let mut body = webhook(&[(WABA_ID, vec![change])]);
        body["entry"][0]["time"] = json!(time);
        let body = body.to_string();
        world.meta_posts(body.as_bytes(), Some(&sign(APP_SECRET, body.as_bytes()))).await.unwrap();
        world.drain().await;
    }
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let shown = |event: &Value| json!([event["timestamp"], event["data"]["status"], event["data"]["reason"]]);
    let shown: Vec<Value> = told.iter().map(shown).collect();
    let want = [
        json!(["2026-07-01T10:00:00Z", "PAUSED", null]),
        json!(["2026-07-01T12:46:40Z", "APPROVED", null]),
        json!(["2026-07-01T15:33:20Z", "PAUSED", "LOW_QUALITY"]),
    ];
    assert_eq!(shown, want);
    // As the simulator of Meta posts it.
    world.simulator.decide_template("avviso", "DISABLED", None);
    world.drain().await;
    let last = hook.taken().last().unwrap().json();
    assert_eq!((&last["data"]["name"], &last["data"]["status"]), (&json!("avviso"), &json!("DISABLED")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_on_phones_is_told_to_whom_sms_concern() {
    let world = World::new().await;
    let (api, phones, crm, meta) =
        (Api::of(&world).await, Hook::new().await, Hook::new().await, Hook::new().await);
    api.post_as_documented("/api/sms/set_webhook", json!({"url": phones.url})).await.expect(200);
    api.post_as_documented("/api/whatsapp-meta/set_webhook", json!({"url": meta.url})).await.expect(200);
    api.post("/api/webhooks", json!({"url": crm.url, "events": ["sms_received"]})).await.expect(201);
    let (tenant, account, at_ms) = (world.tenant(), world.account.id, world.clock.now_ms());
    let text = SmsFact {
        account,
        device: "fake-device",
        fingerprint: "1f",
        message: "01J",
        contact: None,
        from: "+393330000001",
        text: "ciao",
        sim: Some(2),
        received_ms: at_ms,
    };
    let device = |change| {
        let (device, name, reason) = ("fake-device", "Banco", "heartbeat_missed");
        device_changed(tenant, &DeviceFact { change, account, device, name, reason, at_ms })
    };
    let elsewhere = SmsFact { account: AccountId(99), device: "other-device", ..text };
    let events = [
        sms_received(tenant, &text),
        // A phone posts the same text twice.
        sms_received(tenant, &text),
        device(DeviceChange::Disconnected),
        device(DeviceChange::Reconnected { offline_seconds: 60 }),
        device(DeviceChange::Deleted),
        sms_received(tenant, &elsewhere),
    ];
    let publisher = world.publisher();
    let job = publisher.caused_by(World::job(), tenant).await.unwrap();
    job.publish(events.iter().map(OutgoingEvent::from)).await.unwrap();
    world.drain().await;
    let kinds = |hook: &Hook| {
        let taken = hook.taken();
        let mut kinds: Vec<String> = taken.iter().map(|r| r.header("webhook-event").to_owned()).collect();
        kinds.sort();
        kinds
    };
    let all = ["device.deleted", "device.disconnected", "device.reconnected", "sms_received"];
    assert_eq!(kinds(&phones), all);
    assert_eq!(kinds(&crm), ["sms_received", "sms_received"], "of every account");
    assert!(meta.received().is_empty());
    let read = phones.taken().iter().map(Received::json).find(|e| e["type"] == "sms_received").unwrap();
    assert_eq!((&read["data"]["from"], &read["channel"]), (&json!("+393330000001"), &json!("sms")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_that_is_refused_is_told_like_any_other_failure() {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    api.post("/api/webhooks", json!({"url": hook.url, "events": ["message.status"]})).await.expect(201);
    world.set(json!({"enforce_window": false}));
    world.fault(FaultRule { code: Some(131_026), next: Some(1), ..FaultRule::default() });
    let body = json!({"number": harness::phone(1), "type": "freetext", "message": "Ciao"});
    let refused = api.post_as_documented("/api/whatsapp-meta/send", body).await.json();
    world.drain().await;
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["message_id"], &refused["status"]), (&refused["id"], &json!("error")));
    assert_eq!(
        (&told[0]["data"]["status"], &told[0]["data"]["error_code"]),
        (&json!("failed"), &json!(131026))
    );
}
