//! Accounts, tokens, keys and operators.

use harness::{ADMIN_KEY, Api, World};
use http::Request;
use serde_json::{Value, json};

async fn world() -> (World, Api) {
    let world = World::new().await;
    let api = Api::of(&world).await;
    (world, api)
}

async fn create_tenant(api: &Api, admin_key: &str, body: &Value) -> harness::Answer {
    let request = Request::post("/api/tenants").header("x-admin-key", admin_key);
    let request = request.header("content-type", "application/json").body(body.to_string().into()).unwrap();
    api.send(request).await
}

#[tokio::test]
async fn account_apikey() {
    let (_world, api) = world().await;
    api.post("/api/contacts", json!({"email": "a@example.com"})).await.expect(201);
    let account = api.get("/api/account").await.expect(200);
    assert_eq!(account["profile"]["email"], "bottega@example.com");
    assert_eq!(account["profile"]["timezone"], "Europe/Rome");
    assert!(account["plan"]["limits"].is_object());
    assert_eq!(account["subscription"]["status"], "active");
    assert_eq!(account["usage"]["contacts"], 1);
}

#[tokio::test]
async fn get_tokens_apikey() {
    let (_world, api) = world().await;
    let tokens = api.get("/api/get_tokens").await.expect(200);
    assert_eq!(tokens["tokens"][0]["token"], api.token);
    assert_eq!(tokens["tokens"][0]["name"], "Negozio");
}

#[tokio::test]
async fn create_accounts_name_greetings_message_no_info_message() {
    let (_world, api) = world().await;
    let body = json!({"name": "Assistente", "greetings_message": "Ciao!", "no_info_message": "Non so."});
    let created = api.post("/api/create_accounts", body).await.expect(200);
    assert_eq!(created["account"]["name"], "Assistente");
    assert_eq!(created["token"], created["account"]["token"]);
    for name in ["ab", &"x".repeat(256)] {
        assert_eq!(api.post("/api/create_accounts", json!({"name": name})).await.field(422), "name");
    }
    let long = json!({"name": "abc", "greetings_message": "x".repeat(4097)});
    assert_eq!(api.post("/api/create_accounts", long).await.field(422), "greetings_message");
}

#[tokio::test]
async fn settings_change_alone_and_are_taken_back_by_an_empty_text() {
    let (world, api) = world().await;
    let path = "/api/accounts/settings";
    let first = api.post_as_documented(path, json!({"default_country": "39", "help_message": "Aperti 9-18"}));
    let account = &first.await.expect(200)["account"];
    assert_eq!((&account["name"], &account["default_country"]), (&json!("Negozio"), &json!("39")));
    let local = json!({"name": "Ada", "phone": "02 1234567", "token": api.token});
    api.post("/api/contacts", local).await.expect(201);
    assert_eq!(api.get("/api/contacts").await.expect(200)["contacts"][0]["phone"], "+39021234567");
    let second =
        api.post_as_documented(path, json!({"help_message": "", "name": "Bottega"})).await.expect(200);
    let want = json!({"id": 1, "name": "Bottega", "greetings_message": null, "no_info_message": null,
                      "help_message": null, "opt_out_message": null, "frequency_cap": null, "quiet_hours": null,
                      "default_country": "39"});
    let mut account = second["account"].clone();
    account.as_object_mut().unwrap().retain(|name, _| !name.ends_with("_words"));
    assert_eq!(account, want);
    let null = json!({"default_country": "", "no_info_message": null, "name": ""});
    let third = api.post_as_documented(path, null).await.expect(200);
    assert_eq!(
        (&third["account"]["default_country"], &third["account"]["name"]),
        (&json!(null), &json!("Bottega"))
    );
    let stored = world.store().account(world.tenant(), world.account.id).await.unwrap().unwrap();
    assert_eq!((stored.numbers, stored.token), (world.account.numbers.clone(), world.account.token.clone()));
    for (field, wrong) in [
        ("name", json!("ab")),
        ("default_country", json!("Atlantide")),
        ("help_message", json!("x".repeat(4097))),
    ] {
        assert_eq!(api.post_as_documented(path, json!({field: wrong})).await.field(422), field);
    }
    assert_eq!(api.post(path, json!({"token": "nobody"})).await.field(404), "token");
}

#[tokio::test]
async fn a_regenerated_key_stops_at_once() {
    let (_world, api) = world().await;
    let new = api.post("/api/account/regenerate_key", json!({})).await.expect(200);
    api.get("/api/account").await.expect(401);
    api.with_key(new["apikey"].as_str().unwrap()).get("/api/account").await.expect(200);
}

#[tokio::test]
async fn operators_do_everything_but_keys() {
    let (_world, api) = world().await;
    let made = api.post("/api/operators", json!({"name": "Anna"})).await.expect(201);
    let operator = api.with_key(made["apikey"].as_str().unwrap());
    operator.get("/api/contacts").await.expect(200);
    operator.post("/api/account/regenerate_key", json!({})).await.expect(403);
    operator.post("/api/operators", json!({"name": "Bob"})).await.expect(403);
    let list = api.get("/api/operators").await.expect(200);
    let id = list["operators"][0]["id"].as_str().unwrap().to_owned();
    api.post(&format!("/api/operators/{id}/disable"), json!({})).await.expect(200);
    operator.get("/api/contacts").await.expect(401);
    api.post(&format!("/api/operators/{id}/enable"), json!({})).await.expect(200);
    operator.get("/api/contacts").await.expect(200);
}

#[tokio::test]
async fn an_admin_creates_tenants_with_limits() {
    let (_world, api) = world().await;
    let body = json!({"name": "Piccola", "email": "p@example.com", "timezone": "Europe/Rome",
        "plan": {"name": "Tiny", "contacts": 1, "requests_per_minute": 5, "accounts": 1}});
    create_tenant(&api, "wrong", &body).await.expect(401);
    let created = create_tenant(&api, ADMIN_KEY, &body).await.expect(201);
    let tiny = api.with_key(created["apikey"].as_str().unwrap());
    tiny.post("/api/contacts", json!({"email": "a@example.com"})).await.expect(201);
    assert_eq!(tiny.post("/api/contacts", json!({"email": "b@example.com"})).await.status, 403);
    tiny.post("/api/create_accounts", json!({"name": "Uno"})).await.expect(200);
    tiny.post("/api/create_accounts", json!({"name": "Due"})).await.expect(403);
    tiny.get("/api/account").await.expect(200);
    let limited = tiny.get("/api/account").await;
    limited.expect(429);
    assert!(limited.headers.contains_key("retry-after"));
    let no_access = json!({"name": "X", "email": "x@example.com", "plan": {"api_access": false}});
    let created = create_tenant(&api, ADMIN_KEY, &no_access).await.expect(201);
    api.with_key(created["apikey"].as_str().unwrap()).get("/api/account").await.expect(403);
}

#[tokio::test]
async fn a_number_is_connected_once() {
    let (_world, api) = world().await;
    let other = api.post("/api/create_accounts", json!({"name": "Altro"})).await.expect(200);
    let connect = |id: &str| {
        json!({"token": other["token"], "phone_number_id": id, "waba_id": harness::WABA_ID,
               "access_token": "EAA-test", "app_secret": "s", "verify_token": "v"})
    };
    let path = "/api/accounts/connect_meta";
    assert_eq!(api.post(path, connect(harness::PHONE_NUMBER_ID)).await.status, 409);
    assert_eq!(api.post(path, connect("999")).await.field(422), "phone_number_id");
    assert_eq!(api.post(path, connect("abc")).await.field(422), "phone_number_id");
}
