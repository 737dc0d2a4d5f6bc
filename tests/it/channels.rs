//! Campaigns over custom channels: the second way out of the same engine.

use domain::CampaignId;
use domain::contact::NewContact;
use harness::{Api, Hook, Mood, World};
use serde_json::{Value, json};

/// So many people on the channel `livechat`, one who is not, and the channel.
async fn shop(people: usize) -> (World, Api, Hook, String) {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let channel = json!({"name": "LiveChat", "url": hook.url, "rate": 1000});
    let made = api.post("/api/channels", channel).await.expect(201);
    let on = |n: usize| NewContact {
        name: Some(format!("Persona {n}")),
        custom: Some(("livechat".to_owned(), format!("id-{n}"))),
        ..NewContact::default()
    };
    let off = NewContact { phone: Some("+393331234567".parse().unwrap()), ..NewContact::default() };
    world.import((0..people).map(on).chain([off])).await;
    (world, api, hook, made["secret"].as_str().unwrap().to_owned())
}

fn text() -> Value {
    json!({"name": "Novità", "channel": "LIVECHAT", "message_type": "text", "message": "Ciao {{name}}!"})
}

async fn launched(api: &Api, draft: Value) -> CampaignId {
    let drafted = api.post_as_documented("/api/campaigns/draft", draft).await.expect(200);
    assert_eq!(drafted["warnings"], json!([]));
    let id = drafted["campaign_id"].as_u64().unwrap();
    api.post("/api/campaigns/launch", json!({"campaign_id": id})).await.expect(200);
    CampaignId(id)
}

