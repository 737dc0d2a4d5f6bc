//! People whose number changes while a campaign waits: it follows them, and what they say there.

use harness::{APP_SECRET, PHONE_NUMBER_ID, WABA_ID, World, sign, webhook};
use messaging::campaigns::{pause, resume};
use serde_json::json;
use store::ledger::Row;

use super::*;
use harness::faults::in_virtual_time;

/// A campaign to 20 that is paused while some wait, with those.
async fn held(world: &World) -> (CampaignId, Vec<Row>) {
    world.fault(FaultRule { next: Some(1), ..code(80_007) });
    let id = launched(world, 20).await;
    seconds(3).await;
    pause(&world.services, world.tenant(), id).await.unwrap();
    let waiting: Vec<Row> = world.rows(id).await.into_iter().filter(|row| row.retry_at.is_some()).collect();
    assert!(waiting.len() >= 3, "{}", waiting.len());
    (id, waiting)
}

fn digits(row: &Row) -> String {
    row.address.as_ref().unwrap().as_str().trim_start_matches('+').to_owned()
}

/// Meta says that somebody has another number from now on.
async fn moves(world: &World, from: &str, to: &str) {
    let at = (world.clock.now_ms() / 1_000).to_string();
    let system = json!({"body": "moved", "wa_id": to, "type": "user_changed_number"});
    let notice = json!({"from": from, "id": format!("wamid.moved.{from}"), "timestamp": at, "type": "system", "system": system});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": PHONE_NUMBER_ID}, "messages": [notice]});
    let body = webhook(&[(WABA_ID, vec![json!({"field": "messages", "value": value})])]);
    let bytes = body.to_string().into_bytes();
    world.meta_posts(&bytes, Some(&sign(APP_SECRET, &bytes))).await.unwrap();
    seconds(3).await;
}

fn sent_to(world: &World, number: &str) -> usize {
    world.simulator.messages(Some(number), 10).len()
}

#[test]
fn a_campaign_follows_who_moved_and_heeds_what_they_say_there() {
    in_virtual_time(at_80(), async |world| {
        let (id, waiting) = held(world).await;
        let (follows, stops) = (digits(&waiting[0]), digits(&waiting[1]));
        moves(world, &follows, "393489990001").await;
        moves(world, &stops, "393489990002").await;
        world.writes("393489990002", "STOP");
        seconds(5).await;
        resume(&world.services, world.tenant(), id, None).await.unwrap();
        seconds(200).await;
        assert_eq!(world.counts(id).await, [("delivered", 19), ("skipped", 1)].into());
        assert_eq!(world.reasons(id).await, [("opted_out".to_owned(), 1)].into());
        let sent = [&follows, "393489990001", &stops, "393489990002"].map(|number| sent_to(world, number));
        assert_eq!(sent, [0, 1, 0, 0]);
        let row = world.store().row(world.tenant(), id, waiting[0].contact).await.unwrap().unwrap();
        assert_eq!(row.address.unwrap().as_str(), "+393489990001", "the report says where it went");
        let known = world.store().contact(world.tenant(), waiting[0].contact).await.unwrap().unwrap();
        assert_eq!(known.identities().len(), 2, "the number that was given up is not theirs again");
    });
}

#[test]
fn whoever_becomes_another_recipient_gets_one_message() {
    in_virtual_time(at_80(), async |world| {
        let (id, waiting) = held(world).await;
        let (one, other) = (digits(&waiting[0]), digits(&waiting[1]));
        moves(world, &one, &other).await;
        resume(&world.services, world.tenant(), id, None).await.unwrap();
        seconds(200).await;
        assert_eq!(world.counts(id).await, [("delivered", 19), ("skipped", 1)].into());
        assert_eq!(world.reasons(id).await, [("duplicate".to_owned(), 1)].into());
        assert_eq!((sent_to(world, &one), sent_to(world, &other)), (0, 1));
    });
}

#[test]
fn whoever_becomes_somebody_known_before_is_reached_there() {
    in_virtual_time(at_80(), async |world| {
        world.import([harness::row("", "prima@example.com", "Prima")]).await;
        let (id, waiting) = held(world).await;
        let moving = waiting.iter().find(|row| row.address.is_some()).map(digits).unwrap();
        world.import([harness::row("+393489990003", "prima@example.com", "Prima")]).await;
        moves(world, &moving, "393489990003").await;
        resume(&world.services, world.tenant(), id, None).await.unwrap();
        seconds(200).await;
        assert_eq!(world.counts(id).await, [("delivered", 20), ("skipped", 1)].into());
        assert_eq!(world.reasons(id).await, [("no_address".to_owned(), 1)].into());
        assert_eq!((sent_to(world, &moving), sent_to(world, "393489990003")), (0, 1));
    });
}
