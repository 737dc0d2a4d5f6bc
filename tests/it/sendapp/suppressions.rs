//! `/api/suppressions`

use domain::message::Address;
use harness::{Api, World, named, person, phone};
use http::Method;
use ops::suppression::{ConsentChange, OptOutSource, opt_in, opt_out};
use serde_json::{Value, json};

const PATH: &str = "/api/suppressions";

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    let api = Api::of(&world).await;
    (world, api)
}

async fn list(api: &Api) -> Vec<Value> {
    let listed = api.get(PATH).await.expect(200);
    assert_eq!(listed["next_cursor"], Value::Null);
    listed["suppressions"].as_array().unwrap().clone()
}

async fn delete(api: &Api, body: Value) -> harness::Answer {
    api.json(Method::DELETE, PATH, &body).await
}

async fn send(api: &Api, number: &str) -> harness::Answer {
    let body = json!({"number": number, "type": "freetext", "message": "Ciao"});
    api.post_as_documented("/api/whatsapp-meta/send", body).await
}

#[tokio::test]
async fn a_number_is_added_listed_blocked_and_removed() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    let added = api.post(PATH, json!({"number": &phone(1)[1..], "reason": "per posta"})).await.expect(200);
    assert_eq!((&added["status"], &added["changed"]), (&json!("success"), &json!(true)));
    let listed = list(&api).await;
    assert_eq!(added["suppressions"], json!(listed));
    let entry = &listed[0];
    assert_eq!(entry["address"], "+39******0001");
    assert_eq!(entry["contact"], json!({"id": 1, "name": "Persona 1"}));
    assert_eq!((&entry["source"], &entry["reason"]), (&json!("api"), &json!("per posta")));
    assert!(entry["since"].as_str().unwrap().starts_with("2026-07-01T08:0"));
    assert_eq!(send(&api, &phone(1)).await.expect(422)["code"], "opted_out");
    send(&api, &phone(2)).await.expect(200);
    assert_eq!(delete(&api, json!({"number": phone(1)})).await.expect(200)["removed"], 1);
    assert_eq!(delete(&api, json!({"number": phone(1)})).await.expect(200)["removed"], 0);
    send(&api, &phone(1)).await.expect(200);
    assert_eq!(list(&api).await, Vec::<Value>::new());
}

#[tokio::test]
async fn one_opt_out_keeps_its_first_date_and_source() {
    let (world, api) = world().await;
    api.post(PATH, json!({"number": phone(1)})).await.expect(200);
    let first = list(&api).await;
    world.clock.advance_ms(60_000);
    world.writes(&phone(1), "STOP");
    world.drain().await;
    let again = api.post(PATH, json!({"number": phone(1), "reason": "altro"})).await.expect(200);
    assert_eq!(again["changed"], false);
    assert_eq!(list(&api).await, first);
}

#[tokio::test]
async fn stop_is_listed_and_start_takes_it_away() {
    let (world, api) = world().await;
    world.writes(&phone(1), "Stop");
    world.drain().await;
    let listed = list(&api).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["source"], &listed[0]["contact"]["id"]), (&json!("keyword"), &json!(1)));
    world.writes(&phone(1), "START");
    world.drain().await;
    assert_eq!(list(&api).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_beside_an_older_start_stands() {
    let (world, _) = world().await;
    let (publisher, tenant, now_ms) = (world.publisher(), world.tenant(), world.clock.now_ms());
    let on = |ago_s: i64| {
        let said_ms = Some(now_ms - ago_s * 1_000);
        ConsentChange {
            publisher: &publisher,
            tenant,
            account: None,
            channel: None,
            source: OptOutSource::Keyword,
            word: None,
            said_ms,
        }
    };
    let addresses: Vec<Address> = (0..100).map(|n| Address::Phone(phone(n).parse().unwrap())).collect();
    let pairs = addresses.iter().map(|address| async move {
        opt_out(on(60), address).await.unwrap();
        let (_, _) = tokio::try_join!(opt_out(on(10), address), opt_in(on(30), address)).unwrap();
    });
    futures::future::join_all(pairs).await;
    assert_eq!(world.store().opted_out(tenant, &addresses).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_contact_is_opted_out_at_every_address() {
    let (world, api) = world().await;
    let mut both = named(&phone(1), "Anna");
    both.bsuid = Some("IT.13491208655302741918".to_owned());
    world.import([both, harness::row("", "solo@example.com", "Carla")]).await;
    let added = api.post(PATH, json!({"contact_id": 1})).await.expect(200);
    assert_eq!(added["suppressions"].as_array().unwrap().len(), 2);
    assert_eq!(delete(&api, json!({"contact_id": 1})).await.expect(200)["removed"], 2);
    let nowhere = api.post(PATH, json!({"contact_id": 2})).await.expect(200);
    assert_eq!((&nowhere["changed"], &nowhere["suppressions"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn an_opt_out_survives_its_contact() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    api.post(PATH, json!({"contact_id": 1})).await.expect(200);
    api.json(Method::DELETE, "/api/contacts/1", &json!({})).await.expect(200);
    let listed = list(&api).await;
    assert_eq!((listed.len(), &listed[0]["contact"]), (1, &Value::Null));
    assert_eq!(send(&api, &phone(1)).await.expect(422)["code"], "opted_out");
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(delete(&api, json!({"id": id})).await.expect(200)["removed"], 1);
    send(&api, &phone(1)).await.expect(200);
}

#[tokio::test]
async fn pages_have_everybody_once() {
    let (_world, api) = world().await;
    for n in 0..30 {
        api.post(PATH, json!({"number": phone(n)})).await.expect(200);
    }
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    let mut pages = 0;
    loop {
        let page = api.get(&format!("{PATH}?limit=7&cursor={cursor}")).await.expect(200);
        let page_ids = page["suppressions"].as_array().unwrap().iter();
        ids.extend(page_ids.map(|entry| entry["id"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((ids.len(), pages), (30, 5));
    assert!(ids.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let (_world, api) = world().await;
    for (body, status, field) in [
        (json!({}), 422, "number"),
        (json!({"number": "12"}), 422, "number"),
        (json!({"contact_id": "x"}), 422, "contact_id"),
        (json!({"contact_id": 7}), 404, "contact_id"),
        (json!({"number": phone(1), "reason": "x".repeat(256)}), 422, "reason"),
    ] {
        assert_eq!(api.post(PATH, body.clone()).await.field(status), field, "{body}");
    }
    assert_eq!(api.get(&format!("{PATH}?cursor=x")).await.field(422), "cursor");
    assert_eq!(delete(&api, json!({})).await.field(422), "number");
    for id in ["x".to_owned(), "0".repeat(64)] {
        assert_eq!(delete(&api, json!({"id": id})).await.field(404), "id");
    }
}

#[tokio::test]
async fn another_tenants_opt_outs_are_not_found() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    api.post(PATH, json!({"contact_id": 1})).await.expect(200);
    let id = list(&api).await[0]["id"].clone();
    let other = api.of_another_tenant().await;
    assert_eq!(list(&other).await.len(), 0);
    assert_eq!(delete(&other, json!({"id": id})).await.field(404), "id");
    assert_eq!(other.post(PATH, json!({"contact_id": 1})).await.field(404), "contact_id");
    assert_eq!(list(&api).await.len(), 1);
}
