//! How far an order is, and what the customer is told of it.

use futures::future::join_all;
use harness::{Api, Hook, Received, World, phone};
use serde_json::{Value, json};
use simulators::graph::FaultRule;

use super::{done, order, ordered, post, refused, shop};

const UPDATE: &str = "/api/v1/catalog/order/update";

/// A shop with an order of the nth person.
async fn with_order(n: usize) -> (World, Api, String) {
    let (world, api) = shop().await;
    order(&world, &phone(n)[1..], &[("pane", 2)]);
    world.drain().await;
    let id = ordered(&api).await[0]["order_id"].as_str().unwrap().to_owned();
    (world, api, id)
}

/// The order statuses that WhatsApp took.
fn told(world: &World) -> Vec<Value> {
    let messages = world.simulator.messages(None, usize::MAX).into_iter();
    let orders = messages.filter(|message| message.body["interactive"]["type"] == "order_status");
    orders.map(|message| message.body["interactive"].clone()).collect()
}

#[tokio::test]
async fn an_order_goes_on_and_never_back() {
    let (world, api, id) = with_order(1).await;
    let hook = Hook::new().await;
    api.post("/api/webhooks", json!({"url": hook.url, "name": "CRM", "events": "order.status_changed"}))
        .await
        .expect(201);
    for (status, is) in [
        ("processing", "processing"),
        ("Partially Shipped", "partially_shipped"),
        ("SHIPPED", "shipped"),
        ("Delivered", "completed"),
        ("refunded", "refunded"),
    ] {
        let after = done(&api, UPDATE, json!({"order_id": id, "status": status})).await;
        assert_eq!((&after["data"]["status"], &after["notification"]), (&json!(is), &Value::Null));
        let again = done(&api, UPDATE, json!({"orderId": id, "cart_status": status})).await;
        assert_eq!(again["message"], "The order had this status already.");
        let back = refused(&api, UPDATE, json!({"orderId": id, "status": "pending"})).await;
        assert_eq!(back, ("conflict".to_owned(), "status".to_owned()));
    }
    world.drain().await;
    let events: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let steps: Vec<(&str, &str)> = events
        .iter()
        .map(|event| {
            (event["data"]["previous_status"].as_str().unwrap(), event["data"]["status"].as_str().unwrap())
        })
        .collect();
    assert_eq!(steps.len(), 5, "{steps:?}");
    assert!(steps.contains(&("pending", "processing")) && steps.contains(&("completed", "refunded")));
    assert_eq!(told(&world), [Value::Null; 0]);
    // SendApp's style has a status for it.
    let back = api.post(&format!("/api/orders/{id}"), json!({"status": "shipped"})).await;
    assert_eq!(back.field(409), "status");
    let sisters = post(
        &api,
        "/api/v1/whatsapp/catalog/order/status-change",
        json!({"order_unique_id": id, "cart_status": "Refunded"}),
    )
    .await;
    assert_eq!(sisters["status"], "1");
}

