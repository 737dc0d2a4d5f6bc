//! What the commonest calls cost in requests to AWS.
//!
//! `STAFFETTA_UPDATE=1 cargo test -p tests --test it requests_to_aws` writes the
//! table of `infra/README.md`.

use std::fmt::Write;

use harness::{Api, World, person};
use http::Method;
use serde_json::{Value, json};

/// The calls, with a body where they have one.
fn calls(token: &str, template: &str) -> Vec<(Method, String, Value)> {
    let send = json!({"token": token, "number": "393330000001", "type": "template", "template": {
        "name": template, "language": "it", "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]}]}});
    let draft = json!({"token": token, "name": "Promo", "channel": "whatsapp", "message_type": "template",
                       "template_name": template, "template_params": ["{{name}}"]});
    let rows: Vec<Value> =
        (100..200).map(|i| json!({"name": "B", "phone": format!("+39333100{i:04}")})).collect();
    let webhook = format!("/api/integrations/webhook/{token}?source=crm");
    let calls = [
        (Method::POST, "/api/whatsapp-meta/send", send),
        (Method::POST, "/api/contacts", json!({"name": "Anna", "phone": "+393331000001"})),
        (Method::POST, "/api/contacts/bulk", json!({"contacts": rows})),
        (Method::GET, "/api/contacts?page=1", Value::Null),
        (Method::GET, "/api/contacts?search=anna", Value::Null),
        (Method::POST, "/api/campaigns/draft", draft),
        (Method::POST, "/api/campaigns/launch", json!({"campaign_id": 1})),
        (Method::GET, "/api/campaigns/1", Value::Null),
        (Method::GET, "/api/account", Value::Null),
        (Method::GET, "/api/v1/subscriber/list", Value::Null),
        (Method::POST, &webhook, json!({"name": "Ada", "phone": "+393331000002"})),
    ];
    calls.map(|(method, path, body)| (method, path.to_owned(), body)).into()
}

#[tokio::test]
async fn requests_to_aws() {
    let world = World::new().await;
    world.template("promo", "UTILITY", "Ciao {{1}}, a presto").await;
    world.import((0..20).map(person)).await;
    let api = Api::of(&world).await;
    // Statuses would come in between, and are not the call's.
    world.set(json!({"sent_after_ms": 3_600_000, "delivered_after_ms": 3_600_000}));
    let mut table = String::from("| call | DynamoDB | SQS | S3 |\n|---|---|---|---|\n");
    for (method, path, mut body) in calls(&api.token, "promo") {
        let before = world.embedded.requests();
        let answer = if path.starts_with("/api/v1/") {
            api.raw(method.clone(), &format!("{path}?apiToken={}", api.key), "", "").await
        } else if body.is_null() {
            api.get(&path).await
        } else {
            let body = body.take();
            api.json(method.clone(), &path, &body).await
        };
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
        let spent = world.embedded.requests().since(before);
        let rows = if path.ends_with("bulk") { " (100 new contacts)" } else { "" };
        let path = path.replace(&api.token, "{token}");
        writeln!(table, "| `{method} {path}`{rows} | {} | {} | {} |", spent.dynamodb, spent.sqs, spent.s3)
            .unwrap();
    }
    crate::registered::assert_generated("infra/README.md", "<!-- requests", &table);
}
