//! `/v1/verify`: one-time codes.

use futures::future::join_all;
use harness::{Answer, Api, World, phone};
use serde_json::{Value, json};
use simulators::graph::FaultRule;

const SEND: &str = "/v1/verify/send";
const CHECK: &str = "/v1/verify/check";
const MINUTE_MS: i64 = 60_000;

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.template("codice", "AUTHENTICATION", "").await;
    world.clock.advance_ms(MINUTE_MS + 1_000);
    let api = Api::of(&world).await;
    (world, api)
}

async fn send(api: &Api, to: &str) -> Answer {
    api.post_sendapi(SEND, json!({"to": to})).await
}

async fn check(api: &Api, to: &str, code: &str) -> Answer {
    api.post_sendapi(CHECK, json!({"to": to, "code": code})).await
}

/// The code that somebody got last.
fn code(world: &World, to: &str) -> String {
    let message = world.simulator.messages(Some(to), 1).remove(0);
    let components = message.body["template"]["components"].as_array().unwrap().clone();
    let text = |component: &Value| component["parameters"][0]["text"].as_str().unwrap().to_owned();
    let (body, button) = (text(&components[0]), text(&components[1]));
    assert_eq!((body.len(), &body), (6, &button));
    body
}

/// Another code of six digits.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

fn is_right(answer: &Answer) -> bool {
    answer.status == 200 && answer.json()["data"]["valid"] == true
}

#[tokio::test]
async fn the_right_code_is_right_once() {
    let (world, api) = world().await;
    let to = phone(1);
    let sent = send(&api, &to).await.expect(200)["data"].clone();
    assert_eq!(
        (&sent["to"], &sent["channel"], &sent["status"]),
        (&json!(to), &json!("whatsapp"), &json!("pending"))
    );
    let code = code(&world, &to);
    let answer = check(&api, &to, &wrong(&code)).await.expect(200);
    assert_eq!(answer["data"], json!({"to": to, "valid": false, "status": "pending", "attempts_left": 4}));
    assert!(is_right(&check(&api, &to, &code).await));
    assert_eq!(check(&api, &to, &code).await.expect(404)["error"]["code"], "not_found");
    assert_eq!(check(&api, &phone(2), &code).await.expect(404)["error"]["field"], "to");
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let (world, api) = world().await;
    for (later, want) in [(10 * MINUTE_MS - 5_000, 200), (10 * MINUTE_MS, 404)] {
        send(&api, &phone(1)).await.expect(200);
        world.clock.advance_ms(later);
        let answer = check(&api, &phone(1), &code(&world, &phone(1))).await;
        assert_eq!(answer.status, want);
    }
}

