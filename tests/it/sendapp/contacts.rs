//! `/api/contacts`, by the examples of the contract.

use harness::{Api, World};
use http::Method;
use serde_json::{Value, json};

async fn three() -> (World, Api) {
    let world = World::new().await;
    let api = Api::of(&world).await;
    for contact in [
        json!({"name": "Mario Rossi", "phone": "+393391234567", "email": "mario@example.com", "tags": ["vip"]}),
        json!({"name": "Anna", "phone": "+393391234568", "tags": ["vip", "news"]}),
        json!({"name": "Bob", "email": "bob@example.com"}),
    ] {
        api.post("/api/contacts", contact).await.expect(201);
    }
    (world, api)
}

async fn names(api: &Api, query: &str) -> Vec<String> {
    let list = api.get(&format!("/api/contacts?{query}")).await.expect(200);
    list["contacts"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn list_apikey_in_every_place() {
    let (_world, api) = three().await;
    let key = &api.key;
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 3);
    let query = format!("/api/contacts?apikey={key}");
    api.raw(Method::GET, &query, "text/plain", "").await.expect(200);
    let body = json!({"apikey": key, "email": "c@example.com"}).to_string();
    api.raw(Method::POST, "/api/contacts", "application/json", body).await.expect(201);
    let form = format!("apikey={key}&email=d%40example.com");
    api.raw(Method::POST, "/api/contacts", "application/x-www-form-urlencoded", form).await.expect(201);
    let wrong = api.with_key("sk_live_wrong").get(&query).await;
    assert_eq!(wrong.expect(401)["status"], "error", "the header beats the parameter");
}

#[tokio::test]
async fn list_page_and_per_page() {
    let (_world, api) = three().await;
    let second = api.get("/api/contacts?page=2&per_page=2").await.expect(200);
    assert_eq!(second["contacts"].as_array().unwrap().len(), 1);
    assert_eq!((&second["page"], &second["per_page"]), (&json!(2), &json!(2)));
    assert_eq!((&second["total"], &second["last_page"]), (&json!(3), &json!(2)));
    assert_eq!(api.get("/api/contacts?per_page=5000").await.expect(200)["per_page"], 1000);
    assert_eq!(api.get("/api/contacts").await.expect(200)["per_page"], 100);
    assert_eq!(api.get("/api/contacts?page=0").await.field(422), "page");
    assert_eq!(api.get("/api/contacts?page=two").await.field(422), "page");
}

#[tokio::test]
async fn list_search() {
    let (_world, api) = three().await;
    assert_eq!(names(&api, "search=MARIO").await, ["Mario Rossi"]);
    assert_eq!(names(&api, "search=4568").await, ["Anna"]);
    assert_eq!(names(&api, "search=example.com").await, ["Mario Rossi", "Bob"]);
    assert!(names(&api, "search=%25").await.is_empty());
}

#[tokio::test]
async fn list_tag() {
    let (_world, api) = three().await;
    assert_eq!(names(&api, "tag=vip").await, ["Mario Rossi", "Anna"]);
    assert!(names(&api, "tag=vi").await.is_empty());
}

#[tokio::test]
async fn list_with_phone_and_with_email() {
    let (_world, api) = three().await;
    for yes in ["1", "true", "yes", ""] {
        assert_eq!(names(&api, &format!("with_phone={yes}")).await, ["Mario Rossi", "Anna"], "{yes}");
    }
    assert_eq!(names(&api, "with_email=1").await, ["Mario Rossi", "Bob"]);
    assert_eq!(names(&api, "with_email=0").await.len(), 3);
}

#[tokio::test]
async fn create_name_phone_email_tags_metadata() {
    let (_world, api) = three().await;
    let created = api
        .post(
            "/api/contacts",
            json!({"name": "Carla", "phone": "0039 339 000 0001", "email": "carla@example.com",
                   "tags": "a, b,a", "metadata": {"source": "landing_page_a"}}),
        )
        .await
        .expect(201);
    let contact = &created["contact"];
    assert_eq!((&contact["name"], &contact["phone"]), (&json!("Carla"), &json!("+393390000001")));
    assert_eq!((&contact["email"], &contact["tags"]), (&json!("carla@example.com"), &json!(["a", "b"])));
    assert_eq!(
        (&contact["metadata"]["source"], &created["created"]),
        (&json!("landing_page_a"), &json!(true))
    );
    let merged = json!({"phone": "+393390000001", "tags": ["c"], "metadata": {"x": 1}});
    let merged = api.post("/api/contacts", merged).await.expect(201);
    assert_eq!((&merged["created"], &merged["contact"]["tags"]), (&json!(false), &json!(["a", "b", "c"])));
    assert_eq!(merged["contact"]["metadata"], json!({"source": "landing_page_a", "x": 1}));
}

#[tokio::test]
async fn create_refuses_what_breaks_a_rule() {
    let (_world, api) = three().await;
    for (body, field) in [
        (json!({"name": "Nobody"}), "phone"),
        (json!({"phone": "0391234567"}), "phone"),
        (json!({"email": "not-an-address"}), "email"),
        (json!({"email": "a@example.com", "name": "x".repeat(256)}), "name"),
        (json!({"email": "a@example.com", "tags": ["x".repeat(65)]}), "tags"),
        (json!({"email": "a@example.com", "metadata": "text"}), "metadata"),
    ] {
        assert_eq!(api.post("/api/contacts", body.clone()).await.field(422), field, "{body}");
    }
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 3);
}

