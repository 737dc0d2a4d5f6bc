//! `POST /v1/send_custom_channel_message`

use domain::plan::Plan;
use harness::{Api, Hook, Mood, Setup, World};
use http::Method;
use serde_json::{Value, json};

use super::{conversation, incoming, receive, refusal, register, send, with_channel};

fn message() -> Value {
    json!({"fromId": "customer-1", "customChannel": "my-channel", "body": "Il tuo ordine è partito."})
}

fn message_with(more: Value) -> Value {
    let mut data = message();
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    data
}

#[tokio::test]
async fn the_contracts_message_is_posted_signed_and_recorded() {
    let (world, api, hook, secret) = with_channel().await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    let campaign = world.draft("avviso").await;
    let data = message_with(json!({
        "customChannel": "MY-channel", "campaignId": campaign.to_string(), "firstName": "Jane", "lastName": "Smith",
        "email": "jane@example.com",
    }));
    let sent = send(&api, data).await.expect(200);
    assert_eq!((&sent["success"], &sent["status"]), (&json!(true), &json!("accepted")));
    assert_eq!((&sent["messageId"], &sent["externalId"]), (&sent["id"], &sent["id"]));
    let received = hook.received().remove(0);
    assert!(received.is_signed_with(&secret));
    assert_eq!(received.header("webhook-id"), sent["id"].as_str().unwrap());
    let mut body = received.json();
    assert!(body["timestamp"].as_str().unwrap().starts_with("2026-07-01T08:0"));
    body["timestamp"] = Value::Null;
    let want = json!({
        "id": sent["id"], "channel": "My-Channel", "to": "customer-1", "contact_id": sent["contactId"], "type": "text",
        "text": "Il tuo ordine è partito.", "campaignId": campaign.to_string(), "firstName": "Jane",
        "lastName": "Smith", "email": "jane@example.com", "timestamp": null,
    });
    assert_eq!(body, want);
    let found = api.get("/v1/contacts?email=jane@example.com").await.expect(200);
    assert_eq!((&found["id"], &found["lastName"]), (&sent["contactId"], &json!("Smith")));
    let entry = conversation(&api, &sent["contactId"]).await.remove(0);
    assert_eq!((&entry["id"], &entry["status"]), (&sent["id"], &json!("accepted")));
    assert_eq!((&entry["channel"], &entry["campaign_id"]), (&json!("my-channel"), &json!(campaign.0)));
    let query = format!("messageId={}", entry["message_id"].as_str().unwrap());
    let status = api.sendwo("/api/v1/whatsapp/message/delivery-status", &query).await;
    assert_eq!(status.expect(200)["message"]["id"], sent["id"]);
    api.sendapi(&format!("/v1/whatsapp/messages/{}", sent["id"].as_str().unwrap())).await.expect(404);
}

#[tokio::test]
async fn every_form_of_the_request_is_understood() {
    let (_world, api, hook, _) = with_channel().await;
    let key = &api.key;
    let json_text = json!({"customData": message().to_string()}).to_string();
    let flat = message().to_string();
    let nested = "customData[fromId]=customer-1&customData[customChannel]=My-Channel&customData[body]=Ciao";
    let flat_form = "fromId=customer-1&customChannel=my-channel&body=Ciao";
    for (path, content_type, body) in [
        ("send_custom_channel_message", "application/json", json_text.as_str()),
        ("send_custom_channel_message", "application/json", flat.as_str()),
        ("send-custom-channel-message", "application/x-www-form-urlencoded", nested),
        ("send_custom_channel_message", "application/x-www-form-urlencoded", flat_form),
    ] {
        let path = format!("/v1/{path}?apiKey={key}");
        let sent = api.raw(Method::POST, &path, content_type, body.to_owned()).await.expect(200);
        assert_eq!(sent["contactId"], "1", "{body}");
    }
    assert_eq!(hook.received().len(), 4);
}

#[tokio::test]
async fn what_is_missing_wrong_or_unknown_is_named() {
    let (_world, api, hook, _) = with_channel().await;
    for (data, code, words) in [
        (
            json!(null),
            "INVALID_CUSTOM_DATA_FROM_ID",
            "customData.fromId, customData.customChannel, customData.body",
        ),
        (json!([]), "INVALID_CUSTOM_DATA_FROM_ID", "are required"),
        (json!(["x"]), "INVALID_CUSTOM_DATA", "customData must be an object"),
        (message_with(json!({"fromId": ""})), "INVALID_CUSTOM_DATA_FROM_ID", "customData.fromId is required"),
        (message_with(json!({"fromId": ["a"]})), "INVALID_CUSTOM_DATA_FROM_ID", "must be a string"),
        (message_with(json!({"fromId": "x".repeat(256)})), "INVALID_CUSTOM_DATA_FROM_ID", "255"),
        (message_with(json!({"body": null})), "INVALID_CUSTOM_DATA_BODY", "customData.body is required"),
        (message_with(json!({"body": {"a": 1}})), "INVALID_CUSTOM_DATA_BODY", "must be a string"),
        (message_with(json!({"body": "x".repeat(4097)})), "INVALID_CUSTOM_DATA_BODY", "4096"),
        (message_with(json!({"email": "nobody"})), "INVALID_CUSTOM_DATA_EMAIL", "customData.email"),
        (message_with(json!({"firstName": "x".repeat(256)})), "INVALID_CUSTOM_DATA_FIRST_NAME", "255"),
    ] {
        let (found, text) = refusal(&send(&api, data.clone()).await, 400);
        assert!(found == code && text.contains(words), "{data}: {found} {text}");
    }
    let other = api.of_another_tenant().await;
    for (api, data, words) in [
        (&api, message_with(json!({"customChannel": "nobody's"})), "`nobody's`"),
        (&other, message(), "`my-channel`"),
        (&api, message_with(json!({"campaignId": 99})), "customData.campaignId"),
        (&api, message_with(json!({"campaignId": "spring"})), "customData.campaignId"),
    ] {
        let (code, text) = refusal(&send(api, data).await, 404);
        assert!(code == "NOT_FOUND" && text.contains(words), "{text}");
    }
    assert!(hook.received().is_empty());
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 0);
}

