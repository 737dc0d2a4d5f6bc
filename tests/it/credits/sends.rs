//! Single messages: each is paid, and one that fails is paid back once.

use domain::plan::Plan;
use futures::future::join_all;
use harness::{APP_SECRET, PHONE_NUMBER_ID, Setup, WABA_ID, World, phone, sign, webhook};
use serde_json::{Value, json};
use simulators::graph::FaultRule;

use super::{cost_of_messages, history, purse, send, shop, sum, with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_paid_and_at_zero_none_is_sent() {
    let (world, api, agency) = shop(2).await;
    send(&api, 1).await.expect(200);
    send(&api, 2).await.expect(200);
    let refused = send(&api, 3).await.expect(402);
    assert_eq!(
        (&refused["code"], &refused["reason"]),
        (&json!("insufficient_credits"), &json!("insufficient_credits"))
    );
    let sendwo =
        json!({"apiToken": api.key, "phoneNumberId": PHONE_NUMBER_ID, "to": phone(1), "message": "Ciao"});
    let refused = api.post("/api/v1/whatsapp/send-text-message", sendwo).await.expect(200);
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!("0"), &json!("plan_limit")));
    assert_eq!(world.simulator.messages(None, usize::MAX).len(), 2);
    super::grant(&agency, json!(1), json!({})).await.expect(200);
    send(&api, 3).await.expect(200);
    let told = history(&api, "/api/credits/history", 2).await;
    assert_eq!(
        told.iter().map(|entry| entry["amount"].as_i64().unwrap()).collect::<Vec<_>>(),
        [-1, 1, -1, -1, 2]
    );
    assert_eq!((sum(&told), purse(&world).await.balance), (0, 0));
    assert_eq!(api.get("/api/account").await.expect(200)["usage"]["messages"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn custom_channels_are_paid_by_their_own_price() {
    let (world, api, agency) = shop(10).await;
    let hook = harness::Hook::new().await;
    api.post("/api/channels", json!({"name": "LiveChat", "url": hook.url})).await.expect(201);
    agency.post("/api/subaccounts/prices", json!({"prices": {"default": 1, "custom": 4}})).await.expect(200);
    let chat = async || {
        let data = json!({"fromId": "c-1", "customChannel": "LiveChat", "body": "Ciao"});
        api.post("/v1/send_custom_channel_message", json!({"customData": data})).await
    };
    chat().await.expect(200);
    chat().await.expect(200);
    assert_eq!(chat().await.expect(400)["error"]["code"], "PLAN_LIMIT");
    assert_eq!(purse(&world).await.balance, 2);
    assert_eq!(history(&api, "/api/credits/history", 50).await[0]["channel"], "livechat");
    // The platform says that one failed, twice.
    let sent = history(&api, "/api/credits/history", 50).await[0]["message_id"].clone();
    for _ in 0..2 {
        let data = json!({"messageSid": sent, "fromId": "c-1", "toId": "x", "customChannel": "LiveChat", "status": "failed"});
        api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await.expect(200);
    }
    assert_eq!((purse(&world).await.balance, cost_of_messages(&world).await), (6, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_costs_what_its_category_does() {
    let (world, api, agency) = shop(100).await;
    world.template("saldi", "MARKETING", "Saldi per tutti, solo oggi.").await;
    world.template("avviso", "UTILITY", "Il negozio è aperto, ti aspettiamo.").await;
    let prices = json!({"prices": {"default": 1, "whatsapp": {"marketing": 30, "utility": 5, "service": 2}}});
    agency.post("/api/subaccounts/prices", prices).await.expect(200);
    for (name, left) in [("saldi", 70), ("avviso", 65)] {
        let call = json!({"name": name, "language": "it"});
        let body = json!({"token": api.token, "number": phone(1), "type": "template", "template": call});
        api.post("/api/whatsapp-meta/send", body).await.expect(200);
        assert_eq!(purse(&world).await.balance, left, "{name}");
    }
    send(&api, 1).await.expect(200);
    assert_eq!(purse(&world).await.balance, 63);
}

/// Meta's status of a message, posted to us.
async fn fails(world: &World, wamid: &str, times: usize) {
    let status = json!({"id": wamid, "status": "failed", "timestamp": "1782892900", "recipient_id": &phone(1)[1..],
                        "errors": [{"code": 131_026, "title": "Message undeliverable"}]});
    let metadata = json!({"phone_number_id": PHONE_NUMBER_ID});
    let value =
        json!({"messaging_product": "whatsapp", "metadata": metadata, "statuses": vec![status; times]});
    let body = webhook(&[(WABA_ID, vec![json!({"field": "messages", "value": value})])]).to_string();
    world.meta_posts(body.as_bytes(), Some(&sign(APP_SECRET, body.as_bytes()))).await.unwrap();
    world.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_paid_back_once() {
    let (world, api, _) = shop(10).await;
    world.set(json!({"delivered_after_ms": null, "sent_after_ms": null}));
    // Meta refuses it at once.
    world.fault(FaultRule { code: Some(131_026), next: Some(1), ..FaultRule::default() });
    send(&api, 1).await.expect(422);
    assert_eq!((purse(&world).await.balance, purse(&world).await.refunded), (10, 1));
    // Meta says so later, and again.
    let sent = send(&api, 1).await.expect(200);
    assert_eq!(purse(&world).await.balance, 9);
    let wamid = sent["message_id"].as_str().unwrap();
    fails(&world, wamid, 2).await;
    fails(&world, wamid, 1).await;
    assert_eq!((purse(&world).await.balance, purse(&world).await.refunded), (10, 2));
    let told = history(&api, "/api/credits/history", 50).await;
    let kinds: Vec<&Value> = told.iter().map(|entry| &entry["type"]).collect();
    assert_eq!(kinds, ["refund", "debit", "refund", "debit", "grant"]);
    assert_eq!(sum(&told), 10);
    // What was refused counts for nothing; what was taken does.
    assert_eq!(api.get("/api/account").await.expect(200)["usage"]["messages"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_been_sent_stays_paid_until_that_is_known() {
    let (world, api, _) = shop(10).await;
    world.fault(FaultRule { timeout_after_accept: true, next: Some(1), ..FaultRule::default() });
    send(&api, 1).await.expect(504);
    assert_eq!((purse(&world).await.balance, cost_of_messages(&world).await), (9, 1));
    world.drain().await;
    assert_eq!((purse(&world).await.balance, cost_of_messages(&world).await), (9, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_no_more_are_sent_than_are_paid() {
    let (world, api, _) = shop(5).await;
    let answers = join_all((0..12).map(|n| send(&api, n))).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(402)), (5, 7), "{answers:?}");
    assert_eq!(world.simulator.messages(None, usize::MAX).len(), 5);
    assert_eq!((purse(&world).await.balance, cost_of_messages(&world).await), (0, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plans_limits_hold_beside_the_credits() {
    let plan = Plan { messages_per_minute: Some(2), messages_per_day: Some(3), ..Plan::default() };
    let (world, api, _) = with(Setup { plan, credits: Some(100), ..Setup::default() }).await;
    send(&api, 1).await.expect(200);
    send(&api, 1).await.expect(200);
    let refused = send(&api, 1).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (429, &json!("rate_limited")));
    world.clock.advance_ms(60_000);
    send(&api, 1).await.expect(200);
    assert_eq!(send(&api, 1).await.expect(403)["code"], "plan_limit");
    assert_eq!(purse(&world).await.balance, 97);
    let used = api.sendwo("/api/v1/user/usage/log", "").await.expect(200);
    assert_eq!(used["message"]["modules"][0]["used"], 3);
    world.clock.advance_ms(86_400_000);
    world.writes(&phone(1), "Buongiorno");
    world.drain().await;
    send(&api, 1).await.expect(200);
    assert_eq!(api.get("/api/account").await.expect(200)["usage"]["messages"], 4);
    // Another month, other counts.
    world.clock.advance_ms(31 * 86_400_000);
    assert_eq!(api.get("/api/account").await.expect(200)["usage"]["messages"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_account_says_by_itself_is_free() {
    let setup = Setup { credits: Some(0), help_message: Some("Aperti 9-18".to_owned()), ..Setup::default() };
    let (world, api, _) = with(setup).await;
    let settings = json!({"token": api.token, "opt_out_message": "Non ti scriviamo più"});
    api.post("/api/accounts/settings", settings).await.expect(200);
    for word in ["HELP", "STOP"] {
        world.writes(&phone(1), word);
        world.drain().await;
    }
    assert_eq!(world.simulator.messages(None, usize::MAX).len(), 2);
    assert_eq!(purse(&world).await.debited, 0);
}

/// The units that a message takes, and the requests.
async fn spent(world: &World, api: &harness::Api) -> (f64, u64) {
    send(api, 1).await.expect(200);
    world.drain().await;
    world.embedded.reset_capacity();
    for _ in 0..20 {
        send(api, 1).await.expect(200);
    }
    let spent = world.embedded.capacity();
    (spent.write_units() / 20.0, spent.requests())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credits_take_one_write_unit_of_a_message_and_no_request() {
    let (world, api, _) = shop(1_000).await;
    let paid = spent(&world, &api).await;
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    let api = harness::Api::of(&world).await;
    let free = spent(&world, &api).await;
    assert!(paid.0 - free.0 <= 1.0, "{paid:?} {free:?}");
    assert!(paid.1 <= free.1, "{paid:?} {free:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_flow_says_is_paid_and_at_zero_it_ends() {
    let (world, api, _) = shop(2).await;
    let steps = json!({
        "a": {"do": "message", "text": "Uno", "next": "b"},
        "b": {"do": "message", "text": "Due", "next": "c"},
        "c": {"do": "message", "text": "Tre"},
    });
    let words = json!([{"on": "keyword", "words": ["conta"]}]);
    let flow = json!({"name": "Conta", "triggers": words, "start": "a", "steps": steps});
    let made = api.post("/api/flows", json!({"flow": flow})).await.expect(201);
    // One is refused for now: it is paid once for all tries.
    world.fault(FaultRule { code: Some(130_429), next: Some(1), ..FaultRule::default() });
    world.writes(&phone(1)[1..], "conta");
    world.drain().await;
    assert_eq!(world.simulator.messages(None, usize::MAX).len(), 2);
    assert_eq!((purse(&world).await.balance, cost_of_messages(&world).await), (0, 2));
    let path = format!("/api/flows/{}/runs", made["flow"]["id"].as_str().unwrap());
    let run = api.get(&path).await.expect(200)["runs"][0].clone();
    assert_eq!((&run["outcome"], &run["reason"]), (&json!("failed"), &json!("insufficient_credits")));
    assert_eq!(api.get("/api/account").await.expect(200)["usage"]["messages"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_withdrawn_from_a_flow_is_paid_back() {
    let (world, api, _) = shop(2).await;
    let steps = json!({"a": {"do": "message", "text": "Uno"}});
    let words = json!([{"on": "keyword", "words": ["conta"]}]);
    let flow = json!({"name": "Conta", "triggers": words, "start": "a", "steps": steps});
    api.post("/api/flows", json!({"flow": flow})).await.expect(201);
    // It waits for another try, and before that comes, STOP.
    world.fault(FaultRule { code: Some(130_429), retry_after: Some(120), ..FaultRule::default() });
    world.writes(&phone(1)[1..], "conta");
    world.writes(&phone(1)[1..], "STOP");
    world.drain().await;
    assert_eq!(world.simulator.messages(None, usize::MAX).len(), 0);
    assert_eq!((purse(&world).await.balance, cost_of_messages(&world).await), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_told_of_an_order_for_credits() {
    let (world, api, agency) = shop(1).await;
    let catalog =
        json!({"id": "7001", "waba_id": WABA_ID, "products": [{"retailer_id": "pane", "price": 2}]});
    world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
    let items = json!([{"product_retailer_id": "pane"}]);
    let order = json!({"from": phone(1), "catalog_id": "7001", "items": items});
    world.simulator.order(serde_json::from_value(order).unwrap()).unwrap();
    world.drain().await;
    let orders = api.get("/api/orders").await.expect(200);
    let path = format!("/api/orders/{}", orders["orders"][0]["id"].as_str().unwrap());
    let told = async |status: &str| {
        let change = json!({"status": status, "notify": true});
        api.post(&path, change).await.expect(200)["notification"].clone()
    };
    assert_eq!(told("processing").await["status"], "sent");
    assert_eq!(purse(&world).await.balance, 0);
    let refused = told("shipped").await;
    assert_eq!((&refused["status"], &refused["code"]), (&json!("not_sent"), &json!("insufficient_credits")));
    super::grant(&agency, json!(1), json!({})).await.expect(200);
    assert_eq!(told("shipped").await["status"], "sent", "the order went on, and is told later");
}
