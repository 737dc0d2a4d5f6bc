//! Workers that are killed anywhere: nobody is sent to twice, nobody is lost.

use std::collections::HashSet;

use domain::campaign::CampaignState;
use domain::recipient::State;
use domain::{CampaignId, Entropy};
use harness::{Setup, World, person};
use serde_json::json;

/// Longer than a lease lasts, and than a campaign is left alone.
const LATER_MS: i64 = 16_000;

/// Lets the workers work, killed again and again after a random number of steps
/// up to `most`; answers how often.
async fn killed_often(world: &World, most: u64, seed: u64) -> usize {
    let chance = Entropy::seeded(seed);
    for kill in 0.. {
        let steps = 1 + (chance.fraction() * most as f64) as u64;
        if world.kill_after(steps, world.drain()).await.is_some() {
            return kill;
        }
        world.clock.advance_ms(LATER_MS);
        world.sweep().await;
    }
    unreachable!("the loop has no other end")
}

/// Everybody is in exactly one state, and whom the provider took is not lost.
async fn check(world: &World, id: CampaignId, count: u64) {
    let rows = world.rows(id).await;
    assert_eq!(rows.len() as u64, count);
    let stats = world.simulator.stats();
    assert_eq!((stats.repeated, stats.duplicates), (0, 0), "somebody was sent to twice");
    let taken: HashSet<String> =
        world.simulator.messages(None, usize::MAX).into_iter().map(|m| format!("+{}", m.to)).collect();
    for row in &rows {
        let was_taken = taken.contains(row.address.as_ref().unwrap().as_str());
        let (state, contact) = (row.progress.state, row.contact);
        let want = if was_taken { State::Delivered } else { State::Unknown };
        assert_eq!(state, want, "{contact}, taken: {was_taken}");
    }
    assert_eq!(world.counts(id).await.values().sum::<u64>(), count);
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_killed_anywhere_send_to_nobody_twice() {
    for (seed, most, count) in [(1, 40, 200), (2, 150, 400), (3, 400, 800)] {
        let world = World::with(Setup { seed, per_second: 400, ..Setup::default() }).await;
        world.import((0..count).map(person)).await;
        let id = world.launched().await;
        let kills = killed_often(&world, most, seed).await;
        assert!(kills >= 3, "only {kills} kills");
        let unknown = world.counts(id).await.get("unknown").copied().unwrap_or(0);
        // A kill loses the outcomes of what was claimed: a wave, and what the pace is ahead.
        assert!(unknown <= kills as u64 * 120, "{kills} kills, {unknown} unknown");
        check(&world, id, count as u64).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planner_that_is_killed_anywhere_plans_everybody_once() {
    let world = World::with(Setup { per_second: 1_000, ..Setup::default() }).await;
    world.import((0..2_500).map(person)).await;
    let id = world.launched().await;
    for steps in [1, 2, 5, 9, 30, 45, 60, 80] {
        world.kill_after(steps, world.drain()).await;
        world.clock.advance_ms(25_000);
        world.sweep().await;
    }
    world.drain().await;
    check(&world, id, 2_500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_are_lost_are_made_again_by_the_sweep() {
    let world = World::new().await;
    world.import((0..100).map(person)).await;
    let id = world.launched().await;
    world.lose_jobs().await;
    for _ in 0..3 {
        world.clock.advance_ms(25_000);
        world.sweep().await;
        world.kill_after(40, world.drain()).await;
        world.lose_jobs().await;
    }
    world.clock.advance_ms(25_000);
    world.sweep().await;
    world.drain().await;
    // The statuses of lost webhooks are lost: only who was sent to is compared.
    let accepted = world.simulator.stats();
    assert_eq!((accepted.repeated, accepted.duplicates), (0, 0));
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    assert_eq!(world.rows(id).await.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_was_too_slow_is_fenced() {
    let world = World::with(Setup { per_second: 300, ..Setup::default() }).await;
    world.import((0..400).map(person)).await;
    let id = world.launched().await;
    let usurp = async {
        world.until(|stats| stats.accepted >= 80).await;
        // Its lease runs out while it still sends: another one takes over.
        world.clock.advance_ms(11_000);
        let number = world.number();
        let run =
            messaging::sending::run(&world.services, World::job(), world.tenant(), &number, 0, || false);
        run.await.unwrap()
    };
    let ((), ended) = tokio::join!(world.drain(), usurp);
    world.clock.advance_ms(LATER_MS);
    world.sweep().await;
    world.drain().await;
    assert_ne!(ended, messaging::sending::Ended::Busy);
    check(&world, id, 400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_survive_their_runner() {
    let world = World::with(Setup { per_second: 1_000, ..Setup::default() }).await;
    world.import((0..120).map(person)).await;
    world.set(json!({"final_status": "delivered"}));
    let rule = json!({"code": 131_000, "next": 60});
    world.fault(serde_json::from_value(rule).unwrap());
    let id = world.launched().await;
    killed_often(&world, 60, 9).await;
    check(&world, id, 120).await;
}
