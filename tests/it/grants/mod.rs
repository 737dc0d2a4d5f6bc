//! No function is granted more than it uses: a tour of the product that has each function
//! do everything that its entry in the registry is there for.

mod commerce;
mod paid;

use std::collections::BTreeSet;
use std::pin::Pin;

use domain::ContactId;
use domain::contact::NewContact;
use domain::message::Address;
use harness::{
    APP_SECRET, Api, Hook, PHONE_NUMBER_ID, Setup, VERIFY_TOKEN, WABA_ID, World, person, phone, sign,
    text_change, webhook,
};
use http::{Method, Request};
use local::embedded::{Reached, Use};
use ops::suppression::Whom;
use serde_json::{Value, json};
use simulators::graph::FaultRule;
use store::outbox::{ContactChange, Facts};

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13];

/// Everything of the table and the queues that is granted. What is granted of the bucket is
/// used by whoever follows a signed address.
fn granted() -> BTreeSet<Use> {
    let of = |function: &'static registry::Function| {
        let reads = function.reads.iter().map(|kind| Reached::Read(*kind));
        let writes = function.writes.iter().map(|kind| Reached::Written(*kind));
        let feeds = function.feeds.iter().map(|queue| Reached::Fed(queue.as_str()));
        let all = reads.chain(writes).chain(feeds);
        all.map(|what| Use { function: function.name, what })
    };
    registry::ALL.iter().flat_map(|function| of(function)).collect()
}

/// A tenant that wants to be told of everything.
async fn shop() -> (World, Api, Hook) {
    let setup = Setup { any_number: true, help_message: Some("Aperti 9-18".to_owned()), ..Setup::default() };
    let world = World::with(setup).await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let told = json!({"name": "crm", "url": hook.url});
    assert!(api.post("/api/webhooks", told).await.status.is_success());
    (world, api, hook)
}

/// A call that has to be taken; it names the account.
async fn done(api: &Api, method: Method, path: &str, mut body: Value) -> Value {
    body["token"] = json!(api.token);
    let answer = api.json(method, path, &body).await;
    assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.json());
    answer.json()
}

async fn post(api: &Api, path: &str, body: Value) -> Value {
    done(api, Method::POST, path, body).await
}

