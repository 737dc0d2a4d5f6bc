//! `POST /v1/incoming_custom_channel_message`

use std::collections::BTreeSet;

use domain::AccountId;
use domain::plan::Plan;
use futures::future::join_all;
use harness::{Api, Hook, Setup, World};
use http::Method;
use serde_json::{Value, json};

use super::{conversation, incoming, receive, refusal, register, send, with_channel};

/// Lets an endpoint listen to some events.
async fn listening(api: &Api, events: &str) -> Hook {
    let hook = Hook::new().await;
    let body = json!({"name": "crm", "url": hook.url, "events": events});
    let made = api.post("/api/webhooks", body).await;
    assert!(made.status.is_success(), "{made:?}");
    hook
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_makes_a_contact_joins_the_conversation_and_is_told() {
    let (world, api, _, _) = with_channel().await;
    let told = listening(&api, "message.received,contact.created").await;
    let person =
        json!({"firstName": "Jane", "lastName": "Smith", "email": "jane@example.com", "channel": "livechat"});
    let got = receive(&api, incoming("m-1", person)).await.expect(200);
    assert_eq!((&got["status"], &got["channel"]), (&json!("received"), &json!("my-channel")));
    assert_eq!((&got["duplicate"], &got["messageId"]), (&json!(false), &got["id"]));
    let again = receive(&api, incoming("m-1", json!({}))).await.expect(200);
    assert_eq!((&again["id"], &again["contactId"]), (&got["id"], &got["contactId"]));
    assert_eq!(again["duplicate"], true);
    let found = api.get("/v1/contacts?email=jane@example.com").await.expect(200);
    assert_eq!((&found["id"], &found["firstName"]), (&got["contactId"], &json!("Jane")));
    let entries = conversation(&api, &got["contactId"]).await;
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0]["text"], &entries[0]["direction"]), (&json!("Buongiorno"), &json!("incoming")));
    let contact = got["contactId"].as_str().unwrap().parse().unwrap();
    let windows = world.store().windows(world.tenant(), AccountId::NONE, &[(contact, vec![])]).await.unwrap();
    assert!(windows.contains_key(&contact));
    world.drain().await;
    let events: Vec<Value> = told.received().iter().map(|r| r.json()).collect();
    let of = |kind: &str| events.iter().filter(|e| e["type"] == kind).cloned().collect::<Vec<_>>();
    assert_eq!((events.len(), of("contact.created").len()), (2, 1));
    let event = &of("message.received")[0];
    assert_eq!((&event["channel"], &event["account_id"]), (&json!("my-channel"), &Value::Null));
    assert_eq!(
        (&event["data"]["from"], &event["data"]["text"]),
        (&json!("customer-1"), &json!("Buongiorno"))
    );
    assert_eq!(event["data"]["content"]["channel"], "livechat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_copies_at_once_are_one_message() {
    let (world, api, _, _) = with_channel().await;
    let told = listening(&api, "message.received").await;
    let copies = join_all((0..100).map(|_| receive(&api, incoming("m-1", json!({}))))).await;
    let copies: Vec<Value> = copies.iter().map(|answer| answer.expect(200)).collect();
    let ids: BTreeSet<&str> = copies.iter().map(|copy| copy["id"].as_str().unwrap()).collect();
    let fresh = copies.iter().filter(|copy| copy["duplicate"] == false).count();
    assert_eq!((ids.len(), fresh), (1, 1));
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 1);
    assert_eq!(conversation(&api, &copies[0]["contactId"]).await.len(), 1);
    world.drain().await;
    world.sweep().await;
    world.drain().await;
    assert_eq!(told.received().len(), 1);
}

#[tokio::test]
async fn the_channel_is_the_one_that_fits_best() {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let mut n = 0;
    let mut channel = async |more: Value| {
        n += 1;
        receive(&api, incoming(&format!("m-{n}"), more)).await.expect(200)["channel"].clone()
    };
    assert_eq!(channel(json!({})).await, "custom");
    assert_eq!(channel(json!({"channel": "Email"})).await, "email");
    register(&api, "First", &hook).await;
    assert_eq!(channel(json!({"channel": "email"})).await, "first", "the only one");
    assert_eq!(channel(json!({})).await, "first");
    register(&api, "Second", &hook).await;
    assert_eq!(channel(json!({"channel": "SECOND"})).await, "second", "by its label");
    assert_eq!(channel(json!({"channel": "second", "customChannel": "FIRST"})).await, "first", "by its name");
    assert_eq!(channel(json!({"channel": "email"})).await, "email", "none of the two");
    let unknown = incoming("m-x", json!({"customChannel": "third"}));
    assert!(refusal(&receive(&api, unknown).await, 404).1.contains("`third`"));
}

