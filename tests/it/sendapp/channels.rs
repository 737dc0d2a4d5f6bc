//! `/api/channels`

use harness::{Api, Hook, World};
use http::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/channels";

async fn world() -> (World, Api, Hook) {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    (world, api, hook)
}

async fn delete(api: &Api, name: &str) -> harness::Answer {
    api.json(Method::DELETE, &format!("{PATH}/{name}"), &json!({})).await
}

#[tokio::test]
async fn a_channel_is_registered_replaced_listed_and_removed() {
    let (_world, api, hook) = world().await;
    let body = json!({"name": " My Channel ", "url": hook.url});
    let made = api.post(PATH, body).await.expect(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!((&made["created"], &made["channel"]["rate"]), (&json!(true), &json!(5)));
    let url = format!("{}?v=2", hook.url);
    let body = json!({"name": "MY channel", "url": url, "rate": "20"});
    let replaced = api.post(PATH, body).await.expect(200);
    assert_eq!((&replaced["created"], &replaced["secret"]), (&json!(false), &Value::Null));
    let again = api.post(PATH, json!({"name": "my channel", "url": url})).await.expect(200);
    assert_eq!(again["channel"]["rate"], 20, "the rate stays");
    let listed = api.get(PATH).await.expect(200);
    let mut want = made["channel"].clone();
    (want["name"], want["url"], want["rate"]) = (json!("my channel"), json!(url), json!(20));
    assert_eq!(listed["channels"], json!([want]));
    delete(&api, "MY%20CHANNEL").await.expect(200);
    assert_eq!(delete(&api, "my%20channel").await.field(404), "name");
    assert_eq!(api.get(PATH).await.expect(200)["channels"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_channel_is_named() {
    let (_world, api, hook) = world().await;
    let url = hook.url.as_str();
    for (body, field) in [
        (json!({"url": url}), "name"),
        (json!({"name": null, "url": url}), "name"),
        (json!({"name": "x".repeat(65), "url": url}), "name"),
        (json!({"name": "a/b", "url": url}), "name"),
        (json!({"name": ["a"], "url": url}), "name"),
        (json!({"name": "a"}), "url"),
        (json!({"name": "a", "url": "http://example.com/x"}), "url"),
        (json!({"name": "a", "url": "https://10.0.0.1/x"}), "url"),
        (json!({"name": "a", "url": "https://169.254.169.254/latest"}), "url"),
        (json!({"name": "a", "url": "ftp://example.com"}), "url"),
        (json!({"name": "a", "url": url, "rate": 0}), "rate"),
        (json!({"name": "a", "url": url, "rate": 1001}), "rate"),
        (json!({"name": "a", "url": url, "rate": "fast"}), "rate"),
    ] {
        assert_eq!(api.post(PATH, body.clone()).await.field(422), field, "{body}");
    }
    let refused = api.post(PATH, json!({"name": "a", "url": "https://10.0.0.1/x"})).await.expect(422);
    assert!(refused["message"].as_str().unwrap().contains("private"), "{refused}");
    assert_eq!(api.get(PATH).await.expect(200)["channels"], json!([]));
}

#[tokio::test]
async fn tenants_have_their_own_channels_and_at_most_fifty() {
    let (_world, api, hook) = world().await;
    let other = api.of_another_tenant().await;
    for n in 0..50 {
        api.post(PATH, json!({"name": format!("c{n}"), "url": hook.url})).await.expect(201);
    }
    let more = api.post(PATH, json!({"name": "one more", "url": hook.url})).await.expect(403);
    assert_eq!(more["code"], "plan_limit");
    api.post(PATH, json!({"name": "C7", "url": hook.url, "rate": 7})).await.expect(200);
    assert_eq!(delete(&other, "c7").await.field(404), "name");
    assert_eq!(other.get(PATH).await.expect(200)["channels"], json!([]));
    other.post(PATH, json!({"name": "c7", "url": hook.url})).await.expect(201);
    delete(&api, "c7").await.expect(200);
    assert_eq!(other.get(PATH).await.expect(200)["channels"][0]["name"], "c7");
}