async fn shown(api: &Api, id: CampaignId) -> Value {
    api.get(&format!("/api/campaigns/{id}")).await.expect(200)["campaign"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_on_the_channel_gets_one_message_signed_and_reported() {
    let (world, api, hook, secret) = shop(120).await;
    let id = launched(&api, text()).await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("accepted", 120), ("skipped", 1)].into());
    assert_eq!(world.reasons(id).await, [("no_address".to_owned(), 1)].into());
    let received = hook.received();
    assert_eq!(received.len(), 120);
    let mut people: Vec<String> = Vec::new();
    for one in &received {
        let body = one.json();
        assert!(one.is_signed_with(&secret));
        assert_eq!((&body["channel"], &body["type"]), (&json!("LiveChat"), &json!("text")));
        assert_eq!(body["campaignId"], id.to_string());
        assert_eq!(one.header("webhook-id"), body["id"].as_str().unwrap());
        let to = body["to"].as_str().unwrap();
        assert_eq!(body["text"], format!("Ciao Persona {}!", to.trim_start_matches("id-")));
        people.push(to.to_owned());
    }
    people.sort();
    people.dedup();
    assert_eq!(people.len(), 120, "nobody twice");
    let campaign = shown(&api, id).await;
    assert_eq!((&campaign["state"], &campaign["channel"]), (&json!("finished"), &json!("livechat")));
    assert_eq!(campaign["sender"], "custom:livechat");
    let report = String::from_utf8(api.report(&world, id, "csv").await).unwrap();
    assert_eq!(report.lines().count(), 122);
    assert!(report.contains("id-7") && !report.contains("custom:livechat#"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_platform_reports_moves_rows_forward_and_is_told() {
    let (world, api, hook, _) = shop(3).await;
    let told = Hook::new().await;
    let body = json!({"name": "crm", "url": told.url, "events": "message.status"});
    api.post("/api/webhooks", body).await;
    let id = launched(&api, text()).await;
    world.drain().await;
    let sent: Vec<String> =
        hook.received().iter().map(|one| one.json()["id"].as_str().unwrap().to_owned()).collect();
    let report = async |sid: &str, status: &str| {
        let data =
            json!({"messageSid": sid, "fromId": "x", "toId": "y", "status": status, "channel": "livechat"});
        api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await
    };
    let moved = report(&sent[0], "delivered").await.expect(200);
    assert_eq!((&moved["status"], &moved["duplicate"]), (&json!("delivered"), &json!(false)));
    assert_eq!((&moved["id"], &moved["campaignId"]), (&json!(sent[0]), &json!(id.to_string())));
    assert_eq!(report(&sent[0], "sent").await.expect(200)["status"], "delivered");
    assert_eq!(report(&sent[0], "delivered").await.expect(200)["duplicate"], true);
    report(&sent[1], "failed").await.expect(200);
    world.drain().await;
    assert_eq!(
        world.counts(id).await,
        [("accepted", 1), ("delivered", 1), ("failed", 1), ("skipped", 1)].into()
    );
    assert_eq!(world.reasons(id).await["custom:reported"], 1);
    let told: Vec<Value> = told.received().iter().map(|one| one.json()).collect();
    let delivered = told.iter().find(|event| event["data"]["status"] == "delivered").unwrap();
    assert_eq!(
        (&delivered["channel"], &delivered["data"]["sender"]),
        (&json!("livechat"), &json!("custom:livechat"))
    );
    let failed = told.iter().find(|event| event["data"]["status"] == "failed").unwrap();
    assert_eq!(failed["data"]["reason"], "custom:reported");
    // The third has no id but ours: this channel answers none. Another does.
    hook.answer_with(r#"{"id": "chat-1"}"#);
    let again = launched(&api, text()).await;
    world.drain().await;
    assert_eq!(report("chat-1", "read").await.expect(200)["campaignId"], again.to_string());
    // Of another campaign, or another channel, there is no such message.
    assert!(report("c:99:1:1", "delivered").await.status.is_client_error());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_go_by_their_links() {
    let (world, api, hook, _) = shop(2).await;
    let jpeg: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1];
    let fields = [("apikey", api.key.as_str()), ("token", api.token.as_str())];
    let uploaded = api.upload("/api/campaigns/upload_media", &fields, ("foto.jpg", "image/jpeg", jpeg)).await;
    let ours = uploaded.expect(200)["url"].clone();
    for url in [ours, json!("https://example.com/a.jpg")] {
        let draft = json!({"name": "Foto", "channel": "livechat", "message_type": "text_media", "media_url": url,
                           "media_type": "image", "message": "Per {{name}}"});
        let id = launched(&api, draft).await;
        world.drain().await;
        assert_eq!(world.counts(id).await, [("accepted", 2), ("skipped", 1)].into());
        let body = hook.received().pop().unwrap().json();
        assert_eq!((&body["type"], &body["mediaUrl"]), (&json!("image"), &url));
        assert!(body["text"].as_str().unwrap().starts_with("Per Persona"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_refuses_everything_pauses_the_campaign_and_resume_goes_on() {
    let (world, api, hook, _) = shop(40).await;
    hook.answer(401);
    let id = launched(&api, text()).await;
    world.drain().await;
    let campaign = shown(&api, id).await;
    assert_eq!(campaign["state"], "paused");
    assert!(campaign["reason"].as_str().unwrap().contains("custom:http_401"), "{campaign}");
    let counts = world.counts(id).await;
    assert!(counts["failed"] <= 5 && counts["pending"] >= 35, "{counts:?}");
    hook.answer(200);
    api.post(&format!("/api/campaigns/{id}/resume"), json!({"only": "failed"})).await.expect(200);
    world.drain().await;
    assert_eq!(world.counts(id).await, [("accepted", 40), ("skipped", 1)].into());
    assert_eq!(hook.taken().len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_busy_is_waited_for_and_uses_up_no_attempt() {
    let (world, api, hook, _) = shop(5).await;
    hook.set(Mood::Answers(429, vec![("retry-after", "2".to_owned())]));
    let id = launched(&api, text()).await;
    let calm = async {
        while hook.received().len() < 8 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        hook.answer(200);
    };
    tokio::join!(world.drain(), calm);
    assert_eq!(world.counts(id).await, [("accepted", 5), ("skipped", 1)].into());
    assert_eq!(hook.taken().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_said_stop_on_the_channel_is_left_out_and_a_removed_channel_pauses() {
    let (world, api, hook, _) = shop(4).await;
    let data = json!({"messageSid": "m1", "fromId": "id-2", "toId": "y", "body": "STOP", "customChannel": "livechat"});
    api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await.expect(200);
    let id = launched(&api, text()).await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("accepted", 3), ("skipped", 2)].into());
    assert_eq!(world.reasons(id).await["opted_out"], 1);
    assert!(hook.received().iter().all(|one| one.json()["to"] != "id-2"));
    // Its channel goes before it is launched, and between launch and the first wave.
    let drafted = api.post_as_documented("/api/campaigns/draft", text()).await.expect(200);
    let next = json!({"campaign_id": drafted["campaign_id"]});
    api.post("/api/campaigns/launch", next.clone()).await.expect(200);
    api.json(http::Method::DELETE, "/api/channels/livechat", &json!({})).await.expect(200);
    world.drain().await;
    let next = CampaignId(drafted["campaign_id"].as_u64().unwrap());
    let campaign = shown(&api, next).await;
    assert_eq!(campaign["state"], "paused");
    assert_eq!(campaign["reason"], "the sender custom:livechat is gone");
    assert_eq!(hook.received().len(), 3);
    let channel = json!({"name": "LiveChat", "url": hook.url, "rate": 1000});
    api.post("/api/channels", channel).await.expect(201);
    api.post(&format!("/api/campaigns/{next}/resume"), json!({})).await.expect(200);
    world.drain().await;
    assert_eq!(hook.received().len(), 6);
}

#[tokio::test]
async fn each_channel_speaks_of_its_own_conditions() {
    let (_world, api, ..) = shop(3).await;
    let draft = async |change: Value| {
        let mut draft = text();
        draft.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        api.post_as_documented("/api/campaigns/draft", draft).await
    };
    for (change, field, words) in [
        (json!({"channel": "fax"}), "channel", "whatsapp, whatsapp-web, sms, LiveChat"),
        (json!({"channel": "a#b"}), "channel", "must not contain"),
        (json!({"sender": "custom:fax"}), "sender", "not one of channel livechat"),
        (json!({"sender": "106540352242922"}), "sender", "not one of channel livechat"),
        (json!({"channel": "whatsapp", "sender": "42"}), "sender", "it has 106540352242922"),
        (json!({"message_type": "template", "template_name": "x"}), "message_type", "takes no templates"),
        (json!({"channel": "sms", "message_type": "media_only"}), "message_type", "takes no media"),
    ] {
        let refused = draft(change.clone()).await;
        assert_eq!(refused.field(422), field, "{change}");
        let body = refused.expect(422);
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    }
    for named in ["custom:livechat", "livechat", "LiveChat"] {
        draft(json!({"sender": named})).await.expect(200);
    }
    for (channel, words) in [("sms", "no SMS phone is paired"), ("WhatsApp Web", "no phone is linked")] {
        let drafted = draft(json!({"channel": channel})).await.expect(200);
        assert!(drafted["warnings"][0].as_str().unwrap().contains(words), "{drafted}");
        let id = drafted["campaign_id"].as_u64().unwrap();
        let flight = api.post(&format!("/api/campaigns/{id}/preflight"), json!({})).await.expect(200);
        let skipped = &flight["preflight"]["skipped"];
        assert_eq!(skipped, &json!({"no_address": 3}), "{flight}");
        assert!(flight["preflight"]["problems"][0].as_str().unwrap().contains(words), "{flight}");
        let refused = api.post("/api/campaigns/launch", json!({"campaign_id": id})).await;
        assert!(refused.status == 409 || refused.status == 422, "{refused:?}");
    }
}

#[tokio::test]
async fn our_names_are_ours() {
    let (_world, api, hook, _) = shop(0).await;
    for name in [
        "whatsapp",
        "WhatsApp",
        "whatsapp-web",
        "WHATSAPP WEB",
        "whatsapp_web",
        "sms",
        "S M S",
        "whatsapp-meta",
    ] {
        let refused = api.post("/api/channels", json!({"name": name, "url": hook.url})).await;
        assert_eq!(refused.field(422), "name", "{name}");
    }
    // A label of a message that came in is no channel of ours.
    let data = json!({"messageSid": "m1", "fromId": "a", "toId": "y", "body": "Ciao", "channel": "SMS"});
    let got = api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await.expect(200);
    assert_eq!(got["channel"], "livechat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_is_answered_on_the_channel_once() {
    let (world, api, hook, _) = shop(1).await;
    api.post_as_documented("/api/accounts/settings", json!({"help_message": "Aperti 9-18"}))
        .await
        .expect(200);
    for _ in 0..3 {
        let data = json!({"messageSid": "m1", "fromId": "id-0", "toId": "y", "body": "HELP", "customChannel": "livechat"});
        api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await.expect(200);
    }
    world.drain().await;
    let answers: Vec<Value> = hook.received().iter().map(|one| one.json()).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!((&answers[0]["to"], &answers[0]["text"]), (&json!("id-0"), &json!("Aperti 9-18")));
    assert_eq!(answers[0]["contact_id"], "1");
}

#[tokio::test]
async fn contacts_say_how_a_channel_knows_them() {
    let (_world, api, ..) = shop(0).await;
    let ada = json!({"name": "Ada", "channels": {"LiveChat": "visitor-7"}});
    let made = api.post("/api/contacts", ada).await.expect(201);
    assert_eq!(made["contact"]["channels"], json!({"livechat": ["visitor-7"]}));
    let nobody = json!({"name": "Leo", "channels": {"fax": "7"}});
    let refused = api.post("/api/contacts", nobody.clone()).await;
    assert_eq!(refused.field(422), "channels");
    assert!(refused.expect(422)["message"].as_str().unwrap().contains("there are LiveChat"));
    let rows =
        json!({"contacts": [nobody, {"channels": {"livechat": "visitor-8"}}, {"channels": {"sms": "1"}}]});
    let done = api.post("/api/contacts/bulk", rows).await.expect(200);
    assert_eq!((&done["created"], &done["failed"]), (&json!(1), &json!(2)));
    let fields: Vec<&Value> =
        done["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["channels", "channels"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_its_placeholders_leave_empty_or_make_too_long_is_not_sent() {
    let (world, api, hook, _) = shop(1).await;
    for (message, reason) in
        [("{{metadata.none}}".to_owned(), "empty_message"), ("{{name}}".repeat(500), "message_too_long")]
    {
        let mut draft = text();
        draft["message"] = json!(message);
        let id = launched(&api, draft).await;
        world.drain().await;
        assert_eq!(world.counts(id).await, [("skipped", 2)].into());
        assert_eq!(world.reasons(id).await[reason], 1);
    }
    assert!(hook.received().is_empty());
    // Of who was never sent to there is nothing to report.
    let data = json!({"messageSid": "c:1:1:1", "fromId": "x", "toId": "y", "status": "delivered", "channel": "livechat"});
    let refused = api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await;
    assert_eq!(refused.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_message_has_it_whatever_is_reported_later() {
    let (world, api, hook, _) = shop(1).await;
    let id = launched(&api, text()).await;
    world.drain().await;
    let sid = hook.received()[0].json()["id"].clone();
    let report = async |status: &str| {
        let data =
            json!({"messageSid": sid, "fromId": "x", "toId": "y", "status": status, "channel": "livechat"});
        api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await.expect(200)
    };
    report("delivered").await;
    let failed = report("failed").await;
    assert_eq!((&failed["status"], &failed["duplicate"]), (&json!("delivered"), &json!(true)));
    let row = world.rows(id).await.remove(0);
    assert_eq!((row.progress.failed_at, row.progress.reason), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_may_report_before_it_has_answered() {
    let (world, api, hook, _) = shop(2).await;
    hook.set(Mood::Slow(std::time::Duration::from_millis(300)));
    let id = launched(&api, text()).await;
    let report = async |sid: &Value| {
        let data = json!({"messageSid": sid, "fromId": "x", "toId": "y", "status": "delivered", "channel": "livechat"});
        api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await
    };
    let early = async {
        while hook.received().len() < 2 {
            tokio::task::yield_now().await;
        }
        for one in hook.received() {
            assert_eq!(report(&one.json()["id"]).await.expect(200)["status"], "delivered");
        }
    };
    tokio::join!(world.drain(), early);
    assert_eq!(world.counts(id).await, [("delivered", 2), ("skipped", 1)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_said_to_have_what_was_not_sent_to_them() {
    let (world, api, hook, _) = shop(2).await;
    hook.set(Mood::Answers(429, vec![("retry-after", "120".to_owned())]));
    let id = launched(&api, text()).await;
    let report = async |contact: u64| {
        let sid = format!("c:{id}:{contact}:1:{}", world.tenant());
        let data = json!({"messageSid": sid, "fromId": "x", "toId": "y", "status": "delivered", "channel": "livechat"});
        api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await.status
    };
    // Nobody has claimed anybody yet.
    assert_eq!(report(1).await, 404);
    let held = async {
        while hook.received().is_empty() {
            tokio::task::yield_now().await;
        }
        hook.answer(200);
    };
    tokio::join!(world.drain(), held);
    assert_eq!(world.counts(id).await, [("accepted", 2), ("skipped", 1)].into());
}
