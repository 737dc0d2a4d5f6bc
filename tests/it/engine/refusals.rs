//! What a refusal is about, and what follows for the campaign.

use domain::campaign::CampaignState;
use harness::faults::in_virtual_time;
use harness::{Api, Setup, phone};
use messaging::campaigns::{Which, resume};
use simulators::graph::{FaultRule, FaultTarget};

use super::{assert_once, at_80, code, count, launched, seconds};

#[test]
fn five_identical_refusals_about_the_campaign_pause_it() {
    for refusal in [132_001, 132_000, 133_010, 131_037] {
        in_virtual_time(at_80(), async |world| {
            world.fault(code(refusal));
            let id = launched(world, 300).await;
            seconds(60).await;
            let campaign = world.campaign(id).await;
            assert_eq!(campaign.state, CampaignState::Paused);
            assert!(campaign.reason.unwrap().contains(&refusal.to_string()));
            assert_eq!(world.counts(id).await, [("failed", 5), ("pending", 295)].into());
            world.simulator.clear_faults();
            resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
            seconds(60).await;
            assert_eq!(world.counts(id).await, [("delivered", 300)].into());
            assert_once(world);
        });
    }
}

#[test]
fn refusals_that_name_nobody_pause_the_campaign_whatever_they_are() {
    let envelope = |refusal: u32, subcode: Option<u32>| FaultRule { subcode, ..code(refusal) };
    let bare = |status: u16| FaultRule { http_status: Some(status), ..FaultRule::default() };
    for rule in [
        envelope(100, Some(33)),
        envelope(131_009, None),
        envelope(135_000, None),
        envelope(33, None),
        envelope(133_016, None),
        bare(404),
        bare(400),
    ] {
        in_virtual_time(at_80(), async |world| {
            world.fault(rule.clone());
            let id = launched(world, 120).await;
            seconds(60).await;
            assert_eq!(world.campaign(id).await.state, CampaignState::Paused, "{rule:?}");
            assert_eq!(world.counts(id).await, [("failed", 5), ("pending", 115)].into(), "{rule:?}");
        });
    }
}

#[test]
fn a_file_that_nobody_can_be_sent_pauses_the_campaign() {
    in_virtual_time(at_80(), async |world| {
        world.fault(code(131_053));
        let id = launched(world, 120).await;
        seconds(300).await;
        assert_eq!(world.campaign(id).await.state, CampaignState::Paused);
        assert_eq!(world.counts(id).await, [("failed", 5), ("pending", 115)].into());
    });
}

#[test]
fn who_is_refused_in_between_says_nothing_of_the_campaign() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { every: Some(2), ..code(131_026) });
        world.fault(code(132_001));
        let id = launched(world, 100).await;
        seconds(60).await;
        assert_eq!(world.campaign(id).await.state, CampaignState::Paused);
        let counts = world.counts(id).await;
        assert!(count(&counts, "failed") < 15, "{counts:?}");
    });
}

#[test]
fn some_bad_parameters_among_many_pause_nothing() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { every: Some(3), ..code(131_009) });
        let id = launched(world, 90).await;
        seconds(60).await;
        assert_eq!(world.counts(id).await, [("delivered", 60), ("failed", 30)].into());
    });
}

#[test]
fn refusals_about_the_campaign_that_alternate_are_one_fact() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { every: Some(2), ..code(132_000) });
        world.fault(code(132_001));
        let id = launched(world, 100).await;
        seconds(60).await;
        assert_eq!(world.campaign(id).await.state, CampaignState::Paused);
        assert_eq!(world.counts(id).await, [("failed", 5), ("pending", 95)].into());
    });
}

#[test]
fn refusals_about_people_pause_nothing() {
    in_virtual_time(at_80(), async |world| {
        world.fault(code(131_026));
        let id = launched(world, 100).await;
        seconds(60).await;
        assert_eq!(world.counts(id).await, [("failed", 100)].into());
        assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    });
}

