//! Files of contacts, in and out.

mod bad;
mod exports;
mod formats;
mod imports;
mod kills;

use harness::{Answer, Api, World};
use http::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/contacts/imports";

/// Posts a file with options.
async fn post(api: &Api, name: &str, bytes: &[u8], options: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("apikey", api.key.as_str()), ("token", api.token.as_str())];
    fields.extend_from_slice(options);
    api.upload(PATH, &fields, (name, "application/octet-stream", bytes)).await
}

/// Imports a file that comes along; answers the import when it is over.
async fn imported(world: &World, api: &Api, name: &str, bytes: &[u8], options: &[(&str, &str)]) -> Value {
    let begun = post(api, name, bytes, options).await.expect(202);
    world.drain().await;
    show(api, &begun).await
}

async fn show(api: &Api, begun: &Value) -> Value {
    let id = begun["import"]["id"].as_str().unwrap();
    api.get(&format!("{PATH}/{id}")).await.expect(200)["import"].clone()
}

/// Announces a file, and puts it where the answer says.
async fn announced(world: &World, api: &Api, bytes: &[u8], more: Value) -> Value {
    let mut body = json!({"token": api.token, "filename": "clienti.csv", "size": bytes.len()});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let announced = api.post(PATH, body).await.expect(202);
    assert_eq!(announced["import"]["state"], "awaiting_upload");
    let url: http::Uri = announced["upload_url"].as_str().unwrap().parse().unwrap();
    let mut request =
        http::Request::builder().method(Method::PUT).uri(&url).header("host", url.host().unwrap());
    for (name, value) in announced["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    assert_eq!(world.s3(request.body(bytes.to_vec().into()).unwrap()).await.0, 200);
    announced
}

/// The file that a path leads to.
async fn fetched(world: &World, api: &Api, path: &str) -> Vec<u8> {
    let answer = api.get(path).await;
    assert_eq!(answer.status, 302, "{path}: {}", String::from_utf8_lossy(&answer.body));
    let (status, file) = world.fetch(answer.headers["location"].to_str().unwrap()).await;
    assert_eq!(status, 200);
    file
}

/// The rows that failed.
async fn failed(world: &World, api: &Api, import: &Value) -> Vec<String> {
    let file = fetched(world, api, import["failed_rows"].as_str().unwrap()).await;
    String::from_utf8(file).unwrap().lines().map(str::to_owned).collect()
}

/// The contacts, without their ids and times.
async fn contacts(api: &Api) -> Vec<Value> {
    let all = api.get("/api/contacts?per_page=1000").await.expect(200)["contacts"].clone();
    all.as_array().unwrap().clone()
}

/// Columns of a list of contacts.
async fn told(api: &Api, field: &str) -> Vec<Value> {
    contacts(api).await.iter().map(|contact| contact[field].clone()).collect()
}