#[tokio::test]
async fn bulk_contacts() {
    let (_world, api) = three().await;
    let contacts = json!({"contacts": [
        {"name": "Alice", "phone": "+39111111111", "tags": ["newsletter"]},
        {"name": "Bob", "email": "bob@example.com"},
        {"name": "Bad", "phone": "12"},
        "not an object",
    ]});
    let done = api.post("/api/contacts/bulk", contacts).await.expect(200);
    assert_eq!((&done["created"], &done["updated"], &done["failed"]), (&json!(1), &json!(1), &json!(2)));
    assert_eq!((&done["errors"][0]["index"], &done["errors"][0]["field"]), (&json!(2), &json!("phone")));
    assert_eq!(done["errors"][1]["index"], 3);
    let many: Vec<Value> = (0..10_001).map(|i| json!({"email": format!("u{i}@example.com")})).collect();
    let refused = api.post("/api/contacts/bulk", json!({"contacts": many})).await;
    assert_eq!(refused.status, 413);
    assert!(refused.json()["message"].as_str().unwrap().contains("10000"));
    assert_eq!(api.post("/api/contacts/bulk", json!({})).await.field(422), "contacts");
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 4);
}

#[tokio::test]
async fn delete_id() {
    let (_world, api) = three().await;
    api.json(Method::DELETE, "/api/contacts/1", &json!({})).await.expect(200);
    assert_eq!(api.json(Method::DELETE, "/api/contacts/1", &json!({})).await.expect(404)["status"], "error");
    api.json(Method::DELETE, "/api/contacts/x", &json!({})).await.expect(404);
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 2);
}

#[tokio::test]
async fn delete_bulk_ids() {
    let (_world, api) = three().await;
    let done = api
        .json(Method::DELETE, "/api/contacts/bulk", &json!({"ids": [1, 2, 2, 99, 5000]}))
        .await
        .expect(200);
    assert_eq!((&done["deleted"], &done["not_found"]), (&json!(2), &json!(2)));
    assert_eq!(
        api.json(Method::DELETE, "/api/contacts/bulk", &json!({"ids": ["x"]})).await.field(422),
        "ids"
    );
    assert_eq!(api.json(Method::DELETE, "/api/contacts/bulk", &json!({})).await.field(422), "ids");
}
