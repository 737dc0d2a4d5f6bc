//! Files that go straight to the bucket.

use axum::body::Body;
use harness::{Answer, Api, World};
use http::Request;
use serde_json::{Value, json};

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13];

/// Asks where to put a file.
async fn announce(api: &Api, name: &str, content_type: &str, size: usize) -> Answer {
    let body = json!({"token": api.token, "filename": name, "content_type": content_type, "size": size});
    api.post("/api/campaigns/upload_url", body).await
}

/// Puts a file where an announcement says, with the headers it says.
async fn put(world: &World, announced: &Value, bytes: &'static [u8]) -> u16 {
    let url: http::Uri = announced["upload_url"].as_str().unwrap().parse().unwrap();
    let mut request = Request::put(&url).header("host", url.host().unwrap());
    for (name, value) in announced["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    world.s3(request.body(Body::from(bytes)).unwrap()).await.0
}

fn path(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("http://localhost:9000").unwrap().to_owned()
}

#[tokio::test]
async fn an_upload_is_served_once_it_was_checked() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let announced = announce(&api, "foto.png", "image/png", PNG.len()).await.expect(200);
    assert_eq!(announced["method"], "PUT");
    assert_eq!(announced["expires_in"], 900);
    let media = path(&announced["url"]);
    assert_eq!(put(&world, &announced, PNG).await, 200);
    assert_eq!(api.get(&media).await.status, 404, "nobody has checked it");
    let draft = json!({"token": api.token, "name": "x", "channel": "whatsapp", "message_type": "media_only",
                       "media_url": announced["url"], "media_type": "image"});
    let early = api.post("/api/campaigns/draft", draft.clone()).await;
    assert_eq!(early.field(422), "media_url");

    world.drain().await;
    let found = api.get(&media).await;
    assert_eq!(found.status, 302);
    let location = found.headers["location"].to_str().unwrap();
    assert_eq!(world.fetch(location).await, (200, PNG.to_vec()));
    api.post("/api/campaigns/draft", draft).await.expect(200);
}

#[tokio::test]
async fn what_is_not_what_was_announced_is_never_served() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let lying: &[u8] = b"MZ\x90\x00 no pic";
    let announced = announce(&api, "foto.png", "image/png", lying.len()).await.expect(200);
    assert_eq!(put(&world, &announced, lying).await, 200);
    world.drain().await;
    assert_eq!(api.get(&path(&announced["url"])).await.status, 404);
    // What comes later under the same URL is not looked at.
    let mut good = PNG.to_vec();
    good.truncate(lying.len());
    assert_eq!(put(&world, &announced, good.leak()).await, 200);
    world.drain().await;
    assert_eq!(api.get(&path(&announced["url"])).await.status, 404);
}

#[tokio::test]
async fn the_signature_holds_size_and_type() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let mut announced = announce(&api, "foto.png", "image/png", PNG.len()).await.expect(200);
    announced["headers"]["content-type"] = json!("text/html");
    assert_eq!(put(&world, &announced, PNG).await, 403);
    let mut announced = announce(&api, "foto.png", "image/png", PNG.len()).await.expect(200);
    announced["headers"]["content-length"] = json!("9");
    assert_eq!(put(&world, &announced, &PNG[..9]).await, 403);
}

#[tokio::test]
async fn announcements_name_what_is_wrong() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    for (name, content_type, size, field) in [
        ("a.png", "image/png", 5_000_001, "size"),
        ("a.png", "image/png", 0, "size"),
        ("a.pdf", "application/pdf", 100_000_001, "size"),
        ("a.png", "application/pdf", 10, "content_type"),
        ("a.exe", "application/x-msdownload", 10, "content_type"),
    ] {
        assert_eq!(announce(&api, name, content_type, size).await.field(422), field, "{name} {content_type}");
    }
    announce(&api, "a.pdf", "application/pdf", 100_000_000).await.expect(200);
    let missing = json!({"token": api.token, "content_type": "image/png", "size": 3});
    assert_eq!(api.post("/api/campaigns/upload_url", missing).await.field(422), "filename");
}
