//! While a number is held.

use domain::campaign::CampaignState;
use harness::faults::in_virtual_time;
use harness::{Api, Setup, phone};
use messaging::campaigns::{cancel, pause, resume};
use simulators::graph::FaultRule;

use super::{assert_once, at_80, code, count, launched, seconds};

#[test]
fn nothing_leaves_after_a_cancellation_during_a_hold() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { next: Some(1), ..code(80_007) });
        let id = launched(world, 50).await;
        seconds(4).await;
        cancel(&world.services, world.tenant(), id).await.unwrap();
        let accepted = world.simulator.stats().accepted;
        seconds(180).await;
        assert_eq!(world.simulator.stats().accepted, accepted, "something left after the cancellation");
        let counts = world.counts(id).await;
        assert_eq!(count(&counts, "skipped") + count(&counts, "delivered"), 50, "{counts:?}");
    });
}

#[test]
fn nothing_leaves_after_a_pause_during_a_hold() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { next: Some(1), ..code(80_007) });
        let id = launched(world, 50).await;
        seconds(4).await;
        pause(&world.services, world.tenant(), id).await.unwrap();
        let accepted = world.simulator.stats().accepted;
        seconds(180).await;
        assert_eq!(world.simulator.stats().accepted, accepted);
        resume(&world.services, world.tenant(), id, None).await.unwrap();
        seconds(60).await;
        assert_eq!(world.counts(id).await, [("delivered", 50)].into());
        assert_once(world);
    });
}

#[test]
fn whoever_writes_stop_during_a_hold_gets_nothing() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { next: Some(1), ..code(131_057) });
        let id = launched(world, 50).await;
        seconds(3).await;
        let mut waiting = world.rows(id).await.into_iter().filter(|row| row.retry_at.is_some());
        let stopping = waiting.next_back().expect("nobody waits").address.unwrap();
        world.writes(stopping.as_str().trim_start_matches('+'), "STOP");
        seconds(60).await;
        let counts = world.counts(id).await;
        assert_eq!(counts, [("delivered", 49), ("skipped", 1)].into());
        assert_eq!(world.reasons(id).await, [("opted_out".to_owned(), 1)].into());
    });
}

#[test]
fn a_hold_outlives_the_process_that_was_told_of_it() {
    for seed in 1..4 {
        in_virtual_time(Setup { seed, ..at_80() }, async |world| {
            world.fault(FaultRule { next: Some(1), retry_after: Some(120), ..code(130_429) });
            let id = launched(world, 60).await;
            seconds(2).await;
            let calls = world.simulator.stats().calls;
            seconds(110).await;
            assert_eq!(world.simulator.stats().calls, calls, "the number is held");
            assert_eq!(count(&world.counts(id).await, "unknown"), 0);
            seconds(60).await;
            assert_eq!(world.counts(id).await, [("delivered", 60)].into());
            assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
            assert_once(world);
        });
    }
}

#[test]
fn another_launch_does_not_end_a_hold() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { next: Some(1), retry_after: Some(100), ..code(80_007) });
        let first = launched(world, 20).await;
        seconds(10).await;
        let second = world.draft("avviso").await;
        world.launch(second).await;
        let calls = world.simulator.stats().calls;
        seconds(80).await;
        let stats = world.simulator.stats();
        assert!(stats.accepted == 0 && stats.calls <= calls + 2, "{stats:?}");
        seconds(90).await;
        for id in [first, second] {
            assert_eq!(world.counts(id).await, [("delivered", 20)].into());
        }
    });
}

#[test]
fn throttling_uses_up_no_attempt() {
    in_virtual_time(at_80(), async |world| {
        for (throttle, times) in [(130_429, 5), (131_056, 7), (131_057, 5)] {
            let to = Some(phone(3));
            world.fault(FaultRule { to, next: Some(times), ..code(throttle) });
        }
        world.fault(FaultRule { to: Some(phone(3)), next: Some(4), ..code(131_000) });
        let id = launched(world, 5).await;
        seconds(4_000).await;
        assert_eq!(world.counts(id).await, [("delivered", 5)].into());
        assert_once(world);
    });
}

#[test]
fn a_hold_is_shown_and_a_number_that_is_connected_again_starts_clean() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { next: Some(1), ..code(80_007) });
        let id = launched(world, 50).await;
        let api = Api::of(world).await;
        let held = async || {
            let shown = api.get(&format!("/api/campaigns/{id}")).await.expect(200);
            shown["campaign"]["held_until"].as_str().map(str::to_owned)
        };
        seconds(15).await;
        assert!(held().await.is_some_and(|until| until.starts_with("2026-07-01T08:01:0")));
        let next = world.draft("avviso").await;
        let flight =
            api.post(&format!("/api/campaigns/{next}/preflight"), serde_json::json!({})).await.expect(200);
        let problems = flight["preflight"]["problems"].to_string();
        assert!(problems.contains("is held until 2026-07-01T08:01:0"), "{problems}");
        world.store().sender_changed(world.tenant(), &world.number()).await.unwrap();
        assert_eq!(held().await, None);
        seconds(180).await;
        assert_eq!(world.counts(id).await, [("delivered", 50)].into());
    });
}
