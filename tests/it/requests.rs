//! What the commonest calls cost in requests to AWS.
//!
//! `STAFFETTA_UPDATE=1 cargo test -p tests --test it requests_to_aws` writes the
//! table of `infra/README.md`.

use std::fmt::Write;

use harness::{Api, PHONE_NUMBER_ID, World, person, phone};
use http::Method;
use serde_json::{Value, json};
use simulators::graph::FaultRule;

/// The calls, with a body where they have one.
fn calls(token: &str, template: &str) -> Vec<(Method, String, Value)> {
    let send = json!({"token": token, "number": "393330000001", "type": "template", "template": {
        "name": template, "language": "it", "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]}]}});
    let draft = json!({"token": token, "name": "Promo", "channel": "whatsapp", "message_type": "template",
                       "template_name": template, "template_params": ["{{name}}"]});
    let rows: Vec<Value> =
        (100..200).map(|i| json!({"name": "B", "phone": format!("+39333100{i:04}")})).collect();
    let subscriber = |more: Value| {
        let mut body = json!({"phone_number_id": PHONE_NUMBER_ID, "phone_number": &phone(3)[1..]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let update = json!({"subscriberId": 2, "phone_number": "393331000009", "phone_number_id": PHONE_NUMBER_ID,
                        "first_name": "Ada", "email": "ada@example.com", "custom_fields": {"city": "Roma"}});
    let label = subscriber(json!({"label_ids": "1"}));
    let note = subscriber(json!({"note_text": "Chiede i prezzi"}));
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
        (Method::POST, "/api/v1/subscriber/update", update),
        (Method::POST, "/api/v1/subscriber/assign-labels", label),
        (Method::POST, "/api/v1/subscriber/add-note", note),
        (Method::POST, &webhook, json!({"name": "Ada", "phone": "+393331000002"})),
    ];
    calls.map(|(method, path, body)| (method, path.to_owned(), body)).into()
}

#[tokio::test]
async fn requests_to_aws() {
    let world = World::new().await;
    world.template("promo", "UTILITY", "Ciao {{1}}, a presto").await;
    world.import((0..20).map(person)).await;
    // Tags that are used every day.
    world.store().ensure_labels(world.tenant(), &["vip", "crm"].map(str::to_owned)).await.unwrap();
    let api = Api::of(&world).await;
    // Statuses would come in between, and are not the call's.
    world.set(json!({"sent_after_ms": 3_600_000, "delivered_after_ms": 3_600_000}));
    let mut table = String::from("| call | DynamoDB | SQS | S3 |\n|---|---|---|---|\n");
    for (method, path, mut body) in calls(&api.token, "promo") {
        let before = world.embedded.requests();
        let answer = if path.starts_with("/api/v1/") && !body.is_null() {
            body["apiToken"] = json!(api.key);
            api.raw(method.clone(), &path, "application/json", body.take().to_string()).await
        } else if path.starts_with("/api/v1/") {
            api.raw(method.clone(), &format!("{path}?apiToken={}", api.key), "", "").await
        } else if body.is_null() {
            api.get(&path).await
        } else {
            let body = body.take();
            api.json(method.clone(), &path, &body).await
        };
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
        assert!(!path.starts_with("/api/v1/") || answer.json()["status"] == "1", "{path}: {}", answer.json());
        let spent = world.embedded.requests().since(before);
        if path.ends_with("subscriber/update") {
            // Whoever keeps people in step with a CRM changes many of them.
            assert!(spent.dynamodb <= 8, "{path}: {} requests to the table", spent.dynamodb);
        }
        let rows = if path.ends_with("bulk") { " (100 new contacts)" } else { "" };
        let path = path.replace(&api.token, "{token}");
        writeln!(table, "| `{method} {path}`{rows} | {} | {} | {} |", spent.dynamodb, spent.sqs, spent.s3)
            .unwrap();
    }
    let asked = step_of_a_flow().await;
    assert!(asked <= 12, "{asked} requests to the table before a flow says something");
    writeln!(table, "| an answer that a flow goes on with, up to what it says next | {asked} | 0 | 0 |")
        .unwrap();
    crate::registered::assert_generated("infra/README.md", "<!-- requests", &table);
}

/// What the worker asks the table for, from an answer of a contact to the call of Meta.
async fn step_of_a_flow() -> u64 {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let steps = json!({
        "name": {"do": "ask", "text": "Come ti chiami?", "save": "name", "next": "age"},
        "age": {"do": "ask", "text": "Quanti anni hai?"},
    });
    let words = json!([{"on": "keyword", "words": ["prova"]}]);
    let flow = json!({"name": "Prova", "start": "name", "triggers": words, "steps": steps});
    api.post("/api/flows", json!({"flow": flow})).await.expect(201);
    world.clock.advance_ms(60_000);
    world.writes("393330000003", "prova");
    world.drain().await;
    world.clock.advance_ms(60_000);
    world.writes("393330000003", "Anna");
    world.simulator.webhooks_idle().await;
    let (accepted, before) = (world.simulator.stats().accepted, world.embedded.requests());
    // Whoever waits for the answer of Meta asks for nothing meanwhile.
    world.fault(FaultRule { timeout_after_accept: true, next: Some(1), ..FaultRule::default() });
    tokio::select! {
        () = world.drain() => panic!("nothing was said"),
        () = world.until(|stats| stats.accepted > accepted) => {}
    }
    world.embedded.requests().since(before).dynamodb
}