#[tokio::test]
async fn five_tries_and_another_code_does_not_give_more() {
    let (world, api) = world().await;
    let to = phone(1);
    send(&api, &to).await.expect(200);
    for left in [4, 3, 2] {
        let answer = check(&api, &to, &wrong(&code(&world, &to))).await.expect(200);
        assert_eq!(answer["data"]["attempts_left"], left);
    }
    let before = code(&world, &to);
    send(&api, &to).await.expect(200);
    let after = code(&world, &to);
    assert_ne!(before, after, "the seed draws two");
    assert_eq!(check(&api, &to, &before).await.expect(200)["data"]["attempts_left"], 1);
    assert_eq!(check(&api, &to, &wrong(&after)).await.expect(200)["data"]["attempts_left"], 0);
    let refused = check(&api, &to, &after).await;
    assert_eq!(refused.expect(429)["error"]["code"], "sending_limited");
    assert!(refused.headers.contains_key("retry-after"));
    send(&api, &to).await.expect(429);
    world.clock.advance_ms(10 * MINUTE_MS);
    send(&api, &to).await.expect(200);
    assert!(is_right(&check(&api, &to, &code(&world, &to)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_have_the_code_one_is_right() {
    let (world, api) = world().await;
    for n in 1..6 {
        send(&api, &phone(n)).await.expect(200);
        let code = code(&world, &phone(n));
        let (to, typed) = (phone(n), wrong(&code));
        let right = join_all((0..4).map(|_| check(&api, &to, &code))).await;
        assert_eq!(right.iter().filter(|answer| is_right(answer)).count(), 1, "{right:?}");
        // Of many wrong ones no more than five are looked at.
        world.clock.advance_ms(11 * MINUTE_MS);
        send(&api, &phone(n)).await.expect(200);
        let tries = join_all((0..12).map(|_| check(&api, &to, &typed))).await;
        assert!(tries.iter().filter(|answer| answer.status == 200).count() <= 5, "{tries:?}");
    }
}

#[tokio::test]
async fn a_number_gets_five_codes_in_ten_minutes() {
    let (world, api) = world().await;
    for _ in 0..5 {
        send(&api, &phone(1)).await.expect(200);
    }
    let refused = send(&api, &phone(1)).await;
    assert_eq!(refused.expect(429)["error"]["code"], "sending_limited");
    assert_eq!(world.simulator.messages(Some(&phone(1)), usize::MAX).len(), 5);
    world.clock.advance_ms(10 * MINUTE_MS);
    send(&api, &phone(1)).await.expect(200);
}

#[tokio::test]
async fn a_range_that_never_repeats_a_code_gets_no_more() {
    let (world, api) = world().await;
    for n in 0..10 {
        send(&api, &phone(n)).await.expect(200);
    }
    send(&api, &phone(10)).await.expect(429);
    // One who repeats it makes room for another.
    assert!(is_right(&check(&api, &phone(3), &code(&world, &phone(3))).await));
    send(&api, &phone(11)).await.expect(200);
    send(&api, &phone(12)).await.expect(429);
    // Other ranges, and other customers, are not concerned.
    send(&api, "+447400123456").await.expect(200);
    world.clock.advance_ms(60 * MINUTE_MS);
    send(&api, &phone(12)).await.expect(200);
}

#[tokio::test]
async fn what_is_asked_for_again_or_not_sent_makes_no_range_suspicious() {
    let (world, api) = world().await;
    // Each asks twice, and types the second one in.
    for n in 0..12 {
        send(&api, &phone(n)).await.expect(200);
        send(&api, &phone(n)).await.expect(200);
        assert!(is_right(&check(&api, &phone(n), &code(&world, &phone(n))).await));
    }
    world.fault(FaultRule { code: Some(131_026), next: Some(12), ..FaultRule::default() });
    for n in 20..32 {
        assert_eq!(send(&api, &phone(n)).await.expect(422)["error"]["error_code"], 131_026);
    }
    send(&api, &phone(40)).await.expect(200);
}

#[tokio::test]
async fn an_end_user_gets_ten_codes_in_an_hour() {
    let (_world, api) = world().await;
    let from = async |n: usize, ip: &str| {
        let to = format!("+4474001{n:02}456");
        api.post_sendapi(SEND, json!({"to": to, "ip": ip})).await.status.as_u16()
    };
    for n in 0..10 {
        assert_eq!(from(n, "192.0.2.7").await, 200, "{n}");
    }
    assert_eq!(from(10, "192.0.2.7").await, 429);
    assert_eq!(from(10, "192.0.2.8").await, 200);
}

#[tokio::test]
async fn a_code_is_nowhere_to_be_read() {
    let (world, api) = world().await;
    let sent = send(&api, &phone(1)).await.expect(200);
    let code = code(&world, &phone(1));
    world.drain().await;
    let id = sent["data"]["id"].as_str().unwrap();
    let shown = api.sendapi(&format!("/v1/whatsapp/messages/{id}")).await.expect(200);
    assert_eq!(
        (&shown["data"]["content"], &shown["data"]["status"]),
        (&json!("codice"), &json!("delivered"))
    );
    let stored =
        world.store().message(world.tenant(), world.account.id, id.parse().unwrap()).await.unwrap().unwrap();
    assert!(!stored.content.contains(&code), "{}", stored.content);
    assert!(!sent.to_string().contains(&code));
}

#[tokio::test]
async fn the_same_key_sends_one_code() {
    let (world, api) = world().await;
    let ask = json!({"to": phone(1), "idempotency_key": "k-1"});
    let first = api.post_sendapi(SEND, ask.clone()).await.expect(200);
    assert_eq!(api.post_sendapi(SEND, ask).await.expect(200), first);
    assert_eq!(world.simulator.messages(Some(&phone(1)), usize::MAX).len(), 1);
    assert!(is_right(&check(&api, &phone(1), &code(&world, &phone(1))).await));
    let other = json!({"to": phone(2), "idempotency_key": "k-1"});
    assert_eq!(api.post_sendapi(SEND, other).await.expect(409)["error"]["code"], "conflict");
}

#[tokio::test]
async fn an_answer_that_was_lost_leaves_a_code_that_is_right() {
    let (world, api) = world().await;
    world.fault(FaultRule { timeout_after_accept: true, next: Some(1), ..FaultRule::default() });
    send(&api, &phone(1)).await.expect(504);
    assert!(is_right(&check(&api, &phone(1), &code(&world, &phone(1))).await));
}

#[tokio::test]
async fn whoever_opted_out_gets_codes() {
    let (world, api) = world().await;
    world.writes(&phone(1), "STOP");
    world.drain().await;
    send(&api, &phone(1)).await.expect(200);
}

#[tokio::test]
async fn another_customer_knows_nothing_of_a_code() {
    let (world, api) = world().await;
    send(&api, &phone(1)).await.expect(200);
    let other = api.of_another_tenant().await;
    let code = code(&world, &phone(1));
    assert_eq!(check(&other, &phone(1), &code).await.status, 404);
    assert_eq!(send(&other, &phone(1)).await.expect(422)["error"]["code"], "no_device");
    assert!(is_right(&check(&api, &phone(1), &code).await));
}

#[tokio::test]
async fn dear_numbers_get_no_codes() {
    let (world, api) = world().await;
    for dear in ["+39899123456", "+19002345678", "+447012345678", "+881612345678"] {
        assert_eq!(send(&api, dear).await.expect(422)["error"]["field"], "to", "{dear}");
    }
    assert!(world.simulator.messages(None, usize::MAX).is_empty());
}
