//! Campaigns: waves are paid with their claims, and wait where there is too little.

use domain::campaign::CampaignState;
use domain::plan::Plan;
use domain::{CampaignId, Entropy};
use harness::{Setup, World, person, phone};
use serde_json::json;
use simulators::graph::FaultRule;
use store::due::Watched;

use super::{cost_of, grant, history, purse, shop, sum, with};

/// Longer than a lease lasts, and than a campaign is left alone.
const LATER_MS: i64 = 16_000;

async fn state(world: &World, id: CampaignId) -> (CampaignState, String) {
    let campaign = world.campaign(id).await;
    (campaign.state, campaign.reason.unwrap_or_default())
}

/// What was granted is there, or was paid for what may have been sent.
async fn is_right(world: &World, id: CampaignId) {
    let purse = purse(world).await;
    assert_eq!(purse.balance, purse.granted - cost_of(world, id).await, "{purse:?}");
    let spending = world.store().campaign_spending(world.tenant(), id).await.unwrap();
    assert_eq!((spending.debited, spending.refunded), (purse.debited, purse.refunded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_pays_the_price_of_its_launch() {
    let (world, api, agency) = shop(1_000).await;
    agency.post("/api/subaccounts/prices", json!({"prices": {"whatsapp": {"utility": 3}}})).await.expect(200);
    world.import((0..120).map(person)).await;
    let id = world.launched().await;
    agency.post("/api/subaccounts/prices", json!({"prices": {"default": 900}})).await.expect(200);
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 120)].into());
    assert_eq!(purse(&world).await.balance, 1_000 - 360);
    is_right(&world, id).await;
    let told = history(&api, "/api/credits/history", 50).await;
    assert_eq!(
        (&told[0]["campaign_id"], &told[0]["amount"], &told[0]["messages"]),
        (&json!(1), &json!(-360), &json!(120))
    );
    assert_eq!(sum(&told), 640);
    assert_eq!(api.get("/api/account").await.expect(200)["usage"]["messages"], 120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_waits_for_credits_and_goes_on_by_itself() {
    let (world, api, agency) = shop(13).await;
    agency.post("/api/subaccounts/prices", json!({"prices": {"default": 2}})).await.expect(200);
    world.import((0..20).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    let (paused, reason) = state(&world, id).await;
    assert!(
        paused == CampaignState::Paused && reason.starts_with("insufficient_credits: 1 "),
        "{paused:?} {reason}"
    );
    assert_eq!((purse(&world).await.balance, world.simulator.stats().accepted), (1, 6));
    let shown = api.get(&format!("/api/campaigns/{id}")).await.expect(200);
    assert_eq!(
        (&shown["campaign"]["state"], &shown["campaign"]["counts"]["pending"]),
        (&json!("paused"), &json!(14))
    );
    // A little more, then less than one, then all that it takes.
    for (amount, accepted) in [(4, 8), (1, 9), (1, 9), (100, 20)] {
        grant(&agency, json!(amount), json!({})).await.expect(200);
        world.drain().await;
        assert_eq!(world.simulator.stats().accepted, accepted, "{amount}");
        is_right(&world, id).await;
    }
    assert_eq!(state(&world, id).await.0, CampaignState::Finished);
    assert_eq!(world.simulator.stats().duplicates, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_whose_job_is_lost_is_found_by_the_sweep() {
    let (world, _, agency) = shop(0).await;
    world.import((0..5).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(state(&world, id).await.0, CampaignState::Paused);
    grant(&agency, json!(5), json!({})).await.expect(200);
    world.lose_jobs().await;
    world.clock.advance_ms(60_000);
    world.sweep().await;
    world.drain().await;
    assert_eq!(state(&world, id).await.0, CampaignState::Finished);
    assert_eq!(purse(&world).await.balance, 0);
    // Nothing is left to be looked at.
    world.clock.advance_ms(60_000);
    let due = world.store().due(10).await.unwrap();
    assert!(due.iter().all(|due| due.what != Watched::Credits), "{due:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_owner_paused_or_cancelled_no_grant_starts() {
    let (world, api, agency) = shop(0).await;
    world.import((0..5).map(person)).await;
    let first = world.launched().await;
    world.drain().await;
    let second = world.draft("avviso").await;
    world.launch(second).await;
    world.drain().await;
    api.post(&format!("/api/campaigns/{first}/cancel"), json!({})).await.expect(200);
    // Resumed without credits it waits again; paused by its owner it waits for them.
    api.post(&format!("/api/campaigns/{second}/resume"), json!({})).await.expect(200);
    api.post(&format!("/api/campaigns/{second}/pause"), json!({})).await.expect(200);
    grant(&agency, json!(50), json!({})).await.expect(200);
    world.drain().await;
    assert_eq!(state(&world, first).await.0, CampaignState::Cancelled);
    assert_eq!(state(&world, second).await, (CampaignState::Paused, "paused by its owner".to_owned()));
    assert_eq!(purse(&world).await.balance, 50);
    api.post(&format!("/api/campaigns/{second}/resume"), json!({})).await.expect(200);
    world.drain().await;
    assert_eq!((state(&world, second).await.0, purse(&world).await.balance), (CampaignState::Finished, 45));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_sent_to_is_paid_back() {
    let (world, _, _) = shop(100).await;
    world.import((0..30).map(person)).await;
    world.fault(FaultRule { code: Some(131_026), to: Some(phone(3)), ..FaultRule::default() });
    world.fault(FaultRule { code: Some(131_000), to: Some(phone(4)), next: Some(2), ..FaultRule::default() });
    world.fault(FaultRule { code: Some(130_429), to: Some(phone(5)), next: Some(1), ..FaultRule::default() });
    // Taken, and said to have failed later.
    world.set(json!({"final_status": "delivered"}));
    let id = world.launched().await;
    world.writes(&phone(7), "STOP");
    world.drain().await;
    for _ in 0..8 {
        world.clock.advance_ms(LATER_MS);
        world.sweep().await;
        world.drain().await;
    }
    is_right(&world, id).await;
    let purse = purse(&world).await;
    assert!(purse.refunded >= 3, "{purse:?}");
    let counts = world.counts(id).await;
    assert_eq!(purse.balance, 100 - counts["delivered"], "{counts:?}");
    // What failed is sent again: another attempt, another payment.
    world.simulator.clear_faults();
    messaging::campaigns::resume(
        &world.services,
        world.tenant(),
        id,
        Some(messaging::campaigns::Which::Failed),
    )
    .await
    .unwrap();
    world.drain().await;
    is_right(&world, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_the_sum_is_right() {
    for (seed, most, count) in [(1, 40, 80), (2, 50, 120), (3, 60, 160)] {
        let setup = Setup { seed, per_second: 400, credits: Some(60), ..Setup::default() };
        let (world, _, agency) = with(setup).await;
        world.import((0..count).map(person)).await;
        world.fault(FaultRule { code: Some(131_000), next: Some(20), ..FaultRule::default() });
        world.fault(FaultRule { code: Some(131_026), to: Some(phone(9)), ..FaultRule::default() });
        let id = world.launched().await;
        let chance = Entropy::seeded(seed);
        let mut kills = 0;
        loop {
            let steps = 1 + (chance.fraction() * most as f64) as u64;
            let done = world.kill_after(steps, world.drain()).await.is_some();
            kills += usize::from(!done);
            let purse = purse(&world).await;
            assert!(purse.balance <= purse.granted);
            let state = state(&world, id).await.0;
            if done && state == CampaignState::Finished {
                break;
            }
            if state == CampaignState::Paused {
                grant(&agency, json!(70), json!({})).await.expect(200);
            }
            world.clock.advance_ms(LATER_MS);
            world.sweep().await;
            assert!(kills < 400, "it does not end: {:?}", world.campaign(id).await);
        }
        is_right(&world, id).await;
        assert!(kills >= 2, "only {kills} kills");
        let stats = world.simulator.stats();
        assert_eq!((stats.repeated, stats.duplicates), (0, 0), "somebody was sent to twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_was_too_slow_pays_nothing_twice() {
    let setup = Setup { per_second: 300, credits: Some(1_000), ..Setup::default() };
    let (world, _, _) = with(setup).await;
    world.import((0..400).map(person)).await;
    let id = world.launched().await;
    let usurp = async {
        world.until(|stats| stats.accepted >= 80).await;
        world.clock.advance_ms(11_000);
        let number = world.number();
        let run =
            messaging::sending::run(&world.services, World::job(), world.tenant(), &number, 0, || false);
        run.await.unwrap()
    };
    tokio::join!(world.drain(), usurp);
    world.clock.advance_ms(LATER_MS);
    world.sweep().await;
    world.drain().await;
    assert_eq!(state(&world, id).await.0, CampaignState::Finished);
    is_right(&world, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_campaign_pays_for_what_left() {
    let setup = Setup { per_second: 50, credits: Some(1_000), ..Setup::default() };
    let (world, api, _) = with(setup).await;
    world.import((0..200).map(person)).await;
    let id = world.launched().await;
    let stop = async {
        world.until(|stats| stats.accepted >= 20).await;
        api.post(&format!("/api/campaigns/{id}/cancel"), json!({})).await.expect(200);
    };
    tokio::join!(world.drain(), stop);
    for _ in 0..3 {
        world.clock.advance_ms(30_000);
        world.sweep().await;
        world.drain().await;
    }
    assert_eq!(state(&world, id).await.0, CampaignState::Cancelled);
    is_right(&world, id).await;
    assert!(purse(&world).await.balance > 700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sub_account_that_is_switched_off_sends_no_campaign() {
    let setup = Setup { per_second: 50, credits: Some(1_000), ..Setup::default() };
    let (world, _, agency) = with(setup).await;
    world.import((0..150).map(person)).await;
    let id = world.launched().await;
    let path = |what: &str| format!("/api/subaccounts/{}/{what}", world.tenant());
    let stop = async {
        world.until(|stats| stats.accepted >= 10).await;
        agency.post(&path("disable"), json!({})).await.expect(200);
    };
    tokio::join!(world.drain(), stop);
    let (paused, reason) = state(&world, id).await;
    assert!(
        paused == CampaignState::Paused && reason.starts_with("account_disabled:"),
        "{paused:?} {reason}"
    );
    is_right(&world, id).await;
    agency.post(&path("enable"), json!({})).await.expect(200);
    world.drain().await;
    assert_eq!((state(&world, id).await.0, purse(&world).await.balance), (CampaignState::Finished, 850));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plans_day_holds_for_campaigns_that_pay() {
    let plan = Plan { messages_per_day: Some(7), ..Plan::default() };
    let (world, _, _) = with(Setup { plan, credits: Some(100), ..Setup::default() }).await;
    world.import((0..20).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    let (paused, reason) = state(&world, id).await;
    assert!(paused == CampaignState::Paused && reason.starts_with("plan_limit"), "{paused:?} {reason}");
    assert_eq!((purse(&world).await.balance, world.simulator.stats().accepted), (93, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credits_take_little_of_a_campaign() {
    let spent = async |setup: Setup| {
        let world = World::with(setup).await;
        world.set(json!({"delivered_after_ms": null, "statuses_per_webhook": 100, "flush_after_ms": 20}));
        world.import((0..1_000).map(person)).await;
        world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
        let id = world.draft("avviso").await;
        world.embedded.reset_capacity();
        world.launch(id).await;
        world.drain().await;
        assert_eq!(world.counts(id).await, [("sent", 1_000)].into());
        world.embedded.capacity().write_units() / 1_000.0
    };
    let free = spent(Setup::default()).await;
    let paid = spent(Setup { credits: Some(1_000), ..Setup::default() }).await;
    assert!(paid - free <= 0.2, "{paid} {free}");
}