#[test]
fn who_reached_metas_cap_is_not_sent_to_before_a_day_has_passed() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { to: Some(phone(2)), next: Some(1), ..code(131_049) });
        world.fault(FaultRule { to: Some(phone(3)), next: Some(1), ..code(131_026) });
        let id = launched(world, 10).await;
        seconds(30).await;
        assert_eq!(world.counts(id).await, [("delivered", 8), ("failed", 2)].into());
        resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
        seconds(60).await;
        assert_eq!(world.counts(id).await, [("delivered", 9), ("pending", 1)].into());
        let waiting = world.rows(id).await.into_iter().find(|row| row.retry_at.is_some()).unwrap();
        let refused_at = world.clock.now_ms() - 100_000;
        assert!(waiting.retry_at.unwrap() > refused_at + 23 * 3_600_000);
        let requests = world.embedded.capacity().requests();
        seconds(23 * 3_600).await;
        assert_eq!(count(&world.counts(id).await, "pending"), 1);
        let a_minute = (world.embedded.capacity().requests() - requests) / (23 * 60);
        assert!(a_minute < 60, "{a_minute} requests a minute while nothing is to be done");
        seconds(2 * 3_600).await;
        assert_eq!(world.counts(id).await, [("delivered", 10)].into());
        assert_once(world);
    });
}

#[test]
fn a_start_that_is_throttled_is_tried_again() {
    for refusal in [4, 130_429] {
        in_virtual_time(at_80(), async |world| {
            world.import((0..5).map(harness::person)).await;
            world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
            let mut draft = world.template_draft("avviso");
            draft.scheduled_at = Some("2026-07-01T08:05:00Z".to_owned());
            let (campaign, _) = world.draft_of(draft).await.unwrap();
            seconds(290).await;
            world.fault(FaultRule { on: FaultTarget::Templates, ..code(refusal) });
            seconds(200).await;
            assert_eq!(world.campaign(campaign.id).await.state, CampaignState::Scheduled);
            world.simulator.clear_faults();
            seconds(130).await;
            assert_eq!(world.campaign(campaign.id).await.state, CampaignState::Finished);
            assert_eq!(world.counts(campaign.id).await, [("delivered", 5)].into());
        });
    }
}

#[test]
fn a_contact_that_is_deleted_while_its_campaign_is_paused_is_erased_and_skipped() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { next: Some(1), ..code(80_007) });
        let id = launched(world, 20).await;
        seconds(3).await;
        messaging::campaigns::pause(&world.services, world.tenant(), id).await.unwrap();
        let api = Api::of(world).await;
        let gone = world.rows(id).await.into_iter().find(|row| row.retry_at.is_some()).unwrap();
        let phone = gone.address.unwrap().as_str().to_owned();
        let path = format!("/api/contacts/{}", gone.contact);
        api.json(http::Method::DELETE, &path, &serde_json::json!({})).await.expect(200);
        seconds(150).await;
        let row = world.store().row(world.tenant(), id, gone.contact).await.unwrap().unwrap();
        assert_eq!((row.address, row.params.len()), (None, 0));
        resume(&world.services, world.tenant(), id, None).await.unwrap();
        seconds(120).await;
        assert_eq!(world.counts(id).await, [("delivered", 19), ("skipped", 1)].into());
        assert_eq!(world.reasons(id).await, [("contact_deleted".to_owned(), 1)].into());
        let sent = world.simulator.messages(Some(phone.trim_start_matches('+')), 10);
        assert!(sent.is_empty());
    });
}

#[test]
fn what_is_heard_of_somebody_after_they_were_erased_keeps_no_id_of_the_provider() {
    let slow = serde_json::json!({"sent_after_ms": 30_000, "delivered_after_ms": 30_000});
    in_virtual_time(Setup { simulator: slow, ..at_80() }, async |world| {
        let id = launched(world, 3).await;
        seconds(10).await;
        let api = Api::of(world).await;
        let rows = world.rows(id).await;
        assert!(rows.iter().all(|row| row.progress.provider_id.is_some()), "{rows:?}");
        let gone = rows[0].contact;
        let path = format!("/api/contacts/{gone}");
        api.json(http::Method::DELETE, &path, &serde_json::json!({})).await.expect(200);
        seconds(120).await;
        assert_eq!(world.counts(id).await, [("delivered", 3)].into());
        let row = world.store().row(world.tenant(), id, gone).await.unwrap().unwrap();
        assert_eq!((row.address, row.progress.provider_id), (None, None));
    });
}
