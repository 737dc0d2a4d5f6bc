//! Campaigns against a Meta that throttles, fails and loses answers.

use domain::campaign::CampaignState;
use domain::message::Address;
use harness::{Setup, World, person, phone};
use local::embedded::Chaos;
use messaging::campaigns::resume;
use serde_json::json;
use simulators::graph::FaultRule;

fn code(code: u32) -> FaultRule {
    FaultRule { code: Some(code), ..FaultRule::default() }
}

async fn people(count: usize) -> World {
    let world = World::new().await;
    world.import((0..count).map(person)).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_delays_and_fails_nobody() {
    let world = people(120).await;
    world.fault(FaultRule { share: Some(0.3), ..code(130_429) });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 120)].into());
    let stats = world.simulator.stats();
    assert!(stats.errors["130429"] > 10);
    assert_eq!((stats.accepted, stats.repeated), (120, 0));
    let used = world.store().usage(world.tenant()).await.unwrap();
    assert_eq!(used.messages, 120, "only what was taken is used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_limit_holds_only_its_recipient() {
    let world = people(100).await;
    world.fault(FaultRule { to: Some(phone(3)), next: Some(2), ..code(131_056) });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 100)].into());
    let order: Vec<String> = world.simulator.messages(None, 200).into_iter().map(|m| m.to).collect();
    assert_eq!(order.last().unwrap(), phone(3).trim_start_matches('+'));
    assert_eq!(world.simulator.stats().errors["131056"], 2);
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_is_settled_by_the_status() {
    let world = people(60).await;
    world.fault(FaultRule {
        timeout_after_accept: true,
        hang_ms: Some(30),
        next: Some(10),
        ..FaultRule::default()
    });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 60)].into());
    let stats = world.simulator.stats();
    assert_eq!((stats.accepted, stats.repeated), (60, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_never_taken_stays_unknown_and_is_not_repeated() {
    let world = people(60).await;
    world.fault(FaultRule { drop_before_accept: true, next: Some(4), ..FaultRule::default() });
    world.fault(FaultRule { http_status: Some(500), next: Some(5), ..FaultRule::default() });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 51), ("unknown", 9)].into());
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    assert_eq!(world.simulator.stats().accepted, 51);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_for_good_fails_at_once() {
    let world = people(50).await;
    world.fault(FaultRule { to: Some(phone(1)), ..code(131_047) });
    world.fault(FaultRule { to: Some(phone(2)), ..code(131_026) });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 48), ("failed", 2)].into());
    let reasons = [("meta:131026".to_owned(), 1), ("meta:131047".to_owned(), 1)];
    assert_eq!(world.reasons(id).await, reasons.into());
    let errors = world.simulator.stats().errors;
    assert_eq!((errors["131026"], errors["131047"]), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_temporary_error_is_tried_again() {
    let world = people(80).await;
    world.fault(FaultRule { next: Some(30), ..code(131_000) });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 80)].into());
    assert_eq!(world.simulator.stats().repeated, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_that_does_not_go_away_ends_in_failed() {
    let world = people(5).await;
    world.fault(FaultRule { to: Some(phone(2)), ..code(131_000) });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 4), ("failed", 1)].into());
    assert_eq!(world.simulator.stats().errors["131000"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spam_warning_pauses_the_campaign() {
    let world = people(300).await;
    world.fault(FaultRule { next: Some(1), ..code(131_048) });
    let id = world.launched().await;
    world.drain().await;
    let campaign = world.campaign(id).await;
    assert_eq!(campaign.state, CampaignState::Paused);
    assert_eq!(campaign.reason.as_deref(), Some("WhatsApp answered with meta:131048"));
    let counts = world.counts(id).await;
    assert!(counts["pending"] > 0 && !counts.contains_key("failed"), "{counts:?}");
    resume(&world.services, world.tenant(), id, None).await.unwrap();
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 300)].into());
    assert_eq!((world.simulator.stats().accepted, world.simulator.stats().repeated), (300, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_stops_the_number_until_its_owner_acts() {
    let world = people(300).await;
    world.fault(code(190));
    let id = world.launched().await;
    world.drain().await;
    let campaign = world.campaign(id).await;
    assert_eq!(campaign.state, CampaignState::Paused);
    assert_eq!(campaign.reason.as_deref(), Some("the sender cannot send: WhatsApp answered with meta:190"));
    assert_eq!(world.counts(id).await, [("pending", 300)].into());
    world.simulator.clear_faults();
    resume(&world.services, world.tenant(), id, None).await.unwrap();
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 300)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_who_stopped_marketing_is_opted_out() {
    let world = people(10).await;
    world.fault(FaultRule { to: Some(phone(4)), ..code(131_050) });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.reasons(id).await, [("meta:131050".to_owned(), 1)].into());
    let address = Address::Phone(phone(4).parse().unwrap());
    let out = world.store().opted_out(world.tenant(), std::slice::from_ref(&address)).await.unwrap();
    assert!(out.contains(&address));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statuses_may_come_twice_and_in_any_order() {
    let world = people(300).await;
    world.set(json!({
        "final_status": "read", "duplicate_share": 0.5, "reorder_share": 0.5, "statuses_per_webhook": 7,
    }));
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("read", 300)].into());
    for row in world.rows(id).await {
        let progress = row.progress;
        let times = [progress.accepted_at, progress.sent_at, progress.delivered_at, progress.read_at];
        assert!(times.iter().all(Option::is_some), "{times:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_comes_as_a_status_is_shown() {
    let world = people(50).await;
    world.fault(FaultRule { status_failed: Some(131_026), next: Some(7), ..FaultRule::default() });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 43), ("failed", 7)].into());
    assert_eq!(world.reasons(id).await, [("meta:131026".to_owned(), 7)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_are_delivered_twice_send_once() {
    for (seed, delay) in [(1, false), (2, true), (3, true)] {
        let chaos = Chaos { duplicate: true, delay };
        let world = World::with(Setup { chaos, seed, ..Setup::default() }).await;
        world.import((0..1_200).map(person)).await;
        let id = world.launched().await;
        world.drain().await;
        assert_eq!(world.counts(id).await, [("delivered", 1_200)].into());
        let stats = world.simulator.stats();
        assert_eq!((stats.accepted, stats.repeated, stats.duplicates), (1_200, 0, 0));
    }
}
