//! `credits.low`: the agency is told once for each time.

use harness::{Api, Hook, Received, Setup, World, person};
use serde_json::{Value, json};

use super::{grant, purse, send, shop, with};

/// An endpoint of the agency.
async fn hook(agency: &Api) -> (Hook, String) {
    let hook = Hook::new().await;
    let made = json!({"name": "Ricariche", "url": hook.url, "events": ["credits.low"]});
    let made = agency.post("/api/webhooks", made).await.expect(201);
    (hook, made["webhook"]["secret"].as_str().or(made["secret"].as_str()).unwrap().to_owned())
}

async fn settings(agency: &Api, world: &World, body: Value) {
    let path = format!("/api/subaccounts/{}/settings", world.tenant());
    agency.post(&path, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_once_for_each_crossing() {
    let (world, api, agency) = shop(6).await;
    let (hook, secret) = hook(&agency).await;
    settings(&agency, &world, json!({"recharge_threshold": 5, "recharge_amount": 20})).await;
    send(&api, 1).await.expect(200);
    world.drain().await;
    assert!(hook.taken().is_empty(), "five is not below five");
    for _ in 0..3 {
        send(&api, 1).await.expect(200);
    }
    world.drain().await;
    let told = hook.taken();
    assert_eq!(told.len(), 1);
    assert!(told[0].is_signed_with(&secret));
    let event = told[0].json();
    let data = &event["data"];
    assert_eq!(
        (&event["type"], &data["balance"], &data["threshold"]),
        (&json!("credits.low"), &json!(4), &json!(5))
    );
    assert_eq!((&data["email"], &data["amount"]), (&json!("bottega@example.com"), &json!(20)));
    assert_eq!(data["sub_account_id"], world.tenant().as_str());
    let key = data["idempotency_key"].clone();
    // Too little, then enough, under the key that was told; twice is once.
    grant(&agency, json!(1), json!({})).await.expect(200);
    send(&api, 1).await.expect(200);
    for _ in 0..2 {
        grant(&agency, json!(3), json!({"idempotency_key": key})).await.expect(200);
    }
    assert_eq!(purse(&world).await.balance, 5);
    send(&api, 1).await.expect(200);
    send(&api, 1).await.expect(200);
    world.drain().await;
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    assert_eq!(told.len(), 2);
    assert!(told[1]["data"]["idempotency_key"] != key && told[1]["id"] != told[0]["id"]);
    // What is taken back is never told.
    settings(&agency, &world, json!({"recharge_threshold": 0})).await;
    grant(&agency, json!(10), json!({})).await.expect(200);
    for _ in 0..8 {
        send(&api, 1).await.expect(200);
    }
    world.drain().await;
    assert_eq!(hook.taken().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_debits_at_once_one_crosses() {
    let (world, api, agency) = shop(30).await;
    let (hook, _) = hook(&agency).await;
    settings(&agency, &world, json!({"recharge_threshold": 25})).await;
    let sends = (0..15).map(|n| send(&api, n));
    futures::future::join_all(sends).await;
    world.drain().await;
    assert_eq!((hook.taken().len(), purse(&world).await.balance), (1, 15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_crosses_also_when_its_worker_is_killed() {
    let setup = Setup { per_second: 400, credits: Some(200), ..Setup::default() };
    let (world, _, agency) = with(setup).await;
    let (hook, _) = hook(&agency).await;
    settings(&agency, &world, json!({"recharge_threshold": 150})).await;
    world.import((0..120).map(person)).await;
    let id = world.launched().await;
    for steps in 1..40 {
        let done = world.kill_after(steps, world.drain()).await;
        world.clock.advance_ms(16_000);
        world.sweep().await;
        if done.is_some() && world.campaign(id).await.finished_at.is_some() {
            break;
        }
    }
    world.clock.advance_ms(16_000);
    world.sweep().await;
    world.drain().await;
    let keys: std::collections::BTreeSet<String> =
        hook.taken().iter().map(|told| told.json()["data"]["idempotency_key"].to_string()).collect();
    assert_eq!(keys.len(), 1);
}
