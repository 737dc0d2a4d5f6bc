//! What steps do.

use harness::{Hook, Mood};
use serde_json::{Value, json};

use super::{ADA, Listener, booking, made, pass, runs, said, state, world_with, writes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_is_led_through() {
    let (world, api, flow) = world_with(booking()).await;
    let told = Hook::new().await;
    api.post("/api/webhooks", json!({"name": "crm", "url": told.url, "events": "flow.ended"})).await;
    let mut ada = Listener::new();
    assert_eq!(ada.says(&world, "Buongiorno").await, Vec::<String>::new());
    assert_eq!(ada.says(&world, "PRENOTA!").await, ["Ciao Ada!", "Cosa ti serve?"]);
    assert_eq!(state(&api, &flow).await, ("asking".to_owned(), Value::Null));
    assert_eq!(ada.taps(&world, "table", "Un tavolo").await, ["Che giorno?"]);
    assert_eq!(ada.says(&world, "non so").await, ["Per esempio 24/12"]);
    assert_eq!(ada.says(&world, "24/12").await, ["A presto, 2026-12-24"]);
    assert_eq!(ada.says(&world, "grazie").await, Vec::<String>::new());
    assert_eq!(state(&api, &flow).await, ("ended".to_owned(), json!("finished")));
    let contacts = api.get("/api/contacts").await.expect(200);
    let contact = &contacts["contacts"][0];
    assert_eq!(
        (&contact["tags"], &contact["metadata"]["day"]),
        (&json!(["prenotato"]), &json!("2026-12-24"))
    );
    let shown = api.sendwo("/api/v1/subscriber/get", &format!("phone={ADA}")).await.expect(200).to_string();
    assert!(shown.contains("Prenota per 2026-12-24") && shown.contains("Prenotazioni"), "{shown}");
    let ended: Vec<Value> = told.received().iter().map(|one| one.json()["data"].clone()).collect();
    assert_eq!(ended.len(), 1, "told once");
    assert_eq!((&ended[0]["outcome"], &ended[0]["vars"]["day"]), (&json!("finished"), &json!("2026-12-24")));
    let history = api.sendapi("/v1/whatsapp/messages?limit=100").await.expect(200).to_string();
    assert_eq!(history.matches("Che giorno?").count(), 1, "it stands in the history");
    let used = world.store().usage(world.tenant()).await.unwrap();
    assert_eq!(used.messages, 5, "each message counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_puts_the_contact_into_lists() {
    let set = json!({"do": "set", "lists": ["Clienti", "1"], "next": "ok"});
    let steps = json!({"set": set, "ok": {"do": "message", "text": "Fatto"}});
    let words = json!([{"on": "keyword", "words": ["iscrivimi"]}]);
    let flow = json!({"name": "Iscrizione", "triggers": words, "start": "set", "steps": steps});
    let (world, api, _) = world_with(flow).await;
    api.post("/api/lists", json!({"name": "Novità"})).await.expect(201);
    let mut ada = Listener::new();
    for _ in 0..2 {
        assert_eq!(ada.says(&world, "iscrivimi").await, ["Fatto"]);
    }
    for list in [1, 2] {
        let listed = api.get(&format!("/api/contacts?list={list}")).await.expect(200);
        assert_eq!(listed["contacts"].as_array().unwrap().len(), 1, "{list}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_and_lists_are_those_of_the_steps() {
    let (world, _api, _) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "book").await;
    let sent = world.simulator.messages(Some(ADA), 10);
    let buttons = &sent[1].body["interactive"]["action"]["buttons"];
    assert_eq!(buttons[0]["reply"], json!({"id": "table", "title": "Un tavolo"}));
    assert_eq!(sent[1].body["interactive"]["type"], "button");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_signed_and_its_answer_is_kept() {
    let hook = Hook::new().await;
    let flow = json!({
        "name": "Ordini", "triggers": [{"on": "keyword", "words": ["ordine"]}], "start": "number",
        "steps": {
            "number": {"do": "ask", "text": "Quale ordine?", "kind": "number", "save": "number", "next": "look"},
            "look": {"do": "call", "url": hook.url, "body": {"order": "{{vars.number}}"},
                     "save": {"state": "/order/state"}, "on_error": "sorry", "next": "tell"},
            "tell": {"do": "message", "text": "L'ordine {{vars.number}} è {{vars.state}}"},
            "sorry": {"do": "message", "text": "Riprova più tardi"},
        },
    });
    let world = harness::World::new().await;
    let api = harness::Api::of(&world).await;
    let made = api.post("/api/flows", json!({"flow": flow})).await.expect(201);
    let secret = made["secret"].as_str().unwrap();
    let mut ada = Listener::new();
    hook.answer_with(r#"{"order": {"state": "in viaggio"}}"#);
    ada.says(&world, "ordine").await;
    assert_eq!(ada.says(&world, "77").await, ["L'ordine 77 è in viaggio"]);
    let calls = hook.received();
    assert_eq!(calls.len(), 1);
    assert!(calls[0].is_signed_with(secret));
    let body = calls[0].json();
    assert_eq!((&body["data"]["order"], &body["vars"]["number"]), (&json!("77"), &json!(77)));
    assert_eq!((&body["step"], &body["reply"]["text"]), (&json!("look"), &json!("77")));
    assert_eq!(body["contact"]["phone"], "+393331112223");
    // A server that never answers well is asked three times, and the flow goes on elsewhere.
    hook.set(Mood::Answers(503, Vec::new()));
    ada.says(&world, "ordine").await;
    assert_eq!(ada.says(&world, "78").await, ["Riprova più tardi"]);
    let ids: Vec<String> =
        hook.received().iter().skip(1).map(|call| call.header("webhook-id").to_owned()).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "under one id: {ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_and_a_question_have_their_time() {
    let (world, api, flow) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    ada.taps(&world, "table", "Un tavolo").await;
    pass(&world, 29 * 60);
    world.sweep().await;
    world.drain().await;
    assert_eq!(ada.hears(&world), Vec::<String>::new());
    pass(&world, 2 * 60);
    for _ in 0..3 {
        world.sweep().await;
        world.drain().await;
    }
    assert_eq!(ada.hears(&world), ["Scrivi quando vuoi"]);
    assert_eq!(state(&api, &flow).await, ("ended".to_owned(), json!("finished")));
    let waits = made(&api, json!({
        "name": "Domani", "triggers": [{"on": "keyword", "words": ["domani"]}], "start": "wait",
        "steps": {"wait": {"do": "wait", "minutes": 600, "next": "hi"}, "hi": {"do": "message", "text": "Eccoci"}},
    }))
    .await;
    assert_eq!(ada.says(&world, "domani").await, Vec::<String>::new());
    assert_eq!(state(&api, &waits).await.0, "waiting");
    pass(&world, 600 * 60);
    world.sweep().await;
    world.drain().await;
    assert_eq!(ada.hears(&world), ["Eccoci"]);
    assert!(world.store().due(10).await.unwrap().is_empty(), "nothing is left in the index");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_and_a_file_are_sent() {
    let (world, api, flow) = world_with(json!({
        "name": "Materiale", "triggers": [{"on": "keyword", "words": ["catalogo"]}], "start": "a",
        "steps": {
            "a": {"do": "message", "template": {"name": "benvenuto", "params": {"body": ["{{first_name|tu}}"]}}, "next": "b"},
            "b": {"do": "message", "text": "Eccolo", "media": {"type": "image", "url": "https://cdn.example.com/a.png"}},
        },
    }))
    .await;
    world.template("benvenuto", "UTILITY", "Ciao {{1}}, ecco il nostro catalogo di quest'anno").await;
    writes(&world, json!({"from": ADA, "text": "catalogo", "name": "Ada Rossi"})).await;
    assert_eq!(said(&world, ADA), ["benvenuto", "Eccolo"]);
    let sent = world.simulator.messages(Some(ADA), 10);
    assert_eq!(sent[0].body["template"]["components"][0]["parameters"][0]["text"], "Ada");
    // Without its template the flow ends, and says why.
    let missing = json!({
        "name": "Manca", "triggers": [{"on": "keyword", "words": ["manca"]}], "start": "a",
        "steps": {"a": {"do": "message", "template": {"name": "nessuno"}}},
    });
    let missing = made(&api, missing).await;
    writes(&world, json!({"from": ADA, "text": "manca"})).await;
    let run = runs(&api, &missing).await.remove(0);
    assert_eq!((&run["outcome"], &run["reason"]), (&json!("failed"), &json!("invalid_field")));
    assert_eq!(state(&api, &flow).await.1, Value::Null, "another flow took its place in the list");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_no_buttons_choices_are_numbered() {
    let (world, api, _) = world_with(booking()).await;
    let hook = Hook::new().await;
    let channel = json!({"name": "LiveChat", "url": hook.url, "rate": 100});
    api.post("/api/channels", channel).await.expect(201);
    let wrote = async |id: &str, body: &str| {
        pass(&world, 1);
        let data = json!({
            "messageSid": id, "fromId": "u1", "toId": "shop", "body": body, "customChannel": "LiveChat",
            "firstName": "Ada",
        });
        api.post("/v1/incoming_custom_channel_message", json!({"customData": data})).await.expect(200);
        world.drain().await;
    };
    let texts = || -> Vec<Value> { hook.received().iter().map(|one| one.json()["text"].clone()).collect() };
    wrote("m1", "prenota").await;
    wrote("m1", "prenota").await;
    let menu = "Cosa ti serve?\n1. Un tavolo\n2. Una persona";
    assert_eq!(texts(), ["Ciao Ada!", menu]);
    wrote("m2", "1").await;
    assert_eq!(texts().last().unwrap(), "Che giorno?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_a_step_sets_the_rest_is_set() {
    let steps = json!({
        "ask": {"do": "ask", "text": "Dimmi", "save": "v", "next": "set"},
        "set": {"do": "set", "add_tags": ["{{vars.v}}", "cliente"], "metadata": {"v": "{{vars.v}}", "big": "{{vars.v}}"},
                "note": "{{vars.v}}", "next": "ok"},
        "ok": {"do": "message", "text": "Fatto"},
    });
    let words = json!([{"on": "keyword", "words": ["via"]}]);
    let flow = json!({"name": "Dati", "triggers": words, "start": "ask", "steps": steps});
    let (world, api, _) = world_with(flow).await;
    // What was there before leaves no room for more.
    let before = json!({"phone": "+393331112223", "metadata": {"old": "x".repeat(12_000)}});
    api.post("/api/contacts", before).await.expect(201);
    let mut ada = Listener::new();
    ada.says(&world, "via").await;
    assert_eq!(ada.says(&world, &"parola ".repeat(500)).await, ["Fatto"]);
    let contact = api.get("/api/contacts").await.expect(200)["contacts"][0].clone();
    let tags: Vec<&str> = contact["tags"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    assert!(tags.contains(&"cliente") && tags.iter().all(|tag| tag.chars().count() <= 64), "{tags:?}");
    assert!(contact["metadata"].get("v").is_none(), "the metadata would be too large");
    let shown = api.sendwo("/api/v1/subscriber/get", &format!("phone={ADA}")).await.expect(200);
    assert!(shown.to_string().contains("parola parola"), "the note is written");
}
