//! What a body would bring, before anybody posts it.

use axum::body::Body;
use harness::{Answer, Api};
use http::Request;
use serde_json::json;

use super::{FORM, Header, JSON, calls, ignored, italy, other_tenant, post, total};

async fn try_body(api: &Api, query: &str, header: Header, body: impl Into<Body>) -> Answer {
    let uri = format!("/api/integrations/try?token={}{query}", api.token);
    let request = Request::post(uri).header("x-api-key", &api.key).header(header.0, header.1);
    api.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn it_is_said_and_nothing_is_written() {
    let (_world, api) = italy().await;
    post(&api, "?source=crm", &[JSON], r#"{"email": "ada@example.com"}"#).await.expect(200);
    let body = r#"[{"name": "Ada", "email": "ada@example.com", "city": "Torino"},
        {"name": "Bruno", "phone": "339 1234567", "email": "b@"},
        {"name": "Bruno B.", "phone": "+39 339 1234567"}]"#;
    let tried = try_body(&api, "&source=fiera", JSON, body).await.expect(200);
    insta::assert_json_snapshot!(tried, @r#"
    {
      "contacts": [
        {
          "contact_id": 1,
          "email": "ada@example.com",
          "metadata": {
            "city": "Torino"
          },
          "name": "Ada",
          "notes": [],
          "phone": null
        },
        {
          "contact_id": null,
          "email": null,
          "metadata": {},
          "name": "Bruno B.",
          "notes": [
            "email is not a valid e-mail address"
          ],
          "phone": "+393391234567"
        }
      ],
      "outcome": "ok",
      "reason": "email is not a valid e-mail address",
      "seen": [
        "name",
        "email",
        "city",
        "phone"
      ],
      "source": "fiera",
      "status": "success"
    }
    "#);
    assert_eq!((total(&api).await, calls(&api).await.len()), (1, 1));
    // What is posted then comes to the same.
    let answer = post(&api, "?source=fiera", &[JSON], body).await.expect(200);
    assert_eq!(answer["contacts"], json!([{"id": 1}, {"id": 2}]));
}

#[tokio::test]
async fn rows_that_another_one_joins_are_one_person() {
    let (_world, api) = italy().await;
    let body = r#"[{"phone": "339 1234567", "name": "A"}, {"email": "ada@example.com", "name": "B"},
        {"phone": "339 1234567", "email": "ada@example.com"}]"#;
    let tried = try_body(&api, "", JSON, body).await.expect(200);
    let all = tried["contacts"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{tried}");
    let one = (&all[0]["name"], &all[0]["phone"], &all[0]["email"]);
    assert_eq!(one, (&json!("A"), &json!("+393391234567"), &json!("ada@example.com")));
    post(&api, "", &[JSON], body).await.expect(200);
    assert_eq!(total(&api).await, 1);
}

#[tokio::test]
async fn people_above_the_limit_are_counted() {
    let (_world, api) = italy().await;
    let rows: Vec<_> = (0..103).map(|n| json!({"email": format!("a{n}@example.com")})).collect();
    let tried = try_body(&api, "", JSON, json!(rows).to_string()).await.expect(200);
    assert_eq!(tried["contacts"].as_array().unwrap().len(), 100);
    let reason = "only the first 100 people of the body are taken, and not 3 more";
    assert_eq!(tried["reason"], json!(reason));
    post(&api, "", &[JSON], json!(rows).to_string()).await.expect(200);
    assert_eq!(calls(&api).await[0]["reason"], json!(reason));
}

#[tokio::test]
async fn what_would_be_ignored_or_refused_is_said_with_the_reason() {
    let (_world, api) = italy().await;
    for (header, body) in [(JSON, "{}"), (JSON, "{"), (FORM, "webhook_id=12"), (JSON, r#"{"name": "Ada"}"#)] {
        let tried = try_body(&api, "", header, body).await.expect(200);
        let reason = ignored(&api, "", &[header], body).await;
        assert_eq!((&tried["outcome"], &tried["reason"]), (&json!("ignored"), &json!(reason)), "{body}");
        assert_eq!(tried["contacts"], json!([]));
    }
    let secret = json!({"shop": "shopify", "secret": "fake-secret", "token": api.token});
    api.post("/api/integrations/secrets", secret).await.expect(200);
    let body = r#"{"email": "ada@example.com"}"#;
    let tried = try_body(&api, "&source=shopify", JSON, body).await.expect(200);
    assert_eq!((&tried["outcome"], &tried["contacts"]), (&json!("refused"), &json!([])));
    post(&api, "?source=shopify", &[JSON], body).await.expect(401);
}

#[tokio::test]
async fn only_the_owner_of_the_account_may() {
    let (_world, api) = italy().await;
    let other = other_tenant(&api).await;
    let other = other.with_token(&api.token);
    assert_eq!(try_body(&other, "", JSON, "{}").await.field(404), "token");
    let uri = "/api/integrations/try";
    let request = || Request::post(uri).header("x-api-key", &api.key);
    assert_eq!(api.send(request().body(Body::from("{}")).unwrap()).await.field(422), "token");
    // A key in the body is what the body says, and no credential.
    let body = json!({"apikey": api.key, "token": api.token}).to_string();
    let request = Request::post(uri).header(JSON.0, JSON.1).body(Body::from(body)).unwrap();
    api.send(request).await.expect(401);
}
