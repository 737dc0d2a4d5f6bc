//! Workers that are killed amid a catalog or an order.

use harness::{Api, World, phone};

use super::{CATALOG, begin, bread, gone, large, order, ordered, products, progress, shop, stock, synced};

/// Longer than a message of the queue is invisible.
const LATER_MS: i64 = 600_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_anywhere_counts_each_product_once() {
    for kills in [[3, 9], [14, 30], [40, 60], [75, 20]] {
        let world = World::new().await;
        let api = Api::of(&world).await;
        large(&world, 1_500);
        begin(&api).await;
        for steps in kills {
            let ended = world.kill_after(steps, world.drain()).await;
            assert!(ended.is_none(), "it was done before it was killed: {steps}");
            assert_eq!(gone(&api).await, [""; 0]);
            world.clock.advance_ms(LATER_MS);
        }
        world.drain().await;
        let sync = progress(&api).await;
        assert_eq!(sync["state"], "finished", "{sync}");
        assert_eq!((&sync["read"], &sync["created"]), (&1_500.into(), &1_500.into()), "{sync}");
        assert_eq!(products(&api).await.len(), 1_500);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_amid_its_end_marks_just_what_is_gone() {
    for steps in [12, 16, 20, 24] {
        let (world, api) = shop().await;
        large(&world, 400);
        synced(&world, &api).await;
        stock(&world, CATALOG, bread());
        begin(&api).await;
        world.kill_after(steps, world.drain()).await;
        world.clock.advance_ms(LATER_MS);
        world.drain().await;
        let sync = progress(&api).await;
        assert_eq!((&sync["created"], &sync["gone"]), (&3.into(), &400.into()), "{steps}: {sync}");
        assert_eq!(gone(&api).await.len(), 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_killed_anywhere_is_one_order() {
    for steps in 1..16 {
        let (world, api) = shop().await;
        order(&world, &phone(1)[1..], &[("pane", 2)]);
        world.kill_after(steps, world.drain()).await;
        world.clock.advance_ms(LATER_MS);
        world.drain().await;
        let orders = ordered(&api).await;
        assert_eq!(orders.len(), 1, "{steps}");
        assert_eq!(orders[0]["total"], 500);
    }
}