#[tokio::test]
async fn what_the_channel_answers_is_what_the_caller_learns() {
    let (_world, api, hook, _) = with_channel().await;
    let wait = |seconds: &str| vec![("retry-after", seconds.to_owned())];
    for (answer, headers, status, code, state) in [
        (400, vec![], 400, "PROVIDER_REJECTED", "failed"),
        (404, vec![], 400, "PROVIDER_REJECTED", "failed"),
        (302, vec![], 400, "PROVIDER_REJECTED", "failed"),
        (408, vec![], 503, "PROVIDER_UNAVAILABLE", "failed"),
        (429, wait("7"), 429, "PROVIDER_THROTTLED", "failed"),
        (503, wait("30"), 429, "PROVIDER_THROTTLED", "failed"),
        (503, vec![], 504, "PROVIDER_TIMEOUT", "unknown"),
        (500, vec![], 504, "PROVIDER_TIMEOUT", "unknown"),
    ] {
        let before = hook.received().len();
        hook.set(Mood::Answers(answer, headers.clone()));
        let refused = send(&api, message()).await;
        assert_eq!(refusal(&refused, status).0, code, "{answer}");
        if let Some((_, seconds)) = headers.first() {
            assert_eq!(refused.headers["retry-after"], seconds.as_str());
        }
        assert_eq!(hook.received().len(), before + 1, "sent once, never again");
        let entry = conversation(&api, &json!("1")).await.remove(0);
        assert_eq!(entry["status"], state, "{answer}");
        assert_eq!(refused.json()["error"]["id"], entry["id"], "{answer}");
    }
    let gone = "http://127.0.0.1:1/hook";
    api.post("/api/channels", json!({"name": "my-channel", "url": gone})).await.expect(200);
    assert_eq!(refusal(&send(&api, message()).await, 503).0, "PROVIDER_UNAVAILABLE");
    let used = api.get("/api/account").await.expect(200)["usage"]["messages"].clone();
    assert_eq!(used, 2, "only those that may have been sent count");
}

#[tokio::test]
async fn a_repeated_key_sends_once() {
    let (_world, api, hook, _) = with_channel().await;
    let mut body = json!({"customData": message(), "idempotency_key": "k1"});
    let first = api.post("/v1/send_custom_channel_message", body.clone()).await.expect(200);
    let again = api.post("/v1/send_custom_channel_message", body.clone()).await.expect(200);
    assert_eq!(first, again);
    body["customData"]["body"] = json!("altro");
    let (code, _) = refusal(&api.post("/v1/send_custom_channel_message", body).await, 400);
    assert_eq!((code.as_str(), hook.received().len()), ("CONFLICT", 1));
}

#[tokio::test]
async fn whoever_wrote_stop_gets_nothing_more_on_that_channel() {
    let (_world, api, hook, _) = with_channel().await;
    let second = Hook::new().await;
    register(&api, "second", &second).await;
    let stop = json!({"body": " Stop! ", "customChannel": "my-channel"});
    let stopped = receive(&api, incoming("s1", stop)).await.expect(200);
    assert_eq!(refusal(&send(&api, message()).await, 400).0, "OPTED_OUT");
    send(&api, message_with(json!({"customChannel": "second"}))).await.expect(200);
    send(&api, message_with(json!({"fromId": "customer-2"}))).await.expect(200);
    let listed = api.get("/api/suppressions").await.expect(200);
    assert_eq!(listed["suppressions"][0]["address"], "my-channel:cus****r-1");
    assert_eq!(
        listed["suppressions"][0]["contact"]["id"].to_string(),
        stopped["contactId"].as_str().unwrap()
    );
    let start = json!({"body": "START", "customChannel": "my-channel"});
    receive(&api, incoming("s2", start)).await.expect(200);
    send(&api, message()).await.expect(200);
    assert_eq!((hook.received().len(), second.received().len()), (2, 1));
}

#[tokio::test]
async fn the_plans_limits_apply() {
    let plan = Plan { contacts: Some(1), messages_per_day: Some(2), ..Plan::default() };
    let world = World::with(Setup { plan, ..Setup::default() }).await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    register(&api, "my-channel", &hook).await;
    send(&api, message()).await.expect(200);
    let (code, text) = refusal(&send(&api, message_with(json!({"fromId": "customer-2"}))).await, 400);
    assert!(code == "PLAN_LIMIT" && text.contains("contact"), "{text}");
    send(&api, message()).await.expect(200);
    assert_eq!(refusal(&send(&api, message()).await, 400).0, "PLAN_LIMIT");
    assert_eq!(hook.received().len(), 2);
}

#[tokio::test]
async fn a_channel_gets_no_more_than_its_rate() {
    let (_world, api, hook, _) = with_channel().await;
    api.post("/api/channels", json!({"name": "my-channel", "url": hook.url, "rate": 1})).await.expect(200);
    let answers = futures::future::join_all((0..8).map(|_| send(&api, message()))).await;
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert!((1..=3).contains(&refused), "at most five seconds are waited: {refused}");
    let times: Vec<String> =
        hook.received().iter().map(|r| r.json()["timestamp"].as_str().unwrap()[..19].to_owned()).collect();
    assert_eq!(times.len(), 8 - refused);
}
