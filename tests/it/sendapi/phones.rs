//! `/v1/phone/validate`, `/v1/account/usage`, and what there is not.

use harness::{Api, World, phone};
use http::{Method, Request};
use serde_json::{Value, json};
use simulators::graph::FaultRule;

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    let api = Api::of(&world).await;
    (world, api)
}

async fn validate(api: &Api, phone: &str) -> Value {
    api.post_sendapi("/v1/phone/validate", json!({"phone": phone})).await.expect(200)["data"].clone()
}

async fn send(api: &Api, n: usize) -> u16 {
    let body = json!({"number": phone(n), "type": "freetext", "message": "Ciao"});
    api.post_as_documented("/api/whatsapp-meta/send", body).await.status.as_u16()
}

#[tokio::test]
async fn who_is_on_whatsapp_is_known_by_what_happened() {
    let (world, api) = world().await;
    assert_eq!(validate(&api, &phone(1)).await["on_whatsapp"], Value::Null);
    // Whoever writes, and whoever gets a message.
    world.writes(&phone(1), "ciao");
    world.drain().await;
    assert_eq!(validate(&api, &phone(1)).await["on_whatsapp"], true);
    assert_eq!(send(&api, 2).await, 200);
    world.drain().await;
    assert_eq!(validate(&api, &phone(2)).await["on_whatsapp"], true);
    // Whom Meta cannot reach, and whom it refuses for another reason.
    for (n, code, want) in [(3, 131_026, json!(false)), (4, 131_047, Value::Null)] {
        world.fault(FaultRule { code: Some(code), next: Some(1), ..FaultRule::default() });
        assert_eq!(send(&api, n).await, 422);
        world.drain().await;
        assert_eq!(validate(&api, &phone(n)).await["on_whatsapp"], want, "{code}");
    }
    // They got one since.
    assert_eq!(send(&api, 3).await, 200);
    world.drain().await;
    assert_eq!(validate(&api, &phone(3)).await["on_whatsapp"], true);
    assert_eq!(validate(&api.of_another_tenant().await, &phone(1)).await["on_whatsapp"], Value::Null);
}

#[tokio::test]
async fn nothing_is_made_of_a_number() {
    let (_world, api) = world().await;
    let before = api.get("/api/contacts").await.expect(200);
    for number in [phone(1), phone(2)] {
        assert_eq!(validate(&api, &number).await["valid"], true);
    }
    assert_eq!(api.get("/api/contacts").await.expect(200), before);
}

#[tokio::test]
async fn a_number_is_read_as_people_write_it() {
    let (_world, api) = world().await;
    for (given, e164, kind) in [
        ("0039 (339) 123-4567", "+393391234567", "mobile"),
        ("+44 (0) 7400 123456", "+447400123456", "mobile"),
        ("+39 06 1234 5678", "+390612345678", "fixed_line"),
        ("+1 800 234 5678", "+18002345678", "toll_free"),
    ] {
        let found = validate(&api, given).await;
        assert_eq!((&found["e164"], &found["type"]), (&json!(e164), &json!(kind)), "{given}");
    }
    for given in ["12", "nobody", "+39339", "+999123456789", "IT.13491208655302741918"] {
        let found = validate(&api, given).await;
        assert_eq!((&found["valid"], &found["e164"]), (&json!(false), &Value::Null), "{given}");
        assert!(found["reason"].is_string(), "{given}");
    }
    let asked = json!({"phone": "7400 123456", "country": "GB"});
    let found = api.post_sendapi("/v1/phone/validate", asked).await.expect(200);
    assert_eq!(found["data"]["e164"], "+447400123456");
    let asked = json!({"phone": "7400 123456", "country": "Atlantis"});
    assert_eq!(api.post_sendapi("/v1/phone/validate", asked).await.expect(422)["error"]["field"], "country");
}

#[tokio::test]
async fn usage_is_what_was_used() {
    let (world, api) = world().await;
    let used =
        async |what: &str| api.sendapi("/v1/account/usage").await.expect(200)["data"]["usage"][what].clone();
    assert_eq!(used("messages").await["used"], 0);
    assert_eq!(send(&api, 1).await, 200);
    world.drain().await;
    assert_eq!(used("messages").await["used"], 1);
    assert_eq!(used("accounts").await["used"], 1);
}

#[tokio::test]
async fn there_is_no_email() {
    let (_world, api) = world().await;
    for (method, path) in
        [(Method::POST, "/v1/email/send"), (Method::GET, "/v1/email/status/7"), (Method::GET, "/v1/email")]
    {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", api.key));
        let answer = api.send(request.body("{}".into()).unwrap()).await;
        assert_eq!(answer.expect(404)["error"]["code"], "not_supported", "{path}");
    }
}
