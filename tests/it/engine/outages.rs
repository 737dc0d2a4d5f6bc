//! While the provider does not answer.

use domain::campaign::CampaignState;
use harness::Setup;
use harness::faults::in_virtual_time;
use messaging::campaigns::{Which, resume};
use simulators::graph::FaultRule;

use super::{assert_once, at_80, count, launched, seconds};

/// Meta is away for `away` seconds; answers how many are unknown in the end, of `people`.
async fn outage(world: &harness::World, rule: FaultRule, away: u64, people: u64) -> u64 {
    world.import((0..usize::try_from(people).unwrap()).map(harness::person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let id = world.draft("avviso").await;
    world.launch(id).await;
    seconds(3).await;
    world.fault(rule);
    seconds(away).await;
    world.simulator.clear_faults();
    seconds(people / 15 + 2 * away + 30).await;
    let counts = world.counts(id).await;
    let unknown = count(&counts, "unknown");
    assert_eq!(count(&counts, "delivered"), people - unknown, "{counts:?}");
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    resume(&world.services, world.tenant(), id, Some(Which::Unknown)).await.unwrap();
    seconds(120).await;
    assert_eq!(world.counts(id).await, [("delivered", people)].into());
    assert_once(world);
    unknown
}

#[test]
fn an_outage_without_an_envelope_leaves_few_unknown() {
    in_virtual_time(at_80(), async |world| {
        let rule = FaultRule { http_status: Some(502), ..FaultRule::default() };
        let unknown = outage(world, rule, 20, 600).await;
        assert!((1..=10).contains(&unknown), "{unknown}");
    });
}

#[test]
fn connections_that_are_dropped_leave_few_unknown() {
    in_virtual_time(at_80(), async |world| {
        let rule = FaultRule { drop_before_accept: true, ..FaultRule::default() };
        let unknown = outage(world, rule, 20, 600).await;
        assert!((1..=10).contains(&unknown), "{unknown}");
    });
}

#[test]
fn a_provider_that_is_silent_leaves_less_than_a_wave_unknown() {
    for per_second in [20, 80, 100] {
        in_virtual_time(Setup { per_second, ..at_80() }, async |world| {
            let hang_ms = Some(15_000);
            let rule = FaultRule { drop_before_accept: true, hang_ms, ..FaultRule::default() };
            let unknown = outage(world, rule, 40, 900).await;
            assert!((1..50).contains(&unknown), "{unknown} at {per_second}");
        });
    }
}

#[test]
fn an_outage_that_calls_itself_one_fails_nobody() {
    in_virtual_time(at_80(), async |world| {
        let rule = FaultRule { code: Some(131_016), ..FaultRule::default() };
        world.import((0..300).map(harness::person)).await;
        let id = world.launched().await;
        seconds(1).await;
        world.fault(rule);
        seconds(120).await;
        world.simulator.clear_faults();
        seconds(400).await;
        let counts = world.counts(id).await;
        assert!(count(&counts, "failed") <= 1, "{counts:?}");
        assert_eq!(count(&counts, "delivered") + count(&counts, "failed"), 300);
    });
}

#[test]
fn one_unclear_answer_among_many_holds_nobody_up() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { http_status: Some(502), every: Some(40), ..FaultRule::default() });
        let id = launched(world, 400).await;
        seconds(10).await;
        assert_eq!(world.counts(id).await, [("delivered", 390), ("unknown", 10)].into());
    });
}

#[test]
fn a_provider_that_fails_now_and_then_leaves_few_unknown() {
    let bare = FaultRule { http_status: Some(502), ..FaultRule::default() };
    let dropped = FaultRule { drop_before_accept: true, ..FaultRule::default() };
    for rule in [
        FaultRule { every: Some(2), ..bare.clone() },
        FaultRule { every: Some(2), ..dropped },
        FaultRule { every: Some(3), ..bare.clone() },
        FaultRule { share: Some(0.3), ..bare },
    ] {
        in_virtual_time(at_80(), async |world| {
            let id = launched(world, 600).await;
            seconds(1).await;
            world.fault(rule.clone());
            seconds(240).await;
            let counts = world.counts(id).await;
            let unknown = count(&counts, "unknown");
            assert!((1..50).contains(&unknown), "{counts:?} by {rule:?}");
            assert!(count(&counts, "pending") > 300, "{counts:?} by {rule:?}");
            world.simulator.clear_faults();
            seconds(360).await;
            let counts = world.counts(id).await;
            assert_eq!(count(&counts, "pending"), 0, "{counts:?}");
            assert_eq!(count(&counts, "failed"), 0, "{counts:?}");
            assert_once(world);
        });
    }
}
