//! What bad input gets: an error in the caller's dialect, and nothing half-written.

use harness::{Api, World};
use http::{Method, Request};
use serde_json::json;

async fn world() -> (World, Api) {
    let world = World::new().await;
    let api = Api::of(&world).await;
    (world, api)
}

async fn post(api: &Api, content_type: &str, body: Vec<u8>) -> harness::Answer {
    let request =
        Request::post("/api/contacts").header("x-api-key", &api.key).header("content-type", content_type);
    api.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn bodies_that_are_not_what_they_say() {
    let (_world, api) = world().await;
    let deep = format!("{{\"metadata\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    for (content_type, body) in [
        ("application/json", b"{\"name\":".to_vec()),
        ("application/json", b"[1,2]".to_vec()),
        ("application/json", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        ("application/json", b"name=Mario&phone=1".to_vec()),
        ("application/json", deep.into_bytes()),
        ("multipart/form-data; boundary=x", b"{\"name\":\"Mario\"}".to_vec()),
    ] {
        let answer = post(&api, content_type, body).await;
        assert_eq!(answer.expect(400)["status"], "error");
    }
    let huge = json!({"email": "a@example.com", "metadata": {"x": "y".repeat(2_000_000)}});
    assert_eq!(post(&api, "application/json", huge.to_string().into_bytes()).await.status, 413);
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 0);
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let (_world, api) = world().await;
    api.post("/api/contacts", json!({"email": "a@example.com", "favourite_colour": "blue"}))
        .await
        .expect(201);
}

#[tokio::test]
async fn an_idempotency_key_gives_the_same_answer() {
    let (_world, api) = world().await;
    let post = |body: serde_json::Value| {
        let request = Request::post("/api/contacts")
            .header("x-api-key", &api.key)
            .header("idempotency-key", "k1")
            .header("content-type", "application/json");
        api.send(request.body(body.to_string().into()).unwrap())
    };
    let first = post(json!({"email": "a@example.com"})).await;
    let again = post(json!({"email": "a@example.com"})).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(post(json!({"email": "b@example.com"})).await.status, 409);
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 1);
}

#[tokio::test]
async fn unmatched_paths_and_methods_answer_in_dialect() {
    let (_world, api) = world().await;
    assert_eq!(api.get("/api/nothing").await.expect(404)["status"], "error");
    assert_eq!(api.raw(Method::PUT, "/api/contacts", "", "").await.expect(405)["status"], "error");
    assert_eq!(api.get("/api/v1/nothing").await.expect(200)["status"], "0");
    assert!(api.get("/v1/whatsapp/nothing").await.expect(404)["error"]["code"].is_string());
    assert!(api.get("/v1/whatsapp-web/nothing").await.expect(404)["error"]["code"].is_string());
    assert_eq!(api.raw(Method::GET, "/api/contacts", "", "").await.expect(401)["status"], "error");
}
