//! What starts a flow, and what does not.

use harness::WABA_ID;
use serde_json::{Value, json};

use super::{ADA, Listener, booking, made, pass, said, state, world_with, writes};

/// A flow that says one thing when this happens.
fn on(trigger: Value, text: &str) -> Value {
    let steps = json!({"a": {"do": "message", "text": text}});
    json!({"name": text, "triggers": [trigger], "start": "a", "steps": steps})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_message_a_button_and_words_start_flows() {
    let (world, api, _) = world_with(on(json!({"on": "first_message"}), "Benvenuta")).await;
    made(&api, on(json!({"on": "button", "ids": ["more"]}), "Ecco di più")).await;
    made(&api, on(json!({"on": "keyword", "words": ["orari"], "match": "contains"}), "9-18")).await;
    let mut ada = Listener::new();
    assert_eq!(ada.says(&world, "ciao").await, ["Benvenuta"]);
    assert_eq!(ada.says(&world, "ciao").await, Vec::<String>::new(), "only the first");
    assert_eq!(ada.says(&world, "Che ORARI fate?").await, ["9-18"]);
    assert_eq!(ada.taps(&world, "more", "Di più").await, ["Ecco di più"]);
    // Of two of the same second one is the first.
    let at = world.clock.now().as_second();
    for text in ["ciao", "ci siete?"] {
        let message = json!({"from": "393331112226", "text": text, "timestamp": at});
        world.simulator.inbound(serde_json::from_value(message).unwrap()).unwrap();
    }
    world.drain().await;
    assert_eq!(said(&world, "393331112226"), ["Benvenuta"]);
    // Whoever begins with a keyword gets what it asks for.
    writes(&world, json!({"from": "393331112224", "text": "orari"})).await;
    assert_eq!(said(&world, "393331112224"), ["9-18"]);
    // A reaction is no message to answer.
    let reaction = json!({"from": "393331112225", "type": "reaction", "reaction": {"message_id": "x", "emoji": "orari"}});
    writes(&world, reaction).await;
    assert_eq!(said(&world, "393331112225"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_a_campaign_starts_one_flow() {
    let (world, api, _) = world_with(on(json!({"on": "campaign_reply"}), "Grazie della risposta")).await;
    world.import([harness::named("+393331112223", "Ada")]).await;
    world.launched().await;
    world.drain().await;
    let mut ada = Listener::new();
    ada.hears(&world);
    assert_eq!(ada.says(&world, "Mi interessa").await, ["Grazie della risposta"]);
    assert_eq!(ada.says(&world, "Ci siete?").await, Vec::<String>::new(), "once for each campaign");
    let of_another = on(json!({"on": "campaign_reply", "campaign_id": 99}), "Mai");
    made(&api, of_another).await;
    let wamid = world.simulator.messages(Some(ADA), 10)[0].wamid.clone();
    let reply = json!({"from": ADA, "text": "Sì", "context": {"id": wamid}});
    writes(&world, reply).await;
    assert_eq!(ada.hears(&world), ["Grazie della risposta"], "a reply to its very message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_starts_a_flow_once() {
    let (world, api, flow) = world_with(on(json!({"on": "tag_added", "tag": "VIP"}), "Sei VIP")).await;
    let mut ada = Listener::new();
    ada.says(&world, "ciao").await;
    let tagged = json!({"phone": "+393331112223", "tags": ["vip"]});
    for _ in 0..2 {
        api.post("/api/contacts", tagged.clone()).await.expect(201);
        world.drain().await;
    }
    assert_eq!(ada.hears(&world), ["Sei VIP"]);
    assert_eq!(state(&api, &flow).await, ("ended".to_owned(), json!("finished")));
    // Who has not written lately cannot be told.
    api.post("/api/contacts", json!({"phone": "+393331112229", "tags": ["Vip"]})).await.expect(201);
    world.drain().await;
    assert_eq!(said(&world, "393331112229"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_starts_a_flow_and_is_repeated_without_harm() {
    let (world, api, flow) = world_with(booking()).await;
    let mut ada = Listener::new();
    let query = format!("phoneNumberId={}&to={ADA}&flowId={flow}", harness::PHONE_NUMBER_ID);
    // The number is new: Meta decides about windows of people that we do not know.
    pass(&world, 25 * 3_600);
    let refused = api.sendwo("/api/v1/whatsapp/trigger-bot-flow", &query).await.expect(200);
    assert_eq!(refused["status"], "0");
    assert!(refused["message"].as_str().unwrap().contains("24 hour"), "{refused}");
    ada.says(&world, "ciao").await;
    for _ in 0..2 {
        let query = format!("{query}&idempotency_key=k1");
        let started = api.sendwo("/api/v1/whatsapp/trigger-bot-flow", &query).await.expect(200);
        assert_eq!(started["status"], "1", "{started}");
        world.drain().await;
    }
    assert_eq!(ada.hears(&world), ["Ciao Ada!", "Cosa ti serve?"]);
    // Another call starts anew, in the place of what is under way.
    let again = query.replace("flowId", "bot_flow_unique_id");
    api.sendwo("/api/v1/whatsapp/trigger-bot", &again).await.expect(200);
    world.drain().await;
    assert_eq!(ada.hears(&world), ["Ciao Ada!", "Cosa ti serve?"]);
    let body = json!({"token": api.token, "number": ADA, "vars": {"day": "domani"}});
    let started = api.post(&format!("/api/flows/{flow}/start"), body).await.expect(202);
    assert_eq!(started["version"], 1);
    world.drain().await;
    assert_eq!(ada.hears(&world).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_of_one_account_is_started_by_its_contacts_alone() {
    let (world, api, _) = world_with(booking()).await;
    let other = ops::accounts::AccountSettings::named("Filiale");
    let other = ops::accounts::create_account(world.store(), &world.caller.tenant, other).await.unwrap();
    let of_other =
        json!({"flow": on(json!({"on": "keyword", "words": ["orari"]}), "9-18"), "account_id": other.id.0});
    api.post("/api/flows", of_other).await.expect(201);
    let mut ada = Listener::new();
    assert_eq!(ada.says(&world, "orari").await, Vec::<String>::new());
    assert_eq!(ada.says(&world, "prenota").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_starts_a_flow_that_knows_it() {
    let steps = json!({
        "thanks": {"do": "message", "text": "{{vars.order_items}}: {{vars.order_total}}", "next": "more"},
        "more": {"do": "message", "text": "Provi anche", "product": {"ids": ["olio"]}, "next": "where"},
        "where": {"do": "ask", "text": "Dove consegniamo?", "save": "address", "next": "tag"},
        "tag": {"do": "set", "add_tags": ["ordine"], "metadata": {"order": "{{vars.order_id}}"}, "next": "person"},
        "person": {"do": "handover", "text": "Arriva a {{vars.address}}"},
    });
    let flow = json!({"name": "Ordini", "triggers": [{"on": "order"}], "start": "thanks", "steps": steps});
    let (world, api, id) = world_with(flow).await;
    let products = json!([{"retailer_id": "pane", "price": "4.50", "currency": "EUR"},
                          {"retailer_id": "olio", "price": "14.90", "currency": "EUR"}]);
    let catalog = json!({"id": "7001", "waba_id": WABA_ID, "products": products});
    world.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
    let items = json!([{"product_retailer_id": "pane", "quantity": 2}, {"product_retailer_id": "olio"}]);
    let order = json!({"from": ADA, "catalog_id": "7001", "items": items});
    world.simulator.order(serde_json::from_value(order).unwrap()).unwrap();
    world.drain().await;
    let mut ada = Listener::new();
    assert_eq!(ada.hears(&world), ["2 x pane, 1 x olio: 23.90 EUR", "Provi anche", "Dove consegniamo?"]);
    let shown = &world.simulator.messages(Some(ADA), 10)[1].body["interactive"];
    assert_eq!(
        (&shown["type"], &shown["action"]["product_retailer_id"]),
        (&json!("product"), &json!("olio"))
    );
    pass(&world, 1);
    assert_eq!(ada.says(&world, "Via Roma 1, Bari").await, ["Arriva a Via Roma 1, Bari"]);
    let orders = api.get("/api/orders").await.expect(200);
    let contact = &api.get("/api/contacts").await.expect(200)["contacts"][0];
    assert_eq!(contact["metadata"]["order"], orders["orders"][0]["id"]);
    assert_eq!(state(&api, &id).await, ("ended".to_owned(), json!("handed_over")));
}