/// Profile, accounts, operators and keys.
async fn accounts() -> World {
    let (world, api, _) = shop().await;
    for path in ["/api/account", "/api/get_tokens", "/api/operators"] {
        api.get(path).await.expect(200);
    }
    post(&api, "/api/create_accounts", json!({"name": "Secondo"})).await;
    post(&api, "/api/accounts/settings", json!({"help_message": "Sempre aperti"})).await;
    let operator = post(&api, "/api/operators", json!({"name": "Bruno"})).await;
    let id = operator["operator"]["id"].as_str().unwrap();
    post(&api, &format!("/api/operators/{id}/disable"), json!({})).await;
    api.of_another_tenant().await;
    let plan = Request::post("/api/plans").header("x-admin-key", harness::ADMIN_KEY);
    let plan = plan.header("content-type", "application/json").body(r#"{"name": "Growth"}"#.into()).unwrap();
    api.send(plan).await.expect(200);
    post(&api, "/api/account/regenerate_key", json!({})).await;
    world
}

/// Numbers and custom channels.
async fn senders() -> World {
    let (world, api, hook) = shop().await;
    let number = json!({"phone_number_id": "200200200200200", "waba_id": WABA_ID, "access_token": "EAA-test",
                        "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN});
    post(&api, "/api/accounts/connect_meta", number).await;
    post(&api, "/api/senders/default", json!({"sender": "200200200200200"})).await;
    api.get("/api/senders").await.expect(200);
    done(&api, Method::DELETE, "/api/senders/200200200200200", json!({})).await;
    post(&api, "/api/channels", json!({"name": "LiveChat", "url": hook.url})).await;
    done(&api, Method::DELETE, "/api/channels/LiveChat", json!({})).await;
    world
}

/// Contacts that come, are found and go.
async fn contacts() -> World {
    let (world, api, hook) = shop().await;
    post(&api, "/api/channels", json!({"name": "LiveChat", "url": hook.url})).await;
    let row = json!({"name": "Ada", "email": "ada@example.com", "channels": {"LiveChat": "7"},
                     "tags": "vip", "idempotency_key": "k-1"});
    post(&api, "/api/contacts", row).await;
    // Somebody who opted out on a channel turns out to have a number.
    let tenant = world.tenant();
    let whom = Whom::Contact(ContactId(1));
    ops::suppression::add(&world.publisher(), tenant, &whom, None).await.unwrap();
    let row = json!({"phone": phone(7), "email": "ada@example.com"});
    post(&api, "/api/contacts", row).await;
    let rows = json!({"contacts": [{"phone": phone(1)}, {"phone": phone(2), "email": "b@example.com"}]});
    post(&api, "/api/contacts/bulk", rows).await;
    // Two contacts of before that are one, and opted out as one of them.
    for (id, phone, user) in [(7_001, "+5215512345678", "MX.1"), (7_002, "+525512345678", "MX.2")] {
        let contact = json!({"id": id, "ver": 1, "phone": phone, "bsuid": user, "created": 1, "updated": 1, "q": phone});
        world.left_before(&format!("CONTACTS#{tenant}#0000007"), &format!("{id:010}"), &contact).await;
        world.left_before(&format!("IDENT#{tenant}#phone#{phone}"), "-", &json!({"id": id})).await;
        world.left_before(&format!("IDENT#{tenant}#bsuid#{user}"), "-", &json!({"id": id})).await;
    }
    world.left_before(&format!("BLOCKS#{tenant}"), "0000007", &json!({"count": 2, "ver": 1})).await;
    let whom = Whom::Address(Address::Bsuid("MX.2".to_owned()));
    ops::suppression::add(&world.publisher(), tenant, &whom, None).await.unwrap();
    api.get("/api/contacts?search=ada").await.expect(200);
    world.drain().await;
    done(&api, Method::DELETE, "/api/contacts/1", json!({})).await;
    world.drain().await;
    world
}

/// Files of contacts, in and out: one merges people of whom one opted out.
async fn contact_files() -> World {
    let (world, api, hook) = shop().await;
    post(&api, "/api/channels", json!({"name": "LiveChat", "url": hook.url})).await;
    let row = json!({"email": "ada@example.com", "channels": {"LiveChat": "7"}});
    post(&api, "/api/contacts", row).await;
    let whom = Whom::Contact(ContactId(1));
    ops::suppression::add(&world.publisher(), world.tenant(), &whom, None).await.unwrap();
    let file = format!("telefono,email\n{},ada@example.com\n{},b@example.com\n12,\n", phone(7), phone(8));
    let fields = [("apikey", api.key.as_str()), ("token", api.token.as_str()), ("idempotency_key", "k-1")];
    for more in [[("dry_run", "1")], [("tags", "lista")]] {
        let fields = [&fields[..], &more[..]].concat();
        let answer =
            api.upload("/api/contacts/imports", &fields[..], ("a.csv", "text/csv", file.as_bytes())).await;
        assert!(answer.status.is_success() || answer.status == 409, "{}", answer.json());
    }
    let fields = &[&fields[..2], &[("tags", "lista")]].concat()[..];
    let answer = api.upload("/api/contacts/imports", fields, ("a.csv", "text/csv", file.as_bytes())).await;
    answer.expect(202);
    world.drain().await;
    let announced = post(&api, "/api/contacts/imports", json!({"size": file.len()})).await;
    put(&world, &announced, file.into_bytes()).await;
    post(&api, "/api/contacts/exports", json!({})).await;
    world.drain().await;
    world
}

/// Puts a file where an announcement says.
async fn put(world: &World, announced: &Value, bytes: Vec<u8>) {
    let url: http::Uri = announced["upload_url"].as_str().unwrap().parse().unwrap();
    let mut request = Request::put(&url).header("host", url.host().unwrap());
    for (name, value) in announced["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    assert_eq!(world.s3(request.body(bytes.into()).unwrap()).await.0, 200);
}

/// Single messages, and what becomes of them.
async fn messages() -> World {
    let (world, api, hook) = shop().await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    world.template("saldi", "MARKETING", "Saldi per tutti, solo oggi.").await;
    post(&api, "/api/accounts/settings", json!({"frequency_cap": "100/7"})).await;
    world.writes(&phone(1), "ciao");
    world.writes(&phone(2), "HELP");
    world.writes(&phone(3), "STOP");
    let system = json!({"type": "user_changed_number", "wa_id": "393339990009"});
    let notice = json!({"from": "393339990008", "id": "wamid.n", "type": "system", "system": system});
    let metadata = json!({"phone_number_id": PHONE_NUMBER_ID});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "messages": [notice]});
    let body = webhook(&[(WABA_ID, vec![json!({"field": "messages", "value": value})])]).to_string();
    world.meta_posts(body.as_bytes(), Some(&sign(APP_SECRET, body.as_bytes()))).await.unwrap();
    world.drain().await;
    let url = upload(&world, &api).await;
    let send = json!({"number": phone(1), "type": "media", "media_url": url,
                      "media_type": "image", "idempotency_key": "k-1"});
    post(&api, "/api/whatsapp-meta/send", send).await;
    // The provider knows them by another number.
    world.set(json!({"wa_ids": {&phone(1)[1..]: "393339990001"}}));
    let call = json!({"name": "saldi", "language": "it"});
    let send = json!({"number": phone(1), "type": "template", "template": call});
    post(&api, "/api/whatsapp-meta/send", send).await;
    let text = json!({"token": api.token, "number": phone(3), "type": "freetext", "message": "Ciao"});
    assert_eq!(api.post("/api/whatsapp-meta/send", text).await.expect(422)["code"], "opted_out");
    api.get(&format!("/api/whatsapp-meta/get_templates?token={}", api.token)).await.expect(200);
    post(&api, "/api/suppressions", json!({"number": phone(4)})).await;
    post(&api, "/api/channels", json!({"name": "LiveChat", "url": hook.url})).await;
    let chat = json!({"fromId": "c-1", "customChannel": "LiveChat", "body": "Ciao", "firstName": "Jane"});
    post(&api, "/v1/send_custom_channel_message", json!({"customData": chat})).await;
    let campaign = world.draft("avviso").await;
    world.launch(campaign).await;
    world.drain().await;
    let query = format!("phoneNumber={}", phone(1));
    api.sendwo("/api/v1/whatsapp/conversation", &query).await.expect(200);
    api.sendapi("/v1/whatsapp/messages").await.expect(200);
    world.drain().await;
    verify(&world, &api).await;
    lose_a_message(&world, &api).await;
    world
}

/// Somebody proves that a number is theirs.
async fn verify(world: &World, api: &Api) {
    world.template("codice", "AUTHENTICATION", "").await;
    world.clock.advance_ms(61_000);
    let to = json!({"to": phone(5)});
    api.post_sendapi("/v1/verify/send", to.clone()).await.expect(200);
    let sent = world.simulator.messages(Some(&phone(5)), 1).remove(0);
    let code = &sent.body["template"]["components"][0]["parameters"][0]["text"];
    let typed = json!({"to": phone(5), "code": code});
    assert_eq!(api.post_sendapi("/v1/verify/check", typed).await.expect(200)["data"]["valid"], true);
    api.post_sendapi("/v1/phone/validate", json!({"phone": phone(5)})).await.expect(200);
}

/// A process that sends ends amid its call; the sweep finds its message.
async fn lose_a_message(world: &World, api: &Api) {
    let text = json!({"token": api.token, "number": phone(1), "type": "freetext", "message": "Ciao"});
    world.fault(FaultRule { delay_ms: 60_000, next: Some(1), ..FaultRule::default() });
    let sent = api.post("/api/whatsapp-meta/send", text);
    let called = async {
        let before = world.simulator.stats().calls;
        world.until(|stats| stats.calls > before).await;
    };
    tokio::select! {
        answer = sent => panic!("{answer:?}"),
        () = called => {}
    }
    world.clock.advance_ms(120_000);
    world.sweep().await;
}

/// A picture that was uploaded straight to the bucket, and checked.
async fn upload(world: &World, api: &Api) -> Value {
    let body = json!({"filename": "foto.png", "content_type": "image/png", "size": PNG.len()});
    let announced = post(api, "/api/campaigns/upload_url", body).await;
    put(world, &announced, PNG.to_vec()).await;
    world.drain().await;
    announced["url"].clone()
}

/// A shop with people who wrote, a custom channel, a picture and two templates.
async fn campaigning() -> (World, Api, Hook, Value) {
    let (world, api, hook) = shop().await;
    hook.answer_with(r#"{"id": "platform-1"}"#);
    world.import((0..6).map(person)).await;
    let on = NewContact { custom: Some(("livechat".to_owned(), "7".to_owned())), ..NewContact::default() };
    post(&api, "/api/channels", json!({"name": "LiveChat", "url": hook.url})).await;
    world.import([on]).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    world.template("saldi", "MARKETING", "Saldi per tutti, solo oggi.").await;
    post(&api, "/api/accounts/settings", json!({"frequency_cap": "100/7"})).await;
    for n in [1, 3, 4, 5] {
        world.writes(&phone(n), "ciao");
    }
    world.writes(&phone(2), "STOP");
    world.drain().await;
    let url = upload(&world, &api).await;
    let header = json!({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}});
    let body =
        json!({"type": "BODY", "text": "Ciao {{1}}, ecco la foto", "example": {"body_text": [["Ada"]]}});
    let new = json!({"name": "foto", "category": "UTILITY", "components": [header, body]});
    post(&api, "/api/whatsapp-meta/create_template", new).await;
    (world, api, hook, url)
}

/// Drafts a campaign and looks whether it may be launched.
async fn drafted(api: &Api, more: &Value) -> u64 {
    let mut draft = json!({"name": "Novità", "channel": "whatsapp"});
    draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let id = post(api, "/api/campaigns/draft", draft).await["campaign_id"].as_u64().unwrap();
    post(api, &format!("/api/campaigns/{id}/preflight"), json!({})).await;
    id
}

async fn launched(api: &Api, more: &Value) -> u64 {
    let id = drafted(api, more).await;
    post(api, "/api/campaigns/launch", json!({"campaign_id": id})).await;
    id
}

async fn control(api: &Api, id: u64, what: &str, how: Value) {
    post(api, &format!("/api/campaigns/{id}/{what}"), how).await;
}

fn template() -> Value {
    json!({"message_type": "template", "template_name": "avviso", "template_params": ["x"]})
}

/// Campaigns: launched and scheduled, of templates and texts, over both channels, sent
/// again and reported.
async fn campaigns() -> World {
    let (world, api, _hook, url) = campaigning().await;
    let pictured = json!({"message_type": "template", "template_name": "foto", "template_params": ["x"],
                          "media_url": url});
    let missing = json!({"message_type": "template", "template_name": "manca"});
    let chat = json!({"channel": "LiveChat", "message_type": "text", "message": "Ciao",
                      "idempotency_key": "k-1"});
    for mut scheduled in [chat, template(), pictured, missing] {
        scheduled["scheduled_at"] = json!("2026-07-01T10:00:00Z");
        drafted(&api, &scheduled).await;
    }
    // Who is refused is sent to again; who asks the provider to stop is not.
    world.fault(FaultRule { code: Some(131_026), next: Some(1), ..FaultRule::default() });
    world.fault(FaultRule { code: Some(131_050), next: Some(1), ..FaultRule::default() });
    let first = launched(&api, &template()).await;
    world.drain().await;
    control(&api, first, "resume", json!({"only": "failed"})).await;
    world.drain().await;
    api.report(&world, domain::CampaignId(first), "csv").await;
    api.get(&format!("/api/campaigns/{first}")).await.expect(200);
    world.clock.advance_ms(3 * 60 * 60 * 1_000);
    world.sweep().await;
    world.drain().await;
    // WhatsApp knows some of them by the numbers of other contacts, and says so in its answer:
    // the two are one. Of two at most one was who asked the provider to stop.
    for other in ["+393339990003", "+393339990004"] {
        post(&api, "/api/contacts", json!({"phone": other})).await;
    }
    let wa_ids = json!({&phone(3)[1..]: "393339990003", &phone(4)[1..]: "393339990004"});
    let quiet = json!({"wa_ids": wa_ids, "sent_after_ms": null, "delivered_after_ms": null});
    world.set(quiet);
    launched(&api, &template()).await;
    launched(&api, &json!({"message_type": "template", "template_name": "saldi"})).await;
    world.drain().await;
    world
}

/// Campaigns that do not just run: one whose recipient goes while it is paused, one that is
/// cancelled, one that the provider holds up, one that is stuck.
async fn interrupted() -> World {
    let (world, api, _hook, url) = campaigning().await;
    let picture = json!({"message_type": "media_only", "media_url": url, "media_type": "image"});
    let paused = launched(&api, &picture).await;
    control(&api, paused, "pause", json!({})).await;
    done(&api, Method::DELETE, "/api/contacts/5", json!({})).await;
    control(&api, paused, "resume", json!({})).await;
    world.drain().await;
    let cancelled = launched(&api, &template()).await;
    control(&api, cancelled, "cancel", json!({})).await;
    world.drain().await;
    // The provider asks to be left alone for two minutes: the runner comes back then.
    world.fault(FaultRule {
        code: Some(80_007),
        retry_after: Some(120),
        next: Some(1),
        ..FaultRule::default()
    });
    launched(&api, &template()).await;
    world.drain().await;
    launched(&api, &template()).await;
    world.lose_jobs().await;
    world.clock.advance_ms(60_000);
    world.sweep().await;
    world.drain().await;
    world
}

/// What the outside posts to us.
async fn inbound() -> World {
    let (world, api, _) = shop().await;
    let path = format!("/api/integrations/webhook/{}?source=crm", api.token);
    post(&api, &path, json!({"name": "Ada", "email": "ada@example.com"})).await;
    post(&api, "/api/integrations/secrets", json!({"shop": "shopify", "secret": "fake-shop-secret"})).await;
    let channel = Hook::new().await;
    post(&api, "/api/channels", json!({"name": "LiveChat", "url": channel.url})).await;
    let on = NewContact { custom: Some(("livechat".to_owned(), "c-1".to_owned())), ..NewContact::default() };
    world.import([on]).await;
    let text = json!({"name": "x", "channel": "LiveChat", "message_type": "text", "message": "Ciao"});
    let campaign = post(&api, "/api/campaigns/draft", text).await["campaign_id"].clone();
    post(&api, "/api/campaigns/launch", json!({"campaign_id": campaign})).await;
    world.drain().await;
    let data = |id: &Value, more: Value| {
        let mut data =
            json!({"messageSid": id, "fromId": "c-1", "toId": "shop", "customChannel": "LiveChat"});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"customData": data})
    };
    let sent = channel.received().remove(0).json();
    for (id, more) in [
        (&sent["id"], json!({"status": "delivered"})),
        (&json!("m-1"), json!({"body": "HELP", "campaignId": campaign.to_string()})),
        (&json!("m-2"), json!({"body": "STOP"})),
    ] {
        post(&api, "/v1/incoming_custom_channel_message", data(id, more)).await;
    }
    let verify = format!("/webhooks/meta?hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1");
    assert_eq!(api.get(&verify).await.status, 200);
    let template = json!({"field": "message_template_status_update", "value": {"event": "PAUSED"}});
    for change in [text_change(PHONE_NUMBER_ID, &phone(1), "wamid.1", "ciao"), template] {
        let body = webhook(&[(WABA_ID, vec![change])]).to_string();
        let request = Request::post("/webhooks/meta");
        let request = request.header("x-hub-signature-256", sign(APP_SECRET, body.as_bytes()));
        assert_eq!(api.send(request.body(body.into()).unwrap()).await.status, 200);
    }
    world.drain().await;
    // A status pauses the campaign.
    world.import([person(1)]).await;
    world.fault(FaultRule { status_failed: Some(131_042), next: Some(1), ..FaultRule::default() });
    world.launched().await;
    world.drain().await;
    world
}

