//! Reading a catalog: what is new, what changed, what is gone.

use futures::future::join_all;
use harness::{Api, WABA_ID, World};
use http::Method;
use serde_json::{Value, json};
use simulators::graph::{FaultRule, FaultTarget};

use super::{CATALOG, begin, bread, done, gone, large, post, products, progress, shop, stock, synced};

const FORM: &str = "application/x-www-form-urlencoded";
/// Nobody is at work any more after so long, in milliseconds.
const DEAD_MS: i64 = 21 * 60_000;

fn fault(code: u32, next: u64) -> FaultRule {
    FaultRule { code: Some(code), next: Some(next), on: FaultTarget::Catalogs, ..FaultRule::default() }
}

fn counts(sync: &Value) -> [u64; 5] {
    ["read", "created", "updated", "unchanged", "gone"].map(|name| sync[name].as_u64().unwrap())
}

#[tokio::test]
async fn what_changed_is_written_and_what_is_gone_is_marked() {
    let (world, api) = shop().await;
    let listed = done(&api, "/api/v1/catalog/list", json!({})).await;
    assert_eq!(listed["message"][0]["catalog_id"], CATALOG);
    assert_eq!(listed["message"][0]["sync"], Value::Null);
    assert_eq!(begin(&api).await["state"], "queued");
    world.drain().await;
    let sync = progress(&api).await;
    assert_eq!((&sync["state"], counts(&sync)), (&json!("finished"), [3, 3, 0, 0, 0]));
    let all = products(&api).await;
    let names: Vec<&str> = all.iter().map(|product| product["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["dolce", "pane", "vino"]);
    assert_eq!(
        (&all[1]["price"], &all[1]["currency"], &all[1]["price_text"]),
        (&json!(250), &json!("EUR"), &json!("2.50"))
    );
    assert_eq!((&all[0]["price"], &all[0]["sale_price"]), (&json!(1_290), &json!(1_000)));
    assert_eq!(all[2]["availability"], "out of stock");
    let again = synced(&world, &api).await;
    assert_eq!(counts(&again), [3, 0, 0, 3, 0]);
    let news = json!([
        {"retailer_id": "pane", "name": "Pane di Altamura", "price": 2.7, "description": "Un chilo"},
        {"retailer_id": "olio", "name": "Olio", "price": 11.5},
        {"retailer_id": "vino", "name": "Vino rosso", "price": 8, "availability": "out of stock"},
    ]);
    stock(&world, CATALOG, news);
    assert_eq!(counts(&synced(&world, &api).await), [3, 1, 1, 1, 1]);
    assert_eq!(gone(&api).await, ["dolce"]);
    let shown = api.get(&format!("/api/catalogs/{CATALOG}/products")).await.expect(200);
    assert_eq!(shown["products"].as_array().unwrap().len(), 3, "what is gone is not shown unasked");
    stock(&world, CATALOG, bread());
    assert_eq!(counts(&synced(&world, &api).await), [3, 0, 2, 1, 1], "what came back is a change");
    assert_eq!(gone(&api).await, ["olio"]);
}

#[tokio::test]
async fn every_form_of_a_request_reads_the_same_catalog() {
    let (world, api) = shop().await;
    let key = &api.key;
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = format!("{}{}--x--\r\n", part("apiToken", key), part("whatsapp_catalog_id", CATALOG));
    for (method, query, mime, body) in [
        (Method::GET, format!("?apiToken={key}&catalogId={CATALOG}"), "", String::new()),
        (Method::POST, String::new(), FORM, format!("apiToken={key}&catalog_id={CATALOG}")),
        (Method::POST, String::new(), "multipart/form-data; boundary=x", multipart),
        (
            Method::POST,
            String::new(),
            "application/json",
            json!({"apiToken": key, "catalogId": 700_700_700_700_700_u64}).to_string(),
        ),
    ] {
        for path in ["/api/v1/catalog/sync", "/api/v1/whatsapp/catalog/sync"] {
            let answer =
                api.raw(method.clone(), &format!("{path}{query}"), mime, body.clone()).await.expect(200);
            assert_eq!(answer["data"]["catalog_id"], CATALOG, "{method} {path} {mime}: {answer}");
            world.drain().await;
        }
    }
    let found =
        post(&api, "/api/v1/catalog/product/list", json!({"catalog_id": CATALOG, "search": "ALTAMURA"}))
            .await;
    assert_eq!(found["message"][0]["id"], "pane");
    let part = post(&api, "/api/v1/catalog/product/list", json!({"catalogId": CATALOG, "limit": 2})).await;
    assert_eq!((part["message"].as_array().unwrap().len(), &part["next_offset"]), (2, &json!(3)));
    let rest = json!({"catalogId": CATALOG, "limit": 2, "offset": part["next_offset"]});
    let rest = post(&api, "/api/v1/catalog/product/list", rest).await;
    assert_eq!((&rest["message"][0]["id"], rest.get("next_offset")), (&json!("vino"), None));
}

#[tokio::test]
async fn prices_are_in_minor_units_of_their_currency() {
    let (world, api) = shop().await;
    stock(
        &world,
        CATALOG,
        json!([
            {"retailer_id": "a", "price": 1_500, "currency": "JPY"},
            {"retailer_id": "b", "price": 1.234, "currency": "KWD"},
            {"retailer_id": "c", "price": 0.1, "currency": "USD"},
            {"retailer_id": "d", "price": 1234.5, "currency": "PLN"},
            {"retailer_id": "e", "currency": "EUR"},
        ]),
    );
    synced(&world, &api).await;
    let prices: Vec<(Value, Value)> =
        products(&api).await.iter().map(|one| (one["price"].clone(), one["currency"].clone())).collect();
    let want = [(1_500, "JPY"), (1_234, "KWD"), (10, "USD"), (123_450, "PLN")];
    assert_eq!(prices[..4], want.map(|(price, currency)| (json!(price), json!(currency))));
    assert_eq!(prices[4], (Value::Null, Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_catalog_is_read_page_by_page() {
    let (world, api) = shop().await;
    large(&world, 10_000);
    // Meta gives less at once than is asked for.
    world.set(json!({"products_per_page": 150}));
    let started = std::time::Instant::now();
    let sync = synced(&world, &api).await;
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    assert_eq!((&sync["state"], counts(&sync)), (&json!("finished"), [10_000, 10_000, 0, 0, 0]));
    assert_eq!((&sync["pages"], &sync["total"]), (&json!(100), &json!(10_000)));
    assert_eq!(products(&api).await.len(), 10_000);
    let before = world.embedded.requests();
    assert_eq!(counts(&synced(&world, &api).await), [10_000, 0, 0, 10_000, 0]);
    let spent = world.embedded.requests().since(before).dynamodb;
    // What did not change is read, and not written.
    assert!(spent < 600, "{spent} requests to the table for what did not change");
}

#[tokio::test]
async fn of_one_catalog_there_is_one_run_at_a_time() {
    let (world, api) = shop().await;
    let empty = json!({});
    let calls = (0..8).map(|_| api.json(Method::POST, "/api/catalogs/700700700700700/sync", &empty));
    let answers: Vec<Value> = join_all(calls).await.iter().map(|answer| answer.expect(202)).collect();
    let began = answers.iter().filter(|answer| answer["started"] == true).count();
    assert_eq!(began, 1, "{answers:?}");
    world.drain().await;
    assert_eq!(counts(&progress(&api).await), [3, 3, 0, 0, 0]);
    let again = api.json(Method::POST, "/api/catalogs/700700700700700/sync", &json!({})).await;
    assert_eq!(again.expect(202)["started"], true);
}

#[tokio::test]
async fn nothing_is_gone_after_a_run_that_did_not_read_all_pages() {
    let (world, api) = shop().await;
    large(&world, 700);
    synced(&world, &api).await;
    // Half of it is gone at Meta; the run breaks off on its second page.
    let left = json!({"id": CATALOG, "name": "Grande", "waba_id": WABA_ID, "generate": 350});
    world.simulator.put_catalog(serde_json::from_value(left).unwrap()).unwrap();
    let broken = FaultRule { every: Some(2), next: None, ..fault(190, 1) };
    world.fault(broken);
    let failed = synced(&world, &api).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed["error"].as_str().unwrap().contains("190"), "{failed}");
    assert_eq!(counts(&failed)[4], 0);
    assert_eq!(gone(&api).await, [""; 0]);
    world.simulator.clear_faults();
    assert_eq!(counts(&synced(&world, &api).await), [350, 0, 0, 350, 350]);
    assert_eq!(gone(&api).await.len(), 350);
}

#[tokio::test]
async fn what_meta_does_not_give_now_is_asked_for_later() {
    let (world, api) = shop().await;
    large(&world, 500);
    begin(&api).await;
    for rule in [
        fault(80_007, 2),
        fault(2, 1),
        FaultRule { http_status: Some(502), code: None, ..fault(0, 2) },
        FaultRule { drop_before_accept: true, code: None, ..fault(0, 1) },
    ] {
        world.fault(rule);
    }
    world.drain().await;
    let sync = progress(&api).await;
    assert_eq!((&sync["state"], counts(&sync)), (&json!("finished"), [500, 500, 0, 0, 0]), "{sync}");
}

#[tokio::test]
async fn a_run_whose_job_is_lost_is_taken_up() {
    let (world, api) = shop().await;
    large(&world, 500);
    begin(&api).await;
    world.lose_jobs().await;
    // Whoever asks again for it, or looks at it later, has it go on.
    assert_eq!(begin(&api).await["state"], "queued");
    world.lose_jobs().await;
    world.clock.advance_ms(61_000);
    progress(&api).await;
    world.drain().await;
    assert_eq!(counts(&progress(&api).await), [500, 500, 0, 0, 0]);
    // One that is dead amid its pages does not keep the next from beginning.
    begin(&api).await;
    let killed = world.kill_after(12, world.drain()).await;
    assert!(killed.is_none());
    world.lose_jobs().await;
    assert_eq!(progress(&api).await["state"], "reading");
    world.clock.advance_ms(DEAD_MS);
    let answer = api.json(Method::POST, "/api/catalogs/700700700700700/sync", &json!({})).await.expect(202);
    assert_eq!(answer["started"], true);
    world.drain().await;
    assert_eq!(counts(&progress(&api).await), [500, 0, 0, 500, 0]);
}

#[tokio::test]
async fn catalogs_are_those_that_are_connected_now() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let ids = async || -> Vec<String> {
        let listed = done(&api, "/api/v1/whatsapp/catalog/list", json!({})).await;
        let all = listed["message"].as_array().unwrap().clone();
        all.iter().map(|one| one["catalog_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids().await, [""; 0]);
    stock(&world, CATALOG, bread());
    stock(&world, "800", json!([]));
    world.clock.advance_ms(61_000);
    assert_eq!(ids().await, [CATALOG, "800"]);
    synced(&world, &api).await;
    world.simulator.remove_catalog(CATALOG);
    world.clock.advance_ms(61_000);
    assert_eq!(ids().await, ["800"]);
    // What was read of it stays: orders name it.
    assert_eq!(products(&api).await.len(), 3);
    let unknown = post(&api, "/api/v1/catalog/sync", json!({"catalogId": CATALOG})).await;
    assert_eq!(unknown["error"]["code"], "not_found", "{unknown}");
    // Meta does not answer: what it said before is told.
    world.fault(FaultRule { http_status: Some(502), code: None, next: None, ..fault(0, 1) });
    world.clock.advance_ms(61_000);
    assert_eq!(ids().await, ["800"]);
}
