//! `/v1/lists`, and changes of contacts.

use domain::campaign::Draft;
use domain::{ListId, TenantId};
use harness::{Api, World, person, phone};
use http::Method;
use serde_json::{Value, json};

use super::refusal;

/// A world with ten people, and a list.
async fn with_list() -> (World, Api) {
    let world = World::new().await;
    world.import((0..10).map(person)).await;
    let api = Api::of(&world).await;
    let made = api.post("/v1/lists", json!({"name": "Clienti"})).await.expect(201);
    assert_eq!((&made["id"], &made["listId"]), (&json!("1"), &json!("1")));
    (world, api)
}

async fn add(api: &Api, body: Value) -> harness::Answer {
    api.post("/v1/lists/1/contacts", body).await
}

async fn count(api: &Api) -> Value {
    api.get("/v1/lists/1").await.expect(200)["contactCount"].clone()
}

#[tokio::test]
async fn contacts_join_a_list_one_or_many_by_id_or_phone() {
    let (_world, api) = with_list().await;
    let one = add(&api, json!({"contactId": "3"})).await.expect(200);
    assert_eq!((&one["contactId"], &one["contactIds"]), (&json!("3"), &json!(["3"])));
    // Again, by number, and in the other spelling.
    for body in [json!({"phone": phone(2)}), json!({"phone_number": phone(2)}), json!({"contact_id": 3})] {
        assert_eq!(add(&api, body.clone()).await.expect(200)["contactId"], "3", "{body}");
    }
    assert_eq!(count(&api).await, 1);
    let many = json!({"contactIds": [1, 2, 99], "phones": [phone(5), "12", phone(77)],
                      "contacts": [{"email": "p6@example.com"}, {"contactId": "8"}, {}]});
    let many = add(&api, many).await.expect(200);
    assert_eq!(many["contactIds"], json!(["1", "2", "6", "7", "8"]));
    let failed = many["failed"].as_array().unwrap();
    let failed: Vec<(&Value, &Value)> = failed.iter().map(|one| (&one["index"], &one["field"])).collect();
    let want = [(2, "contactIds"), (4, "phones"), (5, "phones"), (8, "contacts")];
    assert_eq!(
        failed,
        want.map(|(index, field)| (json!(index), json!(field)))
            .iter()
            .map(|(i, f)| (i, f))
            .collect::<Vec<_>>()
    );
    assert_eq!(count(&api).await, 6);
    let page = api.get("/v1/lists/1/contacts?limit=4&page=2").await.expect(200);
    let ids: Vec<&Value> =
        page["contacts"].as_array().unwrap().iter().map(|contact| &contact["id"]).collect();
    assert_eq!((ids, &page["total"]), (vec![&json!("7"), &json!("8")], &json!(6)));
    let gone = api.json(Method::DELETE, "/v1/lists/1/contacts", &json!({"contactIds": ["1", "2"]})).await;
    assert_eq!(gone.expect(200)["contactIds"], json!(["1", "2"]));
    assert_eq!(count(&api).await, 4);
    // The contact says it, wherever it is shown.
    let found = api.get(&format!("/v1/contacts?phoneNumber={}", phone(2))).await.expect(200);
    assert_eq!(found["listIds"], json!(["1"]));
    let listed = api.get("/api/contacts?list=1").await.expect(200);
    assert_eq!(listed["total"], 4);
}