#[tokio::test]
async fn every_form_of_the_request_is_understood() {
    let (_world, api, _, _) = with_channel().await;
    let form = "customData[id]=m-1&customData[fromId]=c&customData[toId]=shop&customData[body]=Ciao&messageType=text";
    let path = format!("/v1/incoming-custom-channel-message?apiKey={}", api.key);
    let first = api.raw(Method::POST, &path, "application/x-www-form-urlencoded", form).await.expect(200);
    let flat =
        json!({"messageSid": "m-1", "fromId": "c", "toId": "shop", "body": "Ciao", "messageType": null});
    let again = receive(&api, flat).await.expect(200);
    assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
    let text = incoming("m-2", json!({}))["customData"].to_string();
    receive(&api, json!({"customData": text, "messageType": "text"})).await.expect(200);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let (_world, api, _, _) = with_channel().await;
    for (more, code) in [
        (json!({"messageSid": null}), "INVALID_CUSTOM_DATA_MESSAGE_SID"),
        (json!({"messageSid": "", "id": " "}), "INVALID_CUSTOM_DATA_MESSAGE_SID"),
        (json!({"messageSid": ["m"]}), "INVALID_CUSTOM_DATA_MESSAGE_SID"),
        (json!({"messageSid": "x".repeat(256)}), "INVALID_CUSTOM_DATA_MESSAGE_SID"),
        (json!({"fromId": null}), "INVALID_CUSTOM_DATA_FROM_ID"),
        (json!({"toId": ""}), "INVALID_CUSTOM_DATA_TO_ID"),
        (json!({"body": null}), "INVALID_CUSTOM_DATA_BODY"),
        (json!({"body": ["x"]}), "INVALID_CUSTOM_DATA_BODY"),
        (json!({"body": "x".repeat(16_385)}), "INVALID_CUSTOM_DATA_BODY"),
        (json!({"channel": "a#b"}), "INVALID_CUSTOM_DATA_CHANNEL"),
        (json!({"email": "nobody"}), "INVALID_CUSTOM_DATA_EMAIL"),
        (json!({"messageType": "sonnet"}), "INVALID_MESSAGE_TYPE"),
    ] {
        let answer = receive(&api, incoming("m-1", more.clone())).await;
        assert_eq!(refusal(&answer, 400).0, code, "{more}");
    }
    assert_eq!(refusal(&receive(&api, json!({"customData": [1]})).await, 400).0, "INVALID_CUSTOM_DATA");
    for id in [json!(99), json!("spring")] {
        let answer = receive(&api, incoming("m-1", json!({"campaignId": id}))).await;
        assert!(refusal(&answer, 404).1.contains("customData.campaignId"));
    }
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 0);
}

#[tokio::test]
async fn a_reaction_may_be_empty_and_names_its_message() {
    let (_world, api, _, _) = with_channel().await;
    let thumb = json!({"messageType": "reaction", "body": "\u{1f44d}", "reactionTo": "m-0"});
    let got = receive(&api, incoming("r-1", thumb)).await.expect(200);
    let back = json!({"messageType": "REACTION", "body": "", "reactionTo": "m-0"});
    receive(&api, incoming("r-2", back)).await.expect(200);
    let entries = conversation(&api, &got["contactId"]).await;
    assert_eq!((&entries[1]["type"], &entries[1]["text"]), (&json!("reaction"), &json!("\u{1f44d}")));
    assert_eq!(entries[0]["text"], Value::Null);
}

#[tokio::test]
async fn a_campaign_routes_only_its_own_tenants_messages() {
    let (world, api, hook, _) = with_channel().await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    let campaign = world.draft("avviso").await;
    let routed = incoming("m-1", json!({"campaignId": campaign.to_string()}));
    let got = receive(&api, routed.clone()).await.expect(200);
    assert_eq!(got["campaignId"], campaign.to_string());
    assert_eq!(conversation(&api, &got["contactId"]).await[0]["campaign_id"], campaign.0);
    let other = api.of_another_tenant().await;
    register(&other, "My-Channel", &hook).await;
    receive(&other, routed).await.expect(404);
    let apart = receive(&other, incoming("m-1", json!({}))).await.expect(200);
    assert_eq!((&apart["duplicate"], &apart["contactId"]), (&json!(false), &json!("1")));
    assert_ne!(apart["id"], got["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_of_our_own_message_moves_it_only_forward() {
    let (world, api, _hook, _) = with_channel().await;
    let told = listening(&api, "message.status").await;
    let data = json!({"fromId": "customer-1", "customChannel": "my-channel", "body": "Ciao"});
    let sent = send(&api, data).await.expect(200);
    let id = sent["id"].as_str().unwrap();
    for (status, want) in
        [("sent", "sent"), ("Read", "read"), ("delivered", "read"), ("failed", "read"), ("read", "read")]
    {
        let got = receive(&api, incoming(id, json!({"status": status, "body": null}))).await.expect(200);
        assert_eq!((&got["id"], &got["status"]), (&sent["id"], &json!(want)), "{status}");
        assert_eq!(got["contactId"], sent["contactId"]);
    }
    assert_eq!(conversation(&api, &sent["contactId"]).await.len(), 1);
    world.drain().await;
    let statuses: BTreeSet<String> =
        told.received().iter().map(|r| r.json()["data"]["status"].as_str().unwrap().to_owned()).collect();
    // A failure that is reported of what was read is no fact.
    assert_eq!(statuses, ["delivered", "read", "sent"].map(str::to_owned).into());
    let nobodys = receive(&api, incoming("m-9", json!({"status": "delivered", "body": null}))).await;
    assert!(refusal(&nobodys, 404).1.contains("id"));
    let theirs = receive(&api, incoming("m-9", json!({"status": "delivered"}))).await.expect(200);
    assert_eq!(theirs["status"], "received", "what is not ours came in");
    let other = api.of_another_tenant().await;
    receive(&other, incoming(id, json!({"status": "read", "body": null}))).await.expect(404);
}

#[tokio::test]
async fn nobody_who_writes_is_turned_away_by_the_plan() {
    let plan = Plan { contacts: Some(1), ..Plan::default() };
    let world = World::with(Setup { plan, ..Setup::default() }).await;
    let api = Api::of(&world).await;
    for (sid, from) in [("m-1", "a"), ("m-2", "b"), ("m-3", "c")] {
        receive(&api, incoming(sid, json!({"fromId": from}))).await.expect(200);
    }
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 3);
}
