use harness::{Api, Hook, Received, World};
use serde_json::{Value, json};

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