#[tokio::test]
async fn of_two_who_change_an_order_at_once_one_does() {
    let (_world, api, id) = with_order(1).await;
    let calls =
        ["completed", "canceled"].map(|status| post(&api, UPDATE, json!({"orderId": id, "status": status})));
    let answers = join_all(calls).await;
    let done: Vec<&Value> = answers.iter().filter(|answer| answer["status"] == "1").collect();
    assert_eq!(done.len(), 1, "{answers:?}");
    let now = api.get(&format!("/api/orders/{id}")).await.expect(200);
    assert_eq!(now["order"]["status"], done[0]["data"]["status"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_told_of_a_status_once() {
    let (world, api, id) = with_order(1).await;
    let ship = json!({"orderId": id, "status": "shipped", "notify": 1, "message": "È partito!", "description": "Corriere"});
    let answers = join_all((0..4).map(|_| post(&api, UPDATE, ship.clone()))).await;
    assert!(answers.iter().all(|answer| answer["status"] == "1"), "{answers:?}");
    let again = done(&api, UPDATE, ship.clone()).await;
    assert_eq!(again["notification"]["status"], "sent", "{again}");
    let mut keyed = ship;
    keyed["idempotency_key"] = json!("k-1");
    let first = done(&api, UPDATE, keyed.clone()).await;
    assert_eq!(done(&api, UPDATE, keyed.clone()).await, first);
    keyed["status"] = json!("completed");
    assert_eq!(refused(&api, UPDATE, keyed).await.0, "conflict", "the same key, another request");
    let told = told(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    let parameters = &told[0]["action"]["parameters"];
    assert_eq!(
        (&parameters["reference_id"], &parameters["order"]),
        (&json!(id), &json!({"status": "shipped", "description": "Corriere"}))
    );
    assert_eq!(told[0]["body"]["text"], "È partito!");
    // Without a text there is one.
    done(&api, UPDATE, json!({"orderId": id, "status": "completed", "notify": true})).await;
    assert_eq!(self::told(&world)[1]["body"]["text"], "Your order is complete. Thank you!");
}

#[tokio::test]
async fn who_may_not_be_told_does_not_hold_the_order_up() {
    let (world, api, id) = with_order(1).await;
    world.clock.advance_ms(25 * 3_600_000);
    // A number that is new has contacts whose windows nobody knows.
    let late = done(&api, UPDATE, json!({"orderId": id, "status": "processing", "notify": 1})).await;
    assert_eq!(late["data"]["status"], "processing");
    assert_eq!(
        (&late["notification"]["status"], &late["notification"]["code"]),
        (&json!("not_sent"), &json!("outside_window"))
    );
    // They write: now they can be told of it.
    world.writes(&phone(1), "Allora?");
    world.drain().await;
    let now = done(&api, UPDATE, json!({"orderId": id, "status": "processing", "notify": 1})).await;
    assert_eq!(
        (now["message"].as_str(), &now["notification"]["status"]),
        (Some("The order had this status already."), &json!("sent"))
    );
    world.writes(&phone(1), "STOP");
    world.drain().await;
    let stopped = done(&api, UPDATE, json!({"orderId": id, "status": "shipped", "notify": 1})).await;
    assert_eq!(
        (&stopped["data"]["status"], &stopped["notification"]["code"]),
        (&json!("shipped"), &json!("opted_out"))
    );
    // WhatsApp has no message of a refund.
    let refund = done(&api, UPDATE, json!({"orderId": id, "status": "refunded", "notify": 1})).await;
    assert_eq!(
        (&refund["data"]["status"], &refund["notification"]["code"]),
        (&json!("refunded"), &json!("invalid_field"))
    );
    assert_eq!(told(&world).len(), 1);
}

#[tokio::test]
async fn what_whatsapp_refused_may_be_told_once_more() {
    let (world, api, id) = with_order(1).await;
    world.fault(FaultRule { code: Some(131_009), next: Some(1), ..FaultRule::default() });
    let ship = json!({"orderId": id, "status": "shipped", "notify": 1});
    let refused = done(&api, UPDATE, ship.clone()).await;
    assert_eq!(refused["notification"]["code"], "provider_rejected", "{refused}");
    assert_eq!(done(&api, UPDATE, ship.clone()).await["notification"]["status"], "sent");
    assert_eq!(told(&world).len(), 1);
    // Whether it was taken is not known: it is not sent again.
    world.fault(FaultRule {
        timeout_after_accept: true,
        hang_ms: Some(0),
        next: Some(1),
        ..FaultRule::default()
    });
    let end = json!({"orderId": id, "status": "completed", "notify": 1});
    assert_eq!(done(&api, UPDATE, end.clone()).await["notification"]["code"], "provider_timeout");
    done(&api, UPDATE, end).await;
    assert_eq!(told(&world).len(), 2);
}
