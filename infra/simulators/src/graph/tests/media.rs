//! Uploads and downloads.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{Bench, NUMBER, message};

fn form(kind: &str, bytes: &[u8], product: &str) -> Request<Body> {
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\n{product}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\n{kind}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: {kind}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--b--\r\n");
    Request::builder()
        .method(Method::POST)
        .uri(format!("/v23.0/{NUMBER}/media"))
        .header("Authorization", "Bearer token")
        .header("Content-Type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap()
}

async fn upload(bench: &Bench, kind: &str, bytes: &[u8]) -> Option<String> {
    let (status, body) = bench.request(form(kind, bytes, "whatsapp")).await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    (status == 200).then(|| answer["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_upload_can_be_sent_read_downloaded_and_deleted() {
    let bench = Bench::unlimited();
    let id = upload(&bench, "image/png", b"pixels").await.unwrap();
    let (_, node) = bench.get(&format!("/v23.0/{id}")).await;
    assert_eq!((&node["mime_type"], &node["file_size"]), (&json!("image/png"), &json!(6)));
    assert_eq!(node["sha256"], "bsnCsOsUAQdGyLzok5MDs4I0SyliBmEuuKkHo3srLzc=");

    let address = node["url"].as_str().unwrap().strip_prefix("http://graph.test").unwrap();
    let fetch = |token: Option<&str>| {
        let request = Request::builder().uri(address);
        let request = token.iter().fold(request, |request, token| request.header("Authorization", *token));
        bench.request(request.body(Body::empty()).unwrap())
    };
    assert_eq!(fetch(Some("Bearer token")).await, (200, b"pixels".to_vec()));
    assert_eq!(fetch(None).await.0, 401);
    bench.clock.advance(5 * 60 * 1_000);
    assert_eq!(fetch(Some("Bearer token")).await.0, 404, "an address lives five minutes");

    assert_eq!(bench.send_code(message("image", json!({ "id": id }))).await, 0);
    assert_eq!(bench.send_code(message("document", json!({ "id": id }))).await, 0);
    assert_eq!(bench.send_code(message("video", json!({ "id": id }))).await, 131_053);
    assert_eq!(bench.call(Method::DELETE, &format!("/{id}"), Value::Null).await.0, 200);
    assert_eq!(bench.send_code(message("image", json!({ "id": id }))).await, 100);
    assert_eq!(bench.get(&format!("/{id}")).await.0, 400);
}

#[tokio::test]
async fn types_and_sizes_are_limited() {
    let bench = Bench::new();
    let megabytes = |count: usize| vec![0; count * 1024 * 1024];
    for (kind, count) in [("image/jpeg", 5), ("video/mp4", 16), ("audio/ogg; codecs=opus", 16)] {
        assert!(upload(&bench, kind, &megabytes(count)).await.is_some(), "{kind}");
        let mut larger = megabytes(count);
        larger.push(0);
        assert!(upload(&bench, kind, &larger).await.is_none(), "{kind}");
    }
    assert!(upload(&bench, "application/pdf", &megabytes(17)).await.is_some());
    assert!(upload(&bench, "image/gif", b"x").await.is_none());
    assert!(upload(&bench, "image/png", b"").await.is_none());
    assert_eq!(bench.request(form("image/png", b"x", "sms")).await.0, 400);
}

#[tokio::test]
async fn a_resumable_upload_gives_a_handle() {
    let bench = Bench::new();
    let (_, opened) = bench
        .call(
            Method::POST,
            "/v23.0/123/uploads?file_name=a.png&file_length=6&file_type=image/png",
            Value::Null,
        )
        .await;
    let id = opened["id"].as_str().unwrap();
    let send = |bytes: &'static str| {
        let request = Request::builder().method(Method::POST).uri(format!("/v23.0/{id}"));
        let request = request.header("Authorization", "OAuth token").header("file_offset", "0");
        bench.request(request.body(Body::from(bytes)).unwrap())
    };
    assert_eq!(send("few").await.0, 400);
    let (status, body) = send("pixels").await;
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert!(answer["h"].as_str().unwrap().starts_with("4::"));
}

#[tokio::test]
async fn an_upload_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = super::Config { state: Some(directory.path().join("state")), ..super::config() };
    let first = Bench::with(config.clone());
    let id = upload(&first, "image/png", b"pixels").await.unwrap();
    drop(first);
    let second = Bench::with(config);
    let (_, node) = second.get(&format!("/{id}")).await;
    let address = node["url"].as_str().unwrap().strip_prefix("http://graph.test").unwrap().to_owned();
    let request = Request::builder().uri(address).header("Authorization", "Bearer token");
    assert_eq!(second.request(request.body(Body::empty()).unwrap()).await, (200, b"pixels".to_vec()));
    assert_ne!(upload(&second, "image/png", b"pixels").await, Some(id));
}
