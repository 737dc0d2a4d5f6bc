//! `/api/v1/whatsapp/message/delivery-status`

use harness::{Api, PHONE_NUMBER_ID, World, person, phone};
use serde_json::{Value, json};
use simulators::graph::FaultRule;

const PATH: &str = "/api/v1/whatsapp/message/delivery-status";

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    let api = Api::of(&world).await;
    (world, api)
}

async fn send(api: &Api) -> Value {
    let body =
        json!({"apiToken": api.key, "phoneNumberId": PHONE_NUMBER_ID, "to": phone(1), "message": "Ciao"});
    api.post("/api/v1/whatsapp/send-text-message", body).await.expect(200)
}

async fn status(api: &Api, query: &str) -> Value {
    let body = api.sendwo(PATH, query).await.expect(200);
    assert_eq!(body["status"], "1", "{body}");
    body["message"].clone()
}

#[tokio::test]
async fn a_message_is_delivered_when_whatsapp_says_so() {
    let (world, api) = world().await;
    let sent = send(&api).await;
    let (wamid, id) = (sent["wa_message_id"].as_str().unwrap(), sent["id"].as_str().unwrap());
    let before = status(&api, &format!("messageId={wamid}")).await;
    assert_eq!((&before["status"], &before["delivered_at"]), (&json!("accepted"), &Value::Null));
    world.drain().await;
    for query in [
        format!("messageId={wamid}"),
        format!("message_id={id}"),
        format!("wa_message_id={id}"),
        format!("whatsapp_message_id=m:{id}"),
    ] {
        let after = status(&api, &query).await;
        assert_eq!((&after["status"], &after["id"]), (&json!("delivered"), &sent["id"]), "{query}");
        assert!(after["sent_at"].is_string() && after["delivered_at"].is_string());
    }
}

#[tokio::test]
async fn a_refused_message_has_the_providers_code() {
    let (world, api) = world().await;
    world.fault(FaultRule { code: Some(131_026), next: Some(1), ..FaultRule::default() });
    let refused = send(&api).await;
    assert_eq!(refused["status"], "0");
    let message = status(&api, &format!("messageId={}", refused["error"]["id"].as_str().unwrap())).await;
    assert_eq!((&message["status"], &message["error"]), (&json!("failed"), &json!("meta:131026")));
    assert!(message["failed_at"].is_string());
}

#[tokio::test]
async fn a_lost_answer_is_unknown() {
    let (world, api) = world().await;
    let lost =
        FaultRule { timeout_after_accept: true, hang_ms: Some(30), next: Some(1), ..FaultRule::default() };
    world.fault(lost);
    let body =
        json!({"apiToken": api.key, "phoneNumberId": PHONE_NUMBER_ID, "to": phone(1), "message": "Ciao"});
    let answer = api.post("/api/v1/whatsapp/send-text-message", body).await.expect(504);
    let message = status(&api, &format!("messageId={}", answer["error"]["id"].as_str().unwrap())).await;
    assert_eq!((&message["status"], &message["reason"]), (&json!("unknown"), &json!("no_answer")));
    assert_eq!((&message["error"], &message["message_id"]), (&Value::Null, &message["id"]));
}

#[tokio::test]
async fn a_recipient_of_a_campaign_is_found_by_its_reference() {
    let (world, api) = world().await;
    world.import([person(1), person(2)]).await;
    api.post("/api/suppressions", json!({"contact_id": 2})).await.expect(200);
    let campaign = world.launched().await;
    world.drain().await;
    let message = status(&api, &format!("messageId=c:{campaign}:1:1")).await;
    assert_eq!((&message["status"], &message["campaign_id"]), (&json!("delivered"), &json!(1)));
    assert_eq!(message["text"], "Ciao Persona 1, a presto");
    let skipped = status(&api, &format!("messageId=c:{campaign}:2:1")).await;
    assert_eq!((&skipped["status"], &skipped["error"]), (&json!("skipped"), &json!("opted_out")));
}

#[tokio::test]
async fn unknown_and_foreign_messages_are_not_found() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    let sent = send(&api).await;
    world.launched().await;
    world.drain().await;
    let not_found = async |api: &Api, query: &str| {
        let body = api.sendwo(PATH, query).await.expect(200);
        assert_eq!((&body["status"], &body["error"]["code"]), (&json!("0"), &json!("not_found")), "{query}");
        body["error"]["field"].as_str().unwrap().to_owned()
    };
    let long = "x".repeat(5_000);
    for id in [
        "wamid.x",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "c:1:9:1",
        "c:1:1:2",
        "c:9:1:1",
        &long,
    ] {
        assert_eq!(not_found(&api, &format!("wa_message_id={id}")).await, "wa_message_id");
    }
    let other = api.of_another_tenant().await;
    for id in [sent["wa_message_id"].as_str().unwrap(), sent["id"].as_str().unwrap(), "c:1:1:1"] {
        status(&api, &format!("messageId={id}")).await;
        assert_eq!(not_found(&other, &format!("messageId={id}")).await, "messageId");
    }
    let missing = api.sendwo(PATH, "").await.expect(200);
    assert_eq!((&missing["status"], &missing["error"]["field"]), (&json!("0"), &json!("messageId")));
}
