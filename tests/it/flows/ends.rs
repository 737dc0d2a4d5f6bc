//! How a way through a flow ends, and what does not disturb it.

use harness::{Api, Setup, World};
use local::embedded::Chaos;
use serde_json::{Value, json};
use simulators::graph::FaultRule;

use super::{ADA, Listener, booking, made, pass, runs, said, state, world_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_ends_it_and_nothing_starts() {
    let (world, api, flow) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    assert_eq!(ada.says(&world, "STOP").await, Vec::<String>::new());
    assert_eq!(state(&api, &flow).await, ("ended".to_owned(), json!("opted_out")));
    assert_eq!(ada.says(&world, "1").await, Vec::<String>::new());
    assert_eq!(ada.says(&world, "prenota").await, Vec::<String>::new());
    assert_eq!(state(&api, &flow).await.1, "opted_out");
    ada.says(&world, "START").await;
    assert_eq!(ada.says(&world, "prenota").await, ["Ciao Ada!", "Cosa ti serve?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opt_out_by_other_ways_holds_at_the_next_step() {
    let (world, api, flow) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    api.post("/api/suppressions", json!({"number": "+393331112223"})).await.expect(200);
    assert_eq!(ada.says(&world, "1").await, Vec::<String>::new());
    assert_eq!(state(&api, &flow).await, ("ended".to_owned(), json!("opted_out")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_message_say_nothing_twice() {
    let (world, _, _) = world_with(booking()).await;
    let post = async |id: &str, text: &str, at: i64| {
        pass(&world, 1);
        for _ in 0..3 {
            let message = json!({"from": ADA, "text": text, "id": id, "name": "Ada Rossi", "timestamp": at});
            world.simulator.inbound(serde_json::from_value(message).unwrap()).unwrap();
        }
        world.drain().await;
    };
    let began = world.clock.now().as_second() + 1;
    post("wamid.A", "prenota", began).await;
    post("wamid.B", "1", began + 1).await;
    post("wamid.A", "prenota", began).await;
    post("wamid.B", "1", began + 1).await;
    assert_eq!(said(&world, ADA), ["Ciao Ada!", "Cosa ti serve?", "Che giorno?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_takes_over_is_not_talked_over() {
    let (world, api, flow) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    assert_eq!(ada.taps(&world, "person", "Una persona").await, ["Ti passo un collega"]);
    assert_eq!(state(&api, &flow).await, ("ended".to_owned(), json!("handed_over")));
    assert_eq!(ada.says(&world, "prenota").await, Vec::<String>::new(), "a person leads");
    let contact = api.get("/api/contacts").await.expect(200)["contacts"][0]["id"].clone();
    let token = json!({"token": api.token});
    let resumed = api.post(&format!("/api/conversation/{contact}/resume"), token.clone()).await.expect(200);
    assert_eq!(resumed["led_by"], "automatic");
    pass(&world, 1);
    assert_eq!(ada.says(&world, "prenota").await.len(), 2);
    let led = api.post(&format!("/api/conversation/{contact}/handover"), token).await.expect(200);
    assert_eq!(led["led_by"], "person");
    assert_eq!(ada.says(&world, "1").await, Vec::<String>::new());
    pass(&world, 25 * 3_600);
    assert_eq!(ada.says(&world, "prenota").await.len(), 2, "a day later flows start again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_keyword_leaves_a_flow_unless_it_is_an_answer() {
    let (world, api, flow) = world_with(booking()).await;
    let words = json!({"on": "keyword", "words": ["orari", "un tavolo"]});
    let steps = json!({"a": {"do": "message", "text": "9-18"}});
    made(&api, json!({"name": "Orari", "triggers": [words], "start": "a", "steps": steps})).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    assert_eq!(ada.says(&world, "un tavolo").await, ["Che giorno?"], "one of the choices");
    assert_eq!(ada.says(&world, "orari").await, ["9-18"]);
    assert_eq!(runs(&api, &flow).await[0]["state"], "replaced");
    assert_eq!(ada.says(&world, "24/12").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_goes_on_with_who_is_on_the_way_or_ends_them() {
    let (world, api, flow) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    let mut other = booking();
    other["steps"]["day"]["text"] = "Quale giorno?".into();
    let path = format!("/api/flows/{flow}");
    let updated = api.post(&path, json!({"flow": other, "version": 1})).await.expect(200);
    assert_eq!(updated["flow"]["version"], 2);
    assert_eq!(api.post(&path, json!({"flow": booking(), "version": 1})).await.field(409), "version");
    assert_eq!(ada.says(&world, "1").await, ["Quale giorno?"]);
    other["on_change"] = "end".into();
    api.post(&path, json!({"flow": other})).await.expect(200);
    assert_eq!(ada.says(&world, "24/12").await, Vec::<String>::new());
    assert_eq!(state(&api, &flow).await, ("ended".to_owned(), json!("changed")));
    ada.says(&world, "prenota").await;
    api.json(http::Method::DELETE, &path, &json!({})).await.expect(200);
    assert_eq!(ada.says(&world, "1").await, Vec::<String>::new());
    assert_eq!(api.get(&path).await.field(404), "flow_id");
    assert_eq!(ada.says(&world, "prenota").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_too_late_starts_anew() {
    let (world, _, _) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    pass(&world, 25 * 3_600);
    assert_eq!(ada.says(&world, "prenota").await, ["Ciao Ada!", "Cosa ti serve?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_that_duplicate_and_faults_of_meta_repeat_nothing() {
    let chaos = Chaos { duplicate: true, delay: true };
    for seed in 0..4 {
        let world = World::with(Setup { chaos, seed, ..Setup::default() }).await;
        let api = Api::of(&world).await;
        made(&api, booking()).await;
        world.fault(FaultRule { share: Some(0.3), code: Some(130_429), ..FaultRule::default() });
        let mut ada = Listener::new();
        ada.says(&world, "prenota").await;
        ada.says(&world, "1").await;
        ada.says(&world, "24/12").await;
        let expected = ["Ciao Ada!", "Cosa ti serve?", "Che giorno?", "A presto, 2026-12-24"];
        assert_eq!(said(&world, ADA), expected, "{seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_limit_ends_it_with_its_reason() {
    let mut setup = Setup::default();
    setup.plan.messages_per_day = Some(1);
    let world = World::with(setup).await;
    let api = Api::of(&world).await;
    let flow = made(&api, booking()).await;
    let mut ada = Listener::new();
    assert_eq!(ada.says(&world, "prenota").await, ["Ciao Ada!"]);
    let run: Value = runs(&api, &flow).await.remove(0);
    assert_eq!((&run["outcome"], &run["reason"]), (&json!("failed"), &json!("plan_limit")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_who_is_deleted_is_forgotten() {
    let (world, api, flow) = world_with(booking()).await;
    let mut ada = Listener::new();
    ada.says(&world, "prenota").await;
    ada.says(&world, "1").await;
    let contact = api.get("/api/contacts").await.expect(200)["contacts"][0]["id"].clone();
    api.json(http::Method::DELETE, &format!("/api/contacts/{contact}"), &json!({})).await.expect(200);
    world.drain().await;
    assert_eq!(runs(&api, &flow).await[0]["vars"], Value::Null);
    pass(&world, 31 * 60);
    world.sweep().await;
    world.drain().await;
    assert_eq!(ada.hears(&world), Vec::<String>::new());
    assert!(world.store().due(10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_turn_out_to_be_one_are_led_by_one_flow() {
    let steps = json!({
        "q1": {"do": "ask", "text": "Uno?", "next": "q2"},
        "q2": {"do": "ask", "text": "Due?", "next": "end"},
        "end": {"do": "message", "text": "Fine"},
    });
    let words = json!([{"on": "keyword", "words": ["via"]}]);
    let (world, api, flow) =
        world_with(json!({"name": "Domande", "triggers": words, "start": "q1", "steps": steps})).await;
    let id = "IT.13491208655302741918";
    let writes = async |message: Value| {
        pass(&world, 1);
        world.simulator.inbound(serde_json::from_value(message).unwrap()).unwrap();
        world.drain().await;
    };
    writes(json!({"user_id": id, "text": "via"})).await;
    writes(json!({"from": ADA, "text": "via"})).await;
    writes(json!({"from": ADA, "text": "uno"})).await;
    // Both ids in one message: the two are one, and only one run goes on.
    writes(json!({"from": ADA, "user_id": id, "text": "due"})).await;
    writes(json!({"from": ADA, "user_id": id, "text": "tre"})).await;
    assert_eq!(said(&world, ADA), ["Uno?", "Due?", "Fine"]);
    let outcomes: Vec<Value> = runs(&api, &flow).await.iter().map(|run| run["outcome"].clone()).collect();
    assert_eq!(outcomes, ["finished", "replaced"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_kept_ends_and_does_not_come_again() {
    let hook = harness::Hook::new().await;
    let steps = json!({
        "call": {"do": "call", "url": hook.url, "save": {"a": "", "b": "", "c": ""}, "next": "ok"},
        "ok": {"do": "message", "text": "Fatto"},
    });
    let words = json!([{"on": "keyword", "words": ["via"]}]);
    let (world, _, _) =
        world_with(json!({"name": "Grande", "triggers": words, "start": "call", "steps": steps})).await;
    hook.answer_with(&json!({"x": "y".repeat(60_000)}).to_string());
    let mut ada = Listener::new();
    assert_eq!(ada.says(&world, "via").await, ["Fatto"], "there is no on_error");
    assert_eq!(hook.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_another_try_is_withdrawn_with_its_flow() {
    let (world, api, flow) = world_with(booking()).await;
    world.fault(FaultRule { code: Some(130_429), retry_after: Some(60), ..FaultRule::default() });
    pass(&world, 1);
    world.writes(ADA, "prenota");
    world.simulator.webhooks_idle().await;
    let drained = async {
        world.drain().await;
    };
    let deleted = async {
        world.until(|stats| !stats.errors.is_empty()).await;
        api.json(http::Method::DELETE, &format!("/api/flows/{flow}"), &json!({})).await.expect(200);
    };
    tokio::join!(drained, deleted);
    let listed = api.sendapi("/v1/whatsapp/messages?limit=10").await.expect(200).to_string();
    assert!(!listed.contains("\"pending\"") && listed.contains("withdrawn"), "{listed}");
}

#[tokio::test]
async fn a_call_gives_no_more_than_a_run_can_keep() {
    let (_world, api, flow) = world_with(booking()).await;
    let vars = json!({"x": "y".repeat(20_000)});
    let start = json!({"token": api.token, "number": ADA, "vars": vars});
    assert_eq!(api.post(&format!("/api/flows/{flow}/start"), start).await.field(422), "vars");
}
