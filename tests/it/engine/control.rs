//! Cancel, resume and orders to send again.

use domain::campaign::CampaignState;
use domain::recipient::State;
use harness::faults::in_virtual_time;
use harness::{Api, PHONE_NUMBER_ID, Setup, World};
use messaging::campaigns::{Which, cancel, resume};
use serde_json::json;
use store::ledger::Which as Order;

use super::{assert_once, at_80, code, count, launched, seconds};

#[test]
fn everybody_of_a_cancelled_campaign_has_an_end_within_a_minute() {
    for (seed, steps) in [(1, 40), (2, 90), (3, 140), (4, 200)] {
        in_virtual_time(Setup { seed, ..at_80() }, async |world| {
            let id = launched(world, 400).await;
            // The runner ends amid a wave, as a process that is killed.
            let tenant = world.tenant().clone();
            let number = world.number();
            let run = messaging::sending::run(&world.services, World::job(), &tenant, &number, 0, || false);
            world.kill_after(steps, run).await;
            cancel(&world.services, world.tenant(), id).await.unwrap();
            seconds(60).await;
            let counts = world.counts(id).await;
            assert_eq!((count(&counts, "pending"), count(&counts, "claimed")), (0, 0), "{counts:?}");
            assert_once(world);
        });
    }
}

#[test]
fn what_failed_for_thousands_is_put_back_by_a_worker() {
    in_virtual_time(Setup { per_second: 1_000, ..Setup::default() }, async |world| {
        world.fault(code(131_026));
        let id = launched(world, 2_300).await;
        seconds(60).await;
        assert_eq!(world.counts(id).await, [("failed", 2_300)].into());
        world.simulator.clear_faults();
        let requests = world.embedded.capacity().requests();
        let (state, _) = resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
        let asked = world.embedded.capacity().requests() - requests;
        assert!(asked < 20, "{asked} requests of the table while the owner waits");
        assert_eq!(state, CampaignState::Running);
        seconds(120).await;
        assert_eq!(world.counts(id).await, [("delivered", 2_300)].into());
        assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
        assert_once(world);
    });
}

#[test]
fn an_order_to_send_again_survives_a_pause_and_is_carried_out_once() {
    in_virtual_time(at_80(), async |world| {
        world.fault(code(131_026));
        let id = launched(world, 40).await;
        seconds(30).await;
        world.simulator.clear_faults();
        resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
        messaging::campaigns::pause(&world.services, world.tenant(), id).await.unwrap();
        seconds(30).await;
        resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
        seconds(90).await;
        assert_eq!(world.counts(id).await, [("delivered", 40)].into());
        assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
        assert_once(world);
    });
}

#[test]
fn whoever_waits_under_a_head_without_work_is_found() {
    in_virtual_time(at_80(), async |world| {
        let id = launched(world, 30).await;
        seconds(30).await;
        assert_eq!(world.counts(id).await, [("delivered", 30)].into());
        // Somebody is put back, and whoever did it ended before the head said so.
        let (store, tenant) = (world.store(), world.tenant());
        store.put_back(tenant, id, 0, Order::Failed, 1).await.unwrap();
        let mut head = store.head(tenant, id, 0).await.unwrap().unwrap();
        assert!(head.closed);
        let epoch = store.next_epoch(tenant, &world.number()).await.unwrap();
        head = store.adopt_head(tenant, id, head.block, epoch).await.unwrap();
        store.reopen_head(tenant, id, head.block, 1).await.unwrap();
        let stored = store.campaign(tenant, id).await.unwrap().unwrap();
        let (from, to) = (CampaignState::Finished, CampaignState::Running);
        let request = store::campaigns::Transition { from, to, reason: None, watch_at_ms: None };
        store.resume_campaign(tenant, &stored, request, None).await.unwrap();
        let requests = world.embedded.capacity().requests();
        messaging::sending::run(&world.services, World::job(), tenant, &world.number(), 0, || false)
            .await
            .unwrap();
        seconds(60).await;
        assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
        assert!(world.embedded.capacity().requests() - requests < 200);
        let open = world.rows(id).await.into_iter().filter(|row| row.progress.state == State::Pending);
        assert_eq!(open.count(), 0);
    });
}

#[test]
fn a_campaign_that_nobody_can_go_on_with_is_looked_at_less_and_less() {
    in_virtual_time(at_80(), async |world| {
        let id = launched(world, 30).await;
        seconds(30).await;
        // It says that it plans, and nobody does: neither its planner nor the sweep's.
        let (store, tenant) = (world.store(), world.tenant());
        let stored = store.campaign(tenant, id).await.unwrap().unwrap();
        let (from, to) = (CampaignState::Finished, CampaignState::Planning);
        let request = store::campaigns::Transition { from, to, reason: None, watch_at_ms: None };
        store.resume_campaign(tenant, &stored, request, None).await.unwrap();
        let wake = queue::SendJob::Wake { tenant: tenant.to_string(), sender: PHONE_NUMBER_ID.to_owned() };
        world.services.queues.wake(wake, 0, std::time::Duration::ZERO).await.unwrap();
        seconds(300).await;
        let requests = world.embedded.capacity().requests();
        seconds(600).await;
        let a_minute = (world.embedded.capacity().requests() - requests) / 10;
        assert!(a_minute < 100, "{a_minute} requests a minute");
    });
}

#[test]
fn the_sweep_only_wakes() {
    in_virtual_time(at_80(), async |world| {
        let id = launched(world, 1_200).await;
        seconds(2).await;
        cancel(&world.services, world.tenant(), id).await.unwrap();
        seconds(1).await;
        let requests = world.embedded.capacity().requests();
        world.sweep().await;
        let asked = world.embedded.capacity().requests() - requests;
        assert!(asked < 20, "{asked} requests of one sweep");
        seconds(60).await;
        let counts = world.counts(id).await;
        assert_eq!(count(&counts, "pending"), 0, "{counts:?}");
    });
}

/// Stops while it sends: no more than what was under way leaves afterwards.
fn sends_no_more(change: impl AsyncFn(&World, &Api)) {
    in_virtual_time(at_80(), async |world| {
        let id = launched(world, 1_000).await;
        let api = Api::of(world).await;
        seconds(4).await;
        let before = world.simulator.stats().accepted;
        assert!((100..500).contains(&before), "{before}");
        change(world, &api).await;
        seconds(60).await;
        let after = world.simulator.stats().accepted - before;
        assert!(after <= 60, "{after} messages afterwards");
        assert_eq!(world.campaign(id).await.state, CampaignState::Paused);
        let counts = world.counts(id).await;
        assert_eq!(count(&counts, "pending"), 1_000 - before - after, "{counts:?}");
        assert_once(world);
    });
}

#[test]
fn a_number_that_is_taken_from_its_account_sends_no_more() {
    sends_no_more(async |world, api| {
        let path = format!("/api/senders/{}", world.number());
        api.json(http::Method::DELETE, &path, &json!({})).await.expect(200);
    });
}

#[test]
fn a_number_that_is_taken_away_by_a_process_that_ends_then_sends_no_more() {
    in_virtual_time(at_80(), async |world| {
        let id = launched(world, 1_000).await;
        let api = Api::of(world).await;
        seconds(4).await;
        let path = format!("/api/senders/{}", world.number());
        for steps in 1..20 {
            let _gone = world.kill_after(steps, api.json(http::Method::DELETE, &path, &json!({}))).await;
        }
        let before = world.simulator.stats().accepted;
        seconds(60).await;
        assert!(world.simulator.stats().accepted - before <= 60);
        assert_eq!(world.campaign(id).await.state, CampaignState::Paused);
    });
}
