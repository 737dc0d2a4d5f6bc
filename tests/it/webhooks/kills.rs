//! Workers that are killed anywhere lose no event.

use std::collections::BTreeSet;

use domain::Entropy;
use harness::{Api, Hook, Received, World};
use serde_json::json;

use super::{ids, post, text};

/// Longer than a job is hidden, a claim counts and a lease lasts.
const LATER_MS: i64 = 150_000;

/// Lets the workers work, killed twice after a random number of steps up to `most`,
/// and then to the end; answers how often they were killed.
async fn killed_twice(world: &World, most: u64, chance: &Entropy) -> usize {
    let mut kills = 0;
    for _ in 0..2 {
        let steps = 1 + (chance.fraction() * most as f64) as u64;
        kills += usize::from(world.kill_after(steps, world.drain()).await.is_none());
        world.clock.advance_ms(LATER_MS);
        world.sweep().await;
    }
    world.drain().await;
    kills
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_killed_anywhere_lose_no_event() {
    for (seed, status) in [(1, 200), (2, 200), (3, 503)] {
        let world = World::new().await;
        let (api, hook) = (Api::of(&world).await, Hook::new().await);
        let events = json!(["meta.change", "message.received", "contact.created"]);
        let made = json!({"url": hook.url, "name": "CRM", "events": events});
        api.post("/api/webhooks", made).await.expect(201);
        hook.answer(status);
        let (chance, mut kills) = (Entropy::seeded(seed), 0);
        for wave in 0..6 {
            for n in 0..5 {
                post(&world, &text(wave * 5 + n, "ciao")).await;
            }
            kills += killed_twice(&world, 40, &chance).await;
        }
        assert!(kills >= 6, "only {kills} kills");
        hook.answer(200);
        // An endpoint that was down is probed when its time has come.
        for _ in 0..8 {
            world.clock.advance_ms(21_600_000);
            world.sweep().await;
            killed_twice(&world, 40, &chance).await;
        }
        let taken = hook.taken();
        let unique: BTreeSet<String> = ids(&taken).into_iter().collect();
        let of = |kind: &str| {
            let of_kind = taken.iter().filter(|event| event.header("webhook-event") == kind);
            of_kind.map(|event: &Received| event.header("webhook-id")).collect::<BTreeSet<_>>().len()
        };
        assert_eq!((of("meta.change"), of("message.received"), of("contact.created")), (30, 30, 1));
        assert_eq!(unique.len(), 61);
    }
}
