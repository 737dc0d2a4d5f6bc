//! What is said a second time, or too late, changes nothing.

use domain::campaign::CampaignState;
use domain::message::CallbackRef;
use harness::faults::in_virtual_time;
use harness::{APP_SECRET, PHONE_NUMBER_ID, WABA_ID, World, phone, sign, webhook};
use messaging::campaigns::{Which, resume};
use serde_json::json;
use simulators::graph::FaultRule;
use store::ledger::Row;

use super::{assert_once, at_80, code, count, launched, seconds};

/// Meta says again of these recipients what became of their attempts.
async fn said_again(world: &World, id: domain::CampaignId, rows: &[Row], status: &str, code: u32) {
    let statuses: Vec<_> = rows
        .iter()
        .map(|row| {
            let reference = CallbackRef::Campaign(id, row.contact, row.attempt);
            let mut said = json!({
                "id": format!("wamid.{reference}"), "status": status,
                "timestamp": (world.clock.now_ms() / 1_000).to_string(),
                "recipient_id": row.address.as_ref().unwrap().as_str().trim_start_matches('+'),
                "biz_opaque_callback_data": reference.marked(world.tenant()),
            });
            if status == "failed" {
                said["errors"] = json!([{"code": code, "title": "said before"}]);
            }
            said
        })
        .collect();
    let value = json!({"metadata": {"phone_number_id": PHONE_NUMBER_ID}, "statuses": statuses});
    let body = webhook(&[(WABA_ID, vec![json!({"field": "messages", "value": value})])]).to_string();
    world.meta_posts(body.as_bytes(), Some(&sign(APP_SECRET, body.as_bytes()))).await.unwrap();
}

#[test]
fn a_status_that_comes_twice_undoes_no_order_to_send_again() {
    for (refusal, day) in [(131_026, 0), (131_049, 24 * 3_600)] {
        for status in ["failed", "sent"] {
            in_virtual_time(at_80(), async |world| {
                world.fault(FaultRule { status_failed: Some(refusal), ..FaultRule::default() });
                let id = launched(world, 40).await;
                seconds(60).await;
                assert_eq!(world.counts(id).await, [("failed", 40)].into());
                world.simulator.clear_faults();
                let failed = world.rows(id).await;
                resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
                messaging::campaigns::pause(&world.services, world.tenant(), id).await.unwrap();
                seconds(60).await;
                said_again(world, id, &failed, status, refusal).await;
                seconds(10).await;
                assert_eq!(world.counts(id).await, [("pending", 40)].into(), "{refusal} {status}");
                resume(&world.services, world.tenant(), id, None).await.unwrap();
                seconds(day + 120).await;
                assert_eq!(world.counts(id).await, [("delivered", 40)].into());
                assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
            });
        }
    }
}

#[test]
fn whom_the_message_reached_after_all_is_not_sent_to_again() {
    in_virtual_time(at_80(), async |world| {
        world.fault(FaultRule { status_failed: Some(131_049), ..FaultRule::default() });
        let id = launched(world, 10).await;
        seconds(60).await;
        world.simulator.clear_faults();
        let failed = world.rows(id).await;
        resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
        seconds(60).await;
        said_again(world, id, &failed, "delivered", 0).await;
        seconds(25 * 3_600).await;
        assert_eq!(world.counts(id).await, [("delivered", 10)].into());
        assert_eq!(world.simulator.stats().accepted, 10);
        assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    });
}

#[test]
fn a_copy_of_a_status_that_paused_a_campaign_does_not_pause_it_again() {
    for refusal in [131_048, 131_031] {
        in_virtual_time(at_80(), async |world| {
            world.fault(FaultRule { status_failed: Some(refusal), next: Some(1), ..FaultRule::default() });
            let id = launched(world, 400).await;
            seconds(4).await;
            assert_eq!(world.campaign(id).await.state, CampaignState::Paused);
            let rows = world.rows(id).await;
            let failed: Vec<Row> = rows.into_iter().filter(|row| row.progress.failed_at.is_some()).collect();
            assert_eq!(failed.len(), 1);
            resume(&world.services, world.tenant(), id, None).await.unwrap();
            seconds(1).await;
            said_again(world, id, &failed, "failed", refusal).await;
            seconds(30).await;
            assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
            assert_eq!(world.counts(id).await, [("delivered", 399), ("failed", 1)].into());
        });
    }
}

#[test]
fn whoever_may_have_the_message_is_never_called_skipped() {
    in_virtual_time(at_80(), async |world| {
        // Meta takes the first message, and its answer is lost; its statuses come late.
        world.set(json!({"sent_after_ms": 45_000, "delivered_after_ms": 46_000}));
        let hang_ms = Some(1_000);
        world.fault(FaultRule { timeout_after_accept: true, hang_ms, next: Some(1), ..FaultRule::default() });
        let id = launched(world, 20).await;
        seconds(20).await;
        let unknown = count(&world.counts(id).await, "unknown");
        assert_eq!(unknown, 1);
        resume(&world.services, world.tenant(), id, Some(Which::Unknown)).await.unwrap();
        seconds(5).await;
        messaging::campaigns::cancel(&world.services, world.tenant(), id).await.unwrap();
        seconds(10).await;
        assert_eq!(count(&world.counts(id).await, "unknown"), 1, "{:?}", world.counts(id).await);
        seconds(90).await;
        assert_eq!(world.counts(id).await, [("delivered", 20)].into());
        assert_once(world);
    });
}

#[test]
fn whoever_says_stop_and_may_have_the_message_is_unknown() {
    in_virtual_time(at_80(), async |world| {
        world.set(json!({"sent_after_ms": null, "delivered_after_ms": null}));
        let hang_ms = Some(1_000);
        world.fault(FaultRule { timeout_after_accept: true, hang_ms, next: Some(1), ..FaultRule::default() });
        let id = launched(world, 1).await;
        seconds(20).await;
        resume(&world.services, world.tenant(), id, Some(Which::Unknown)).await.unwrap();
        world.writes(&phone(0), "STOP");
        seconds(150).await;
        assert_eq!(world.counts(id).await, [("unknown", 1)].into());
        assert_eq!(world.simulator.stats().accepted, 1);
    });
}

#[test]
fn two_orders_to_send_again_are_both_carried_out_or_refused() {
    in_virtual_time(at_80(), async |world| {
        world.set(json!({"sent_after_ms": null, "delivered_after_ms": null}));
        let hang_ms = Some(1_000);
        world.fault(FaultRule { to: Some(phone(3)), next: Some(1), ..code(131_026) });
        world.fault(FaultRule {
            timeout_after_accept: true,
            hang_ms,
            to: Some(phone(4)),
            next: Some(1),
            ..FaultRule::default()
        });
        let id = launched(world, 10).await;
        seconds(20).await;
        assert_eq!(world.counts(id).await, [("accepted", 8), ("failed", 1), ("unknown", 1)].into());
        let order = async |which| resume(&world.services, world.tenant(), id, Some(which)).await;
        order(Which::Failed).await.unwrap();
        let refused = order(Which::Unknown).await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (ops::Code::Conflict, Some(5)));
        order(Which::Failed).await.expect("the same order is no other");
        seconds(10).await;
        order(Which::Unknown).await.unwrap();
        seconds(150).await;
        assert_eq!(world.counts(id).await, [("accepted", 10)].into());
    });
}
