//! `/api/flows` itself: what is made, listed, refused.

use harness::{Api, World};
use serde_json::{Value, json};

use super::{booking, made, world_with};

#[tokio::test]
async fn a_flow_is_made_listed_and_shown() {
    let (_world, api, id) = world_with(booking()).await;
    let valid = api.post("/api/flows/validate", json!({"flow": booking()})).await.expect(200);
    assert_eq!((&valid["valid"], &valid["steps"]), (&json!(true), &json!(7)));
    let listed = api.get("/api/flows").await.expect(200);
    assert_eq!(listed["flows"][0]["id"], json!(id));
    let shown = api.get(&format!("/api/flows/{id}")).await.expect(200);
    assert_eq!(shown["flow"]["flow"]["steps"]["bye"]["text"], "A presto, {{vars.day}}");
    assert_eq!(shown.get("secret"), None, "told once");
    let sendwo = api.sendwo("/api/v1/whatsapp/bot-flow/list", "limit=10").await.expect(200);
    assert_eq!(sendwo["message"][0]["bot_flow_unique_id"], json!(id));
    let unchanged = api.post(&format!("/api/flows/{id}"), json!({"flow": booking()})).await.expect(200);
    assert_eq!(unchanged["flow"]["version"], 1, "the same is no new version");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let changed = |pointer: &str, value: Value| {
        let mut flow = booking();
        *flow.pointer_mut(pointer).unwrap() = value;
        json!({"flow": flow})
    };
    let refused = [
        (json!({}), "flow"),
        (json!({"flow": "x"}), "flow"),
        (changed("/steps/bye/text", json!("x".repeat(5_000))), "steps.bye.text"),
        (changed("/steps/hello/next", json!("nowhere")), "steps.hello"),
        (changed("/steps/menu/choices/0/title", json!("x".repeat(21))), "steps.menu.choices.0.title"),
        (changed("/triggers/0/words", json!([])), "triggers.0"),
        (changed("/steps/bye", json!({"do": "goto", "to": "tag"})), "steps.tag"),
        (changed("/steps/bye/text", json!("x".repeat(1_000_000))), "flow"),
    ];
    for (body, field) in refused {
        for path in ["/api/flows", "/api/flows/validate"] {
            let named = api.post(path, body.clone()).await.field(422);
            // The first circle that is found may begin at any of its steps.
            assert!(named == field || field == "steps.tag" && named.starts_with("steps."), "{named} {field}");
        }
    }
    let unknown = json!({"flow": booking(), "account_id": 99});
    assert_eq!(api.post("/api/flows", unknown).await.field(404), "account_id");
}

#[tokio::test]
async fn another_tenant_finds_nothing() {
    let (_world, api, id) = world_with(booking()).await;
    let other = api.of_another_tenant().await;
    assert_eq!(other.get("/api/flows").await.expect(200)["flows"], json!([]));
    for path in [format!("/api/flows/{id}"), format!("/api/flows/{id}/runs")] {
        assert_eq!(other.get(&path).await.field(404), "flow_id");
    }
    assert_eq!(
        other.post(&format!("/api/flows/{id}"), json!({"flow": booking()})).await.field(404),
        "flow_id"
    );
    let token = json!({"token": api.token});
    other.post("/api/conversation/1/handover", token).await.expect(404);
    for wrong in ["triggers", "nope", "%20"] {
        assert_eq!(api.get(&format!("/api/flows/{wrong}")).await.field(404), "flow_id");
    }
}

#[tokio::test]
async fn there_may_be_a_hundred() {
    let (_world, api, _) = world_with(booking()).await;
    for _ in 1..100 {
        made(&api, booking()).await;
    }
    assert_eq!(api.post("/api/flows", json!({"flow": booking()})).await.expect(403)["code"], "plan_limit");
}