/// Endpoints that fail, are taken up again, are sent again what they missed, and are gone.
async fn webhooks() -> World {
    let (world, api, hook) = shop().await;
    let other = Hook::new().await;
    let gone = json!({"name": "old", "url": other.url});
    assert!(api.post("/api/webhooks", gone).await.status.is_success());
    let made = json!({"apiToken": api.key, "name": "b", "targetUrl": other.url, "idempotency_key": "k-1"});
    post(&api, "/api/v1/webhook/workflow/create", made).await;
    other.answer(410);
    hook.answer(500);
    post(&api, "/api/contacts", json!({"email": "a@example.com"})).await;
    world.drain().await;
    world.lose_jobs().await;
    post(&api, "/api/webhooks/1/test", json!({})).await;
    hook.answer(200);
    world.clock.advance_ms(3 * 60 * 60 * 1_000);
    world.sweep().await;
    world.drain().await;
    for path in ["/api/webhooks", "/api/webhooks/1/deliveries"] {
        api.get(path).await.expect(200);
    }
    post(&api, "/api/webhooks/1/test", json!({})).await;
    post(&api, "/api/webhooks/1/replay", json!({"delivery_id": 1})).await;
    let set = json!({"url": hook.url});
    post(&api, "/api/whatsapp-meta/set_webhook", set.clone()).await;
    done(&api, Method::DELETE, "/api/whatsapp-meta/set_webhook", set).await;
    done(&api, Method::DELETE, "/api/webhooks/1", json!({})).await;
    // A request that broke off after it wrote down what is to be told.
    let fresh = Facts::Contacts(vec![ContactChange::new(ContactId(1), 1, false)]);
    let note = world.store().note(world.tenant(), [fresh]);
    let _left_behind = world.store().write_note(note).await.unwrap();
    world.clock.advance_ms(15_000);
    world.sweep().await;
    world
}

/// What a story used, without the world that it was played in.
async fn used(story: Pin<Box<impl Future<Output = World>>>) -> BTreeSet<Use> {
    story.await.uses()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_function_is_granted_more_than_it_uses() {
    let stories = futures::join!(
        used(Box::pin(accounts())),
        used(Box::pin(paid::credits())),
        used(Box::pin(senders())),
        used(Box::pin(contacts())),
        used(Box::pin(contact_files())),
        used(Box::pin(messages())),
        used(Box::pin(campaigns())),
        used(Box::pin(interrupted())),
        used(Box::pin(inbound())),
        used(Box::pin(commerce::flows())),
        used(Box::pin(commerce::catalogs())),
        used(Box::pin(webhooks()))
    );
    let stories: [BTreeSet<Use>; 12] = stories.into();
    let used: BTreeSet<Use> = stories.into_iter().flatten().collect();
    let unused = granted().into_iter().filter(|one| !used.contains(one));
    let unused: Vec<String> = unused.map(|one| format!("{} {:?}", one.function, one.what)).collect();
    assert!(unused.is_empty(), "granted and not used:\n{}", unused.join("\n"));
}
