//! Bodies as they really come, and those that are none: never an error, because a
//! sender turns a webhook off that brings errors.

use axum::body::Body;
use serde_json::json;

use super::{FORM, Header, JSON, calls, ignored, italy, post, tagged, total};

const TEXT: Header = ("content-type", "text/plain");
/// Says nothing of the body.
const SILENT: Header = ("accept", "*/*");

#[tokio::test]
async fn what_is_sent_counts_and_not_what_is_said() {
    let (_world, api) = italy().await;
    let bodies: [(Header, &[u8]); 10] = [
        (JSON, b"\xef\xbb\xbf{\"name\": \"Ada\", \"email\": \"ada@example.com\"}"),
        (JSON, br#"{"name": "Ada", "phone": "NULL", "email": "ada@example.com", "city": null}"#),
        (JSON, br#"{"email": "wrong", "email": "ada@example.com", "name": "", "name": "Ada"}"#),
        (FORM, br#"{"name": "Ada", "email": "ada@example.com"}"#),
        (TEXT, br#"{"name": "Ada", "email": "ada@example.com"}"#),
        (SILENT, br#"{"name": "Ada", "email": "ada@example.com"}"#),
        (JSON, b"name=Ada&email=ada%40example.com"),
        (JSON, br#"[{"name": "Ada", "email": "ada@example.com"}]"#),
        (JSON, br#"{"data": {"form": {"contact": {"name": "Ada", "e-mail": "ada@example.com"}}}}"#),
        (FORM, b"payload=%7B%22name%22%3A%22Ada%22%2C%22email%22%3A%22ada%40example.com%22%7D"),
    ];
    for (header, body) in bodies {
        let text = String::from_utf8_lossy(body);
        let answer = post(&api, "?source=x", &[header], body.to_vec()).await.expect(200);
        assert_eq!(answer, json!({"status": "ok", "contact": {"id": 1}}), "{text}");
        assert_eq!(tagged(&api, "x").await, ["Ada | - | ada@example.com"], "{text}");
    }
}

#[tokio::test]
async fn what_brings_nothing_is_ignored_with_its_reason() {
    let (_world, api) = italy().await;
    let unreadable = "the body is neither json nor a form";
    let cases: [(Header, &[u8], &str); 11] = [
        (JSON, b"", "the body is empty"),
        (JSON, b"{}", "the body is empty"),
        (JSON, b"[]", "the body is empty"),
        (JSON, b"null", unreadable),
        (JSON, b"{\"email\":", unreadable),
        (FORM, b"{\"email\": \"ada@example.com\"", unreadable),
        (TEXT, b"hello", unreadable),
        (("content-type", "text/xml"), b"<email>ada@example.com</email>", unreadable),
        (FORM, b"webhook_id=12", "a ping without data"),
        (JSON, br#"{"name": "Ada"}"#, "no phone number and no e-mail address was found"),
        (JSON, br#"{"email": "ada at home"}"#, "email is not a valid e-mail address"),
    ];
    for (content_type, body, want) in &cases {
        assert_eq!(ignored(&api, "", &[*content_type], body.to_vec()).await, *want);
    }
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    ignored(&api, "", &[JSON], deep).await;
    assert_eq!(calls(&api).await.len(), cases.len() + 1);
    assert_eq!(total(&api).await, 0);
}

#[tokio::test]
async fn a_large_body_is_read_and_one_above_the_limit_is_ignored() {
    let (_world, api) = italy().await;
    let lines = |bytes: usize| {
        let line = r#"{"title": "Tazza", "price": "9.90", "email": "shop@example.com"},"#;
        line.repeat(bytes / line.len())
    };
    let order = |bytes| {
        let lines = lines(bytes);
        format!(r#"{{"line_items": [{lines} 1], "customer": {{"email": "ada@example.com"}}}}"#)
    };
    post(&api, "?source=x", &[JSON], order(3_000_000)).await.expect(200);
    assert_eq!(tagged(&api, "x").await, ["- | - | ada@example.com"]);
    let reason = ignored(&api, "?source=x", &[JSON], order(6_100_000)).await;
    assert_eq!(reason, "the body is larger than 6000000 bytes");
    let chunks = (0..70).map(|_| Ok::<_, std::io::Error>(vec![b' '; 100_000]));
    ignored(&api, "", &[JSON], Body::from_stream(futures::stream::iter(chunks))).await;
}

#[tokio::test]
async fn what_is_left_out_is_told() {
    let (_world, api) = italy().await;
    let body = r#"{"name": "Ada", "phone": "12", "email": "ada@example.com"}"#;
    post(&api, "", &[JSON], body).await.expect(200);
    let call = calls(&api).await.remove(0);
    assert_eq!((&call["outcome"], &call["contact_ids"]), (&json!("ok"), &json!([1])));
    assert!(call["reason"].as_str().unwrap().starts_with("phone must have"), "{call}");
}
