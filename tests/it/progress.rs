//! Counts of large campaigns: a request counts little, a worker the rest.

use domain::outcome::Reason;
use domain::recipient::State;
use domain::{CampaignId, ContactId};
use harness::{Api, World};
use messaging::campaigns::progress;
use serde_json::{Value, json};
use store::ledger::RowOutcome;

/// The first recipient of each block fails.
async fn fail_some(world: &World, id: CampaignId, blocks: u64) {
    let failed = |contact| (contact, 1, RowOutcome::Failed { reason: Reason::meta(131_026) });
    let entries: Vec<_> = (0..blocks).map(|block| failed(ContactId((block * 1_000).max(1)))).collect();
    world.store().record(world.tenant(), id, &entries).await.unwrap();
    let blocks: Vec<u64> = (0..blocks).collect();
    world.store().mark_dirty(world.tenant(), id, &blocks).await.unwrap();
}

async fn counts(api: &Api, id: CampaignId) -> Value {
    api.get(&format!("/api/campaigns/{id}")).await.expect(200)["campaign"]["counts"].clone()
}

/// Queries of the table, and the units that they read, when somebody asks.
async fn cost(world: &World, id: CampaignId) -> (u64, f64) {
    world.embedded.reset_capacity();
    progress(&world.services, world.tenant(), id).await.unwrap();
    let capacity = world.embedded.capacity();
    (capacity.actions["Query"].requests, capacity.read_units())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_counts_little_and_a_worker_the_rest() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = world.ledger(30, 2, "").await;
    assert_eq!(counts(&api, id).await["total"], 60, "the planner counted them");
    world.drain().await;
    fail_some(&world, id, 30).await;
    world.clock.advance_ms(5_000);
    let seen = counts(&api, id).await;
    assert_eq!((&seen["failed"], &seen["pending"], &seen["total"]), (&json!(8), &json!(52), &json!(60)));
    let asked = futures::future::join_all((0..20).map(|_| api.get("/api/campaigns/1"))).await;
    assert!(asked.iter().all(|answer| answer.status == 200));
    assert_eq!(world.queued().await, 1, "one job at a time");
    world.drain().await;
    assert_eq!(counts(&api, id).await["failed"], 30);
    assert_eq!(world.queued().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_request_reads_does_not_grow_with_what_changed() {
    let world = World::new().await;
    let (small, large) = (world.ledger(20, 2, "").await, world.ledger(120, 2, "").await);
    world.clock.advance_ms(10_000);
    let (few, many) = (cost(&world, small).await, cost(&world, large).await);
    assert_eq!(few.0, many.0, "queries");
    // A head has some 300 bytes, and a unit reads 4 kB.
    assert!(many.1 - few.1 <= 100.0 / 10.0, "{few:?} {many:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_of_a_small_campaign_are_exact() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = world.ledger(4, 2, "").await;
    for _ in 0..2 {
        fail_some(&world, id, 4).await;
        assert_eq!(counts(&api, id).await["failed"], 4);
        assert_eq!(world.queued().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_that_change_while_they_are_counted_are_counted_again() {
    let world = World::new().await;
    let id = world.ledger(20, 2, "").await;
    progress(&world.services, world.tenant(), id).await.unwrap();
    // The job finds all of them changed, counts them, and finds two changed again.
    messaging::campaigns::count(&world.services, world.tenant(), id, 0, 0, || false).await.unwrap();
    fail_some(&world, id, 2).await;
    // A copy of the job ends.
    messaging::campaigns::count(&world.services, world.tenant(), id, 0, 0, || false).await.unwrap();
    assert_eq!(world.store().uncounted(world.tenant(), id).await.unwrap().len(), 2);
    world.drain().await;
    assert!(world.store().uncounted(world.tenant(), id).await.unwrap().is_empty());
    let counts = world.store().recent_counts(world.tenant(), id).await.unwrap();
    assert_eq!((counts.0.of(State::Failed), counts.1), (2, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_of_jobs_that_died_is_begun_again() {
    let world = World::new().await;
    let id = world.ledger(40, 2, "").await;
    progress(&world.services, world.tenant(), id).await.unwrap();
    world.lose_jobs().await;
    progress(&world.services, world.tenant(), id).await.unwrap();
    assert_eq!(world.queued().await, 0, "it may be alive");
    world.clock.advance_ms(store::recounts::SILENCE_MS);
    progress(&world.services, world.tenant(), id).await.unwrap();
    assert_eq!(world.queued().await, 1);
    world.drain().await;
    assert!(world.store().uncounted(world.tenant(), id).await.unwrap().is_empty());
}