#[tokio::test]
async fn what_is_wrong_with_a_list_is_told() {
    let (_world, api) = with_list().await;
    let stranger = api.of_another_tenant().await;
    for (answer, status, code) in [
        (add(&api, json!({})).await, 400, "INVALID_CONTACT_ID"),
        (add(&api, json!({"contactId": "abc123xyz"})).await, 404, "NOT_FOUND"),
        (add(&api, json!({"contactId": "99"})).await, 404, "NOT_FOUND"),
        (add(&api, json!({"contactId": {"a": 1}})).await, 400, "INVALID_CONTACT_ID"),
        (add(&api, json!({"phone": "12"})).await, 400, "INVALID_PHONE"),
        (add(&api, json!({"phone": phone(99)})).await, 404, "NOT_FOUND"),
        (add(&api, json!({"contactIds": vec![1; 1_001]})).await, 413, "TOO_LARGE"),
        (api.post("/v1/lists/2/contacts", json!({"contactId": "1"})).await, 404, "NOT_FOUND"),
        (api.post("/v1/lists/x/contacts", json!({"contactId": "1"})).await, 404, "NOT_FOUND"),
        (add(&stranger, json!({"contactId": "1"})).await, 404, "NOT_FOUND"),
        (stranger.get("/v1/lists/1").await, 404, "NOT_FOUND"),
        (api.post("/v1/lists", json!({"name": "x".repeat(256)})).await, 400, "INVALID_NAME"),
    ] {
        assert_eq!(refusal(&answer, status).0, code);
    }
    assert_eq!(count(&api).await, 0);
    assert_eq!(api.post("/v1/lists", json!({"name": " CLIENTI "})).await.expect(200)["id"], "1");
    api.json(Method::DELETE, "/v1/lists/1", &json!({})).await.expect(200);
    assert_eq!(refusal(&add(&api, json!({"contactId": "1"})).await, 404).0, "NOT_FOUND");
    // Its number is never another's.
    assert_eq!(api.post("/v1/lists", json!({"name": "Clienti"})).await.expect(201)["id"], "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_join_at_once_all_join() {
    let (world, api) = with_list().await;
    for n in 0..5 {
        api.post("/v1/lists", json!({"name": format!("Lista {n}")})).await.expect(201);
    }
    let path = |n: usize| format!("/v1/lists/{n}/contacts");
    let paths: Vec<String> = (1..=6).map(path).collect();
    let joins = paths.iter().map(|path| api.post(path, json!({"contactId": "1"})));
    let answers = futures::future::join_all(joins).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let contact = api.get("/v1/contacts/1").await.expect(200);
    assert_eq!(contact["listIds"].as_array().unwrap().len(), 6);
    // Two who are one are in the lists of both.
    api.post("/v1/lists/2/contacts", json!({"contactId": "2"})).await.expect(200);
    let tenant: &TenantId = world.tenant();
    assert!(world.store().list(tenant, ListId(2)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_is_sent_to_a_list() {
    let (world, api) = with_list().await;
    add(&api, json!({"contactIds": [2, 4, 6]})).await.expect(200);
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let draft = json!({"name": "Promo", "channel": "whatsapp", "message_type": "template", "template_name": "avviso",
                       "recipient_type": "lists", "list_id": "1"});
    let made = api.post_as_documented("/api/campaigns/draft", draft.clone()).await.expect(200);
    let id = made["campaign_id"].as_u64().unwrap();
    api.post_as_documented("/api/campaigns/launch", json!({"campaign_id": id})).await.expect(200);
    world.drain().await;
    assert_eq!(world.counts(domain::CampaignId(id)).await, [("delivered", 3)].into());
    for (lists, field) in [(json!([9]), "lists"), (json!("x"), "lists"), (json!([]), "lists")] {
        let mut bad = draft.clone();
        bad.as_object_mut().unwrap().remove("list_id");
        bad["lists"] = lists.clone();
        assert_eq!(api.post_as_documented("/api/campaigns/draft", bad).await.field(422), field, "{lists}");
    }
    // One that is gone by the launch.
    let later = Draft {
        recipient_type: Some("lists".to_owned()),
        lists: vec![ListId(1)],
        ..world.template_draft("avviso")
    };
    let (later, _) = world.draft_of(later).await.unwrap();
    api.json(Method::DELETE, "/api/lists/1", &json!({})).await.expect(200);
    let refused = api.post_as_documented("/api/campaigns/launch", json!({"campaign_id": later.id.0})).await;
    assert_eq!(refused.field(422), "lists");
}

async fn put(api: &Api, id: u64, body: Value) -> harness::Answer {
    api.json(Method::PUT, &format!("/v1/contacts/{id}"), &body).await
}

#[tokio::test]
async fn a_contact_is_changed_as_it_is_said() {
    let (_world, api) = with_list().await;
    let changed = json!({"firstName": "Ada", "lastName": "Neri", "phoneNumber": phone(40), "email": "ada@example.com",
                         "tags": ["vip", "oro"], "metadata": {"city": "Torino"}});
    let contact = put(&api, 1, changed).await.expect(200);
    assert_eq!((&contact["firstName"], &contact["phone"]), (&json!("Ada"), &json!(phone(40))));
    assert_eq!(contact["contact"]["tags"], json!(["vip", "oro"]));
    let contact =
        put(&api, 1, json!({"add_tags": "news", "removeTags": ["VIP"], "addLists": ["1"]})).await.expect(200);
    assert_eq!((&contact["tags"], &contact["listIds"]), (&json!(["oro", "news"]), &json!(["1"])));
    assert_eq!(contact["lastName"], "Neri");
    assert_eq!(put(&api, 1, json!({"tags": []})).await.expect(200)["tags"], json!([]));
    assert_eq!(api.get("/v1/contacts/1").await.expect(200)["email"], "ada@example.com");
    let stranger = api.of_another_tenant().await;
    for (answer, status, code) in [
        (put(&api, 1, json!({"phone": phone(2)})).await, 400, "CONFLICT"),
        (put(&api, 1, json!({"email": "p2@example.com"})).await, 400, "CONFLICT"),
        (put(&api, 1, json!({"phone": "12"})).await, 400, "INVALID_PHONE"),
        (put(&api, 1, json!({"firstName": "x".repeat(256)})).await, 400, "INVALID_FIRST_NAME"),
        (put(&api, 1, json!({"tags": ["x".repeat(65)]})).await, 400, "INVALID_TAGS"),
        (put(&api, 1, json!({"addLists": ["9"]})).await, 400, "INVALID_ADD_LISTS"),
        (put(&api, 1, json!({"addLists": ["x"]})).await, 400, "INVALID_ADD_LISTS"),
        (put(&api, 99, json!({"firstName": "x"})).await, 404, "NOT_FOUND"),
        (put(&stranger, 1, json!({"firstName": "x"})).await, 404, "NOT_FOUND"),
        (stranger.get("/v1/contacts/1").await, 404, "NOT_FOUND"),
    ] {
        assert_eq!(refusal(&answer, status).0, code);
    }
}
