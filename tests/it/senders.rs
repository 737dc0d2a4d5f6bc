//! Accounts with several numbers.

use domain::CampaignId;
use harness::{APP_SECRET, Api, Hook, PHONE_NUMBER_ID, Setup, VERIFY_TOKEN, WABA_ID, World, person};
use http::Method;
use serde_json::{Value, json};
use simulators::graph::Inbound;

const SECOND: &str = "200200200200200";

/// An account with two numbers, the first of which is its default.
async fn shop() -> (World, Api) {
    let setup = Setup { any_number: true, help_message: Some("Aperti 9-18".to_owned()), ..Setup::default() };
    let world = World::with(setup).await;
    let api = Api::of(&world).await;
    let connected =
        api.post_as_documented("/api/accounts/connect_meta", connection(SECOND)).await.expect(200);
    assert_eq!(connected["number"]["phone_number_id"], SECOND);
    assert_eq!(ids(&connected), [(PHONE_NUMBER_ID, true), (SECOND, false)].map(own));
    (world, api)
}

fn connection(number: &str) -> Value {
    json!({"phone_number_id": number, "waba_id": WABA_ID, "access_token": "EAA-test", "app_secret": APP_SECRET,
           "verify_token": VERIFY_TOKEN})
}

fn own((id, default): (&str, bool)) -> (String, bool) {
    (id.to_owned(), default)
}

fn ids(answer: &Value) -> Vec<(String, bool)> {
    let senders = answer["senders"].as_array().unwrap().iter();
    senders.map(|s| (s["id"].as_str().unwrap().to_owned(), s["default"].as_bool().unwrap())).collect()
}

/// From which number each message left.
fn left_from(world: &World) -> Vec<String> {
    world.simulator.messages(None, usize::MAX).into_iter().map(|message| message.phone_number_id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_and_a_campaign_leave_from_the_one_they_name() {
    let (world, api) = shop().await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso").await;
    world.template("saluto", "UTILITY", "Ciao").await;
    world.import((0..5).map(person)).await;
    let told = Hook::new().await;
    let events = json!({"name": "crm", "url": told.url, "events": "message.status,campaign.finished"});
    api.post("/api/webhooks", events).await;
    let draft = |sender: Value| {
        json!({"name": "x", "channel": "whatsapp", "message_type": "template", "template_name": "avviso",
               "sender": sender})
    };
    for (sender, want) in [(json!(SECOND), SECOND), (json!(null), PHONE_NUMBER_ID)] {
        let before = left_from(&world).len();
        let drafted = api.post_as_documented("/api/campaigns/draft", draft(sender)).await.expect(200);
        let id = CampaignId(drafted["campaign_id"].as_u64().unwrap());
        api.post("/api/campaigns/launch", json!({"campaign_id": id.0})).await.expect(200);
        world.drain().await;
        assert_eq!(world.counts(id).await, [("delivered", 5)].into());
        assert!(left_from(&world)[before..].iter().all(|from| from == want));
        let shown = api.get(&format!("/api/campaigns/{id}")).await.expect(200);
        assert_eq!(shown["campaign"]["sender"], want);
    }
    let send = |sender: Value| {
        json!({"number": "393330000001", "type": "template", "template": {"name": "saluto", "language": "it"},
               "sender": sender})
    };
    for (sender, want) in [(json!(SECOND), SECOND), (json!(null), PHONE_NUMBER_ID)] {
        api.post_as_documented("/api/whatsapp-meta/send", send(sender)).await.expect(200);
        assert_eq!(left_from(&world).pop().unwrap(), want);
    }
    for wrong in [json!("300"), json!("custom:livechat"), json!("abc")] {
        let refused = api.post_as_documented("/api/whatsapp-meta/send", send(wrong.clone())).await;
        assert_eq!(refused.field(422), "sender", "{wrong}");
        let refused = api.post_as_documented("/api/campaigns/draft", draft(wrong)).await;
        assert_eq!(refused.field(422), "sender");
    }
    world.drain().await;
    let told: Vec<Value> = told.received().iter().map(|one| one.json()).collect();
    assert!(told.iter().all(|event| event["channel"] == "whatsapp"), "{told:?}");
    let of = |id: &str| told.iter().filter(|event| event["data"]["sender"] == id).count();
    assert_eq!((of(SECOND), of(PHONE_NUMBER_ID)), (told.len() / 2, told.len() / 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_writes_to_a_number_is_answered_from_it() {
    let (world, api) = shop().await;
    let inbound = Inbound {
        from: Some("393330000009".to_owned()),
        text: Some(json!("HELP")),
        phone_number_id: Some(SECOND.to_owned()),
        ..Inbound::default()
    };
    world.simulator.inbound(inbound).unwrap();
    world.drain().await;
    assert_eq!(left_from(&world), [SECOND]);
    let page = api.sendwo("/api/v1/whatsapp/conversation", "subscriberId=1").await.expect(200);
    let senders: Vec<&Value> = page["message"].as_array().unwrap().iter().map(|m| &m["sender_id"]).collect();
    assert_eq!(senders, [&json!(SECOND), &json!(SECOND)]);
    // By the number that a contract names, the message leaves from it.
    let query = format!("phoneNumberId={SECOND}&to=393330000009&message=Ciao");
    api.sendwo("/api/v1/whatsapp/send-text-message", &query).await.expect(200);
    assert_eq!(left_from(&world).pop().unwrap(), SECOND);
}

#[tokio::test]
async fn the_default_is_chosen_and_a_number_is_taken_away() {
    let (world, api) = shop().await;
    let choice = json!({"sender": SECOND});
    let chosen = api.post_as_documented("/api/senders/default", choice).await.expect(200);
    assert_eq!(ids(&chosen), [(SECOND, true), (PHONE_NUMBER_ID, false)].map(own));
    assert_eq!(ids(&api.get("/api/senders").await.expect(200)), ids(&chosen));
    let other = api.of_another_tenant().await;
    assert_eq!(ids(&other.get("/api/senders").await.expect(200)), []);
    let gone = api.json(Method::DELETE, &format!("/api/senders/{SECOND}"), &json!({})).await.expect(200);
    assert_eq!(ids(&gone), [(PHONE_NUMBER_ID, true)].map(own));
    assert!(world.store().owner_of_number(&SECOND.parse().unwrap()).await.unwrap().is_none());
    assert_eq!(
        api.json(Method::DELETE, &format!("/api/senders/{SECOND}"), &json!({})).await.field(404),
        "id"
    );
    // Its number is free again, also for somebody else.
    let theirs = other.post("/api/create_accounts", json!({"name": "Altrove"})).await.expect(200);
    let other = other.with_token(theirs["token"].as_str().unwrap());
    other.post_as_documented("/api/accounts/connect_meta", connection(SECOND)).await.expect(200);
    assert_eq!(api.post_as_documented("/api/accounts/connect_meta", connection(SECOND)).await.status, 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_are_connected_at_once_are_all_kept() {
    let (_world, api) = shop().await;
    let more: Vec<String> = (1..6).map(|n| format!("30030030030030{n}")).collect();
    let connected =
        more.iter().map(|id| api.post_as_documented("/api/accounts/connect_meta", connection(id)));
    for answer in futures::future::join_all(connected).await {
        answer.expect(200);
    }
    let all = ids(&api.get("/api/senders").await.expect(200));
    assert_eq!(all.len(), 7, "{all:?}");
    assert!(more.iter().all(|id| all.contains(&(id.clone(), false))));
}
