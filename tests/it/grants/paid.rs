//! The tour of what is paid with credits.

use harness::{Api, Hook, Setup, WABA_ID, World, person, phone};
use serde_json::json;
use simulators::graph::FaultRule;

use super::commerce::CATALOG;
use super::{control, drafted, launched, post, template};

/// Single messages that are paid, and fail.
async fn paid_messages(world: &World, api: &Api, hook: &Hook) {
    world.fault(FaultRule { status_failed: Some(131_026), next: Some(1), ..FaultRule::default() });
    let text = json!({"number": phone(1), "type": "freetext", "message": "Ciao"});
    post(api, "/api/whatsapp-meta/send", text).await;
    world.drain().await;
    post(api, "/api/channels", json!({"name": "LiveChat", "url": hook.url})).await;
    let chat = json!({"fromId": "c-1", "customChannel": "LiveChat", "body": "Ciao", "firstName": "Jane"});
    let sent = post(api, "/v1/send_custom_channel_message", json!({"customData": chat})).await;
    let failed = json!({"messageSid": sent["id"], "fromId": "c-1", "toId": "x", "customChannel": "LiveChat",
                        "status": "failed"});
    post(api, "/v1/incoming_custom_channel_message", json!({"customData": failed})).await;
}

/// A customer who is told how far an order is.
async fn paid_order(world: &World, api: &Api) {
    let catalog =
        json!({"id": CATALOG, "waba_id": WABA_ID, "products": [{"retailer_id": "pane", "price": 2}]});
    world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
    let items = json!([{"product_retailer_id": "pane"}]);
    let order = json!({"from": phone(1), "catalog_id": CATALOG, "items": items});
    world.simulator.order(serde_json::from_value(order).unwrap()).unwrap();
    world.drain().await;
    let orders = api.get("/api/orders").await.expect(200);
    let path = format!("/api/orders/{}", orders["orders"][0]["id"].as_str().unwrap());
    post(api, &path, json!({"status": "shipped", "notify": true})).await;
}

/// A campaign for a list that finds too little, twice: its owner lets it go on, and then a grant.
async fn paid_campaigns(world: &World, api: &Api, agency: &Api) {
    world.import((0..8).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    let list = post(api, "/api/lists", json!({"name": "Tutti"})).await["list"]["id"].clone();
    let ids: Vec<u64> = (1..=9).collect();
    post(api, &format!("/api/lists/{list}/contacts"), json!({"contactIds": ids})).await;
    let mut draft = template();
    draft["recipient_type"] = json!("lists");
    draft["lists"] = json!([list]);
    let campaign = launched(api, &draft).await;
    world.drain().await;
    control(api, campaign, "resume", json!({})).await;
    world.drain().await;
    draft["scheduled_at"] = json!("2026-07-01T10:00:00Z");
    drafted(api, &draft).await;
    let grant = json!({"email": "bottega@example.com", "amount": 50, "idempotency_key": "k-1"});
    post(agency, "/v1/subaccounts/credits", grant).await;
    world.drain().await;
    world.clock.advance_ms(3 * 60 * 60 * 1_000);
    world.sweep().await;
    world.drain().await;
}

/// A sub-account that pays with credits: messages and campaigns, what fails of them, and what
/// waits for more.
pub(super) async fn credits() -> World {
    let setup = Setup { any_number: true, credits: Some(4), ..Setup::default() };
    let world = World::with(setup).await;
    let (api, agency, hook) = (Api::of(&world).await, Api::of_agency(&world).await, Hook::new().await);
    world.set(json!({"enforce_window": false}));
    assert!(agency.post("/api/webhooks", json!({"name": "crm", "url": hook.url})).await.status.is_success());
    let sub = format!("/api/subaccounts/{}", world.tenant());
    post(&agency, &format!("{sub}/settings"), json!({"recharge_threshold": 3})).await;
    post(&agency, "/api/subaccounts/prices", json!({"prices": {"default": 1}})).await;
    Box::pin(paid_messages(&world, &api, &hook)).await;
    Box::pin(paid_order(&world, &api)).await;
    Box::pin(paid_campaigns(&world, &api, &agency)).await;
    api.get("/api/credits/history").await.expect(200);
    for what in ["disable", "enable"] {
        post(&agency, &format!("{sub}/{what}"), json!({})).await;
    }
    world
}
