//! Files of contacts, in and out.

use axum::body::Body;
use harness::phone;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::bodies::compare;
use crate::bodies::story::Story;

const IMPORTS: &str = "/api/contacts/imports";
const EXPORTS: &str = "/api/contacts/exports";

/// Posts a file as a form does.
async fn posted(story: &mut Story<'_>, file: &str, options: &[(&str, &str)]) -> Value {
    let mut body = String::new();
    for (name, value) in options {
        body.push_str(&format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    let head = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"clienti.csv\"\r\nContent-Type: text/csv";
    body.push_str(&format!("{head}\r\n\r\n{file}\r\n--x--\r\n"));
    let request = Request::post(IMPORTS).header("x-api-key", &story.api.key);
    let request = request.header("content-type", "multipart/form-data; boundary=x");
    story.send(request.body(Body::from(body)).unwrap()).await
}

#[test]
fn imports() {
    compare("sendapp-contact-imports", async |story| {
        let file = format!("Nome,Cellulare,Città\nAda,{},Roma\nBob,12,\n", phone(1));
        posted(story, &file, &[("dry_run", "1"), ("tags", "lista")]).await;
        let begun = posted(story, &file, &[("mapping", "{\"Città\": \"metadata.city\"}")]).await;
        posted(story, "%PDF-1.7", &[]).await;
        posted(story, &file, &[("mapping", "{\"Fax\": \"phone\"}")]).await;
        story.later().await;
        let path = format!("{IMPORTS}/{}", begun["import"]["id"].as_str().unwrap());
        story.get(&path).await;
        story.get(&format!("{path}/failed.csv")).await;
        story.get(IMPORTS).await;
        story.delete(&path, json!({})).await;
        let announced = story.given(IMPORTS, json!({"filename": "clienti.csv", "size": 1000})).await;
        let path = format!("{IMPORTS}/{}", announced["import"]["id"].as_str().unwrap());
        story.delete(&path, json!({})).await;
        story.get(&format!("{path}/failed.csv")).await;
        story.post(IMPORTS, json!({})).await;
        story.get(&format!("{IMPORTS}/none")).await;
        story.keyless(Method::GET, IMPORTS).await;
    });
}

#[test]
fn exports() {
    compare("sendapp-contact-exports", async |story| {
        story.given("/api/contacts", json!({"name": "Ada", "phone": phone(1)})).await;
        let begun = story.post(EXPORTS, json!({"with_phone": true})).await;
        story.post(EXPORTS, json!({"format": "pdf"})).await;
        story.later().await;
        let path = format!("{EXPORTS}/{}", begun["export"]["id"].as_str().unwrap());
        story.get(&path).await;
        story.get(&format!("{path}/file")).await;
        story.get(EXPORTS).await;
        story.get(&format!("{EXPORTS}/none")).await;
        story.get(&format!("{EXPORTS}/none/file")).await;
        story.keyless(Method::POST, EXPORTS).await;
    });
}
