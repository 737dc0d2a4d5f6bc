//! What the owner sees of the calls.

use harness::Api;
use serde_json::{Value, json};

use super::{JSON, calls, ignored, italy, other_tenant, post};

const DAY_MS: i64 = 86_400_000;

async fn page(api: &Api, query: &str) -> Value {
    api.get(&format!("/api/integrations/log?token={}{query}", api.token)).await.expect(200)
}

#[tokio::test]
async fn calls_are_listed_newest_first() {
    let (world, api) = italy().await;
    let body = r#"{"name": "Mario Rossi", "phone": "339 1234567", "email": "mario@example.com"}"#;
    post(&api, "?source=crm", &[JSON], body).await.expect(200);
    world.clock.advance_ms(10);
    ignored(&api, "?source=forms", &[JSON], "{}").await;
    let calls = calls(&api).await;
    let shown: Vec<_> = calls.iter().map(|c| (&c["source"], &c["outcome"], &c["reason"])).collect();
    assert_eq!(
        shown,
        [
            (&json!("forms"), &json!("ignored"), &json!("the body is empty")),
            (&json!("crm"), &json!("ok"), &Value::Null),
        ]
    );
    assert_eq!((&calls[1]["contact_ids"], &calls[1]["bytes"]), (&json!([1]), &json!(body.len())));
    assert!(calls[1]["at"].as_str().unwrap().starts_with("2026-07-01T08:00:0"));
    let text = page(&api, "").await.to_string();
    assert!(["Mario", "1234567", "mario@"].iter().all(|private| !text.contains(private)), "{text}");
}

#[tokio::test]
async fn limit_and_before() {
    let (world, api) = italy().await;
    for n in 0..5 {
        ignored(&api, &format!("?source=s{n}"), &[JSON], "{}").await;
        world.clock.advance_ms(10);
    }
    let (mut seen, mut query) = (Vec::new(), "&limit=2".to_owned());
    loop {
        let page = page(&api, &query).await;
        seen.extend(
            page["calls"].as_array().unwrap().iter().map(|c| c["source"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_before"].as_str() else { break };
        query = format!("&limit=2&before={next}");
    }
    assert_eq!(seen, ["s4", "s3", "s2", "s1", "s0"]);
    for (query, field) in [("&before=x", "before"), ("&limit=x", "limit")] {
        let path = format!("/api/integrations/log?token={}{query}", api.token);
        assert_eq!(api.get(&path).await.field(422), field);
    }
    let oldest = page(&api, "&before=00000000000000000000000000").await;
    assert_eq!(oldest["calls"], json!([]));
    assert_eq!(page(&api, "&before=7ZZZZZZZZZZZZZZZZZZZZZZZZZ").await["calls"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn calls_are_gone_after_thirty_days() {
    let (world, api) = italy().await;
    ignored(&api, "", &[JSON], "{}").await;
    world.clock.advance_ms(30 * DAY_MS - 60_000);
    assert_eq!(calls(&api).await.len(), 1);
    world.clock.advance_ms(120_000);
    assert_eq!(calls(&api).await.len(), 0);
}

#[tokio::test]
async fn an_hour_has_a_hundred_ignored_calls_and_says_that_there_were_more() {
    let (world, api) = italy().await;
    for _ in 0..103 {
        ignored(&api, "", &[JSON], "{}").await;
    }
    let listed = page(&api, "&limit=100").await;
    assert_eq!(listed["calls"].as_array().unwrap().len(), 100);
    let last = "the body is empty; the last call of this outcome that is listed in this hour";
    let told = listed["calls"].as_array().unwrap().iter().filter(|call| call["reason"] == last);
    assert_eq!(told.count(), 1);
    let next = listed["next_before"].as_str().unwrap();
    assert_eq!(page(&api, &format!("&before={next}")).await["calls"], json!([]));
    post(&api, "", &[JSON], r#"{"email": "a@example.com"}"#).await.expect(200);
    assert!(calls(&api).await.iter().any(|call| call["outcome"] == "ok"), "each outcome for itself");
    world.clock.advance_ms(3_600_000);
    ignored(&api, "", &[JSON], "{}").await;
    assert_eq!(calls(&api).await[0]["reason"], "the body is empty");
}

#[tokio::test]
async fn it_is_the_accounts_own() {
    let (world, api) = italy().await;
    ignored(&api, "", &[JSON], "{}").await;
    let path = format!("/api/integrations/log?token={}", api.token);
    let other = other_tenant(&api).await;
    assert_eq!(other.get(&path).await.field(404), "token");
    let second = api.with_token(world.account.token.expose());
    assert_eq!(calls(&second).await.len(), 0);
    api.with_key("sk_live_nobody").get(&path).await.expect(401);
    assert_eq!(api.get("/api/integrations/log").await.field(422), "token");
}
