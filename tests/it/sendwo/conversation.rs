//! `/api/v1/whatsapp/get/conversation`

use domain::ContactId;
use harness::{Api, PHONE_NUMBER_ID, World, named, person, phone};
use http::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/whatsapp/conversation";

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    let api = Api::of(&world).await;
    (world, api)
}

/// A later moment, so that messages are in order.
fn later(world: &World) {
    world.clock.advance_ms(1_000);
}

async fn send(world: &World, api: &Api, number: &str, text: &str) -> Value {
    later(world);
    let body = json!({"apiToken": api.key, "phoneNumberId": PHONE_NUMBER_ID, "to": number, "message": text});
    api.post("/api/v1/whatsapp/send-text-message", body).await.expect(200)
}

/// The messages that a query shows.
async fn shown(api: &Api, query: &str) -> Vec<Value> {
    let body = api.sendwo(PATH, query).await.expect(200);
    assert_eq!(body["status"], "1", "{body}");
    body["message"].as_array().unwrap().clone()
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["text"].as_str().unwrap()).collect()
}

/// The field that a refusal names.
async fn refused(api: &Api, query: &str) -> String {
    let body = api.sendwo(PATH, query).await.expect(200);
    assert_eq!(body["status"], "0", "{body}");
    body["error"]["field"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn both_directions_are_shown_newest_first() {
    let (world, api) = world().await;
    world.writes(&phone(1), "Buongiorno");
    world.drain().await;
    let sent = send(&world, &api, &phone(1), "Ciao!").await;
    world.drain().await;
    let messages = shown(&api, "subscriberId=1").await;
    assert_eq!(texts(&messages), ["Ciao!", "Buongiorno"]);
    let (out, into) = (&messages[0], &messages[1]);
    assert_eq!((&out["message_id"], &out["id"]), (&sent["wa_message_id"], &sent["id"]));
    assert_eq!((&out["direction"], &out["sender"]), (&json!("outgoing"), &json!("bot")));
    assert_eq!((&into["direction"], &into["sender"]), (&json!("incoming"), &json!("user")));
    assert_eq!((&out["type"], &out["phone_number"]), (&json!("text"), &json!(&phone(1)[1..])));
    assert_eq!(
        (&out["status"], &out["error"], &out["reason"]),
        (&json!("delivered"), &Value::Null, &Value::Null)
    );
    assert!(out["sent_at"].is_string() && out["delivered_at"].is_string());
    assert_eq!((&out["read_at"], &out["failed_at"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn every_name_of_a_parameter_is_understood() {
    let (world, api) = world().await;
    world.writes(&phone(1), "Buongiorno");
    world.drain().await;
    let digits = &phone(1)[1..];
    for query in [
        "subscriber_id=1".to_owned(),
        format!("phone_number={digits}"),
        format!("phoneNumber=%2B{digits}"),
        format!("to={digits}"),
        format!("chat_id={digits}&phone_number_id={PHONE_NUMBER_ID}"),
        format!("subscriberId=1&phoneNumberId={PHONE_NUMBER_ID}&limit=2000000&offset=0"),
    ] {
        assert_eq!(shown(&api, &query).await.len(), 1, "{query}");
    }
    let body = json!({"apiToken": api.key, "subscriberId": 1});
    for path in [PATH, "/api/v1/whatsapp/get/conversation"] {
        let answer = api.json(Method::POST, path, &body).await.expect(200);
        assert_eq!(answer["message"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    for n in 0..5 {
        send(&world, &api, &phone(1), &n.to_string()).await;
    }
    for offset in [0, 1] {
        assert_eq!(texts(&shown(&api, &format!("subscriberId=1&limit=2&offset={offset}")).await), ["4", "3"]);
    }
    let mut offset = 1;
    let mut seen = Vec::new();
    loop {
        let page = api.sendwo(PATH, &format!("subscriberId=1&limit=2&offset={offset}")).await.expect(200);
        seen.extend(texts(page["message"].as_array().unwrap()).into_iter().map(str::to_owned));
        match page["next_offset"].as_u64() {
            Some(next) => offset = next,
            None => break,
        }
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
    assert_eq!(shown(&api, "subscriberId=1&offset=100").await.len(), 0);
}

#[tokio::test]
async fn messages_of_campaigns_are_among_the_others() {
    let (world, api) = world().await;
    world.import([named(&phone(1), "Anna"), named(&phone(2), "Bruno")]).await;
    send(&world, &api, &phone(1), "prima").await;
    later(&world);
    let campaign = world.launched().await;
    world.drain().await;
    send(&world, &api, &phone(1), "dopo").await;
    let messages = shown(&api, "subscriberId=1").await;
    assert_eq!(texts(&messages), ["dopo", "Ciao Anna, a presto", "prima"]);
    let row = &messages[1];
    assert_eq!((&row["campaign_id"], &row["type"]), (&json!(campaign.0), &json!("template")));
    assert_eq!((&row["id"], &row["status"]), (&json!("c:1:1:1"), &json!("delivered")));
    assert!(row["message_id"].as_str().unwrap().starts_with("wamid."));
    assert!(row["delivered_at"].is_string());
    assert_eq!(texts(&shown(&api, "subscriberId=1&limit=1&offset=2").await), ["Ciao Anna, a presto"]);
    assert_eq!(texts(&shown(&api, "subscriberId=2").await), ["Ciao Bruno, a presto"]);
}

#[tokio::test]
async fn who_was_skipped_got_nothing() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    api.post("/api/suppressions", json!({"contact_id": 1})).await.expect(200);
    world.launched().await;
    world.drain().await;
    assert_eq!(shown(&api, "subscriberId=1").await.len(), 0);
}

#[tokio::test]
async fn what_went_to_a_stranger_is_kept_when_they_become_a_contact() {
    let (world, api) = world().await;
    send(&world, &api, &phone(1), "Ci sei?").await;
    let number = format!("phone_number={}", &phone(1)[1..]);
    assert_eq!(texts(&shown(&api, &number).await), ["Ci sei?"]);
    later(&world);
    world.writes(&phone(1), "Eccomi");
    world.drain().await;
    assert_eq!(texts(&shown(&api, &number).await), ["Eccomi", "Ci sei?"]);
}

#[tokio::test]
async fn the_conversation_of_an_absorbed_contact_is_the_others() {
    let (world, api) = world().await;
    let by_id = json!({"user_id": "IT.13491208655302741918", "text": "da nascosta", "name": "Anna"});
    world.simulator.inbound(serde_json::from_value(by_id).unwrap()).unwrap();
    world.drain().await;
    later(&world);
    world.writes(&phone(2), "col numero");
    world.drain().await;
    let mut both = named(&phone(2), "Anna");
    both.bsuid = Some("IT.13491208655302741918".to_owned());
    world.import([both]).await;
    let contact = world.store().contact(world.tenant(), ContactId(2)).await.unwrap().unwrap();
    assert_eq!(contact.absorbed, [ContactId(1)]);
    let messages = shown(&api, "subscriberId=2").await;
    assert_eq!(texts(&messages), ["col numero", "da nascosta"]);
}

#[tokio::test]
async fn an_empty_conversation_is_no_error() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    let body = api.sendwo(PATH, "subscriberId=1").await.expect(200);
    assert_eq!(body, json!({"status": "1", "message": [], "next_offset": null}));
}

#[tokio::test]
async fn what_is_wrong_is_named_as_the_caller_calls_it() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    for (query, field) in [
        ("", "subscriberId"),
        ("subscriber_id=x", "subscriber_id"),
        ("subscriberId=7", "subscriberId"),
        ("to=12", "to"),
        ("phoneNumber=393330009999", "phoneNumber"),
        ("subscriberId=1&phone_number_id=999", "phone_number_id"),
        ("subscriberId=1&limit=x", "limit"),
        ("subscriberId=1&offset=10001", "offset"),
    ] {
        assert_eq!(refused(&api, query).await, field, "{query}");
    }
}

#[tokio::test]
async fn another_tenants_subscribers_and_numbers_are_not_found() {
    let (world, api) = world().await;
    world.writes(&phone(1), "Buongiorno");
    world.drain().await;
    let other = api.of_another_tenant().await;
    assert_eq!(refused(&other, "subscriberId=1").await, "subscriberId");
    assert_eq!(refused(&other, &format!("to={}", &phone(1)[1..])).await, "to");
    let of_mine = other.post("/api/contacts", json!({"phone": phone(1)})).await.expect(201);
    let query = format!("subscriberId={}", of_mine["contact"]["id"]);
    assert_eq!(shown(&other, &query).await.len(), 0);
    assert_eq!(refused(&other, &format!("{query}&phoneNumberId={PHONE_NUMBER_ID}")).await, "phoneNumberId");
}
