//! Events for an endpoint.

use serde_json::json;

use super::{Promise, Stage, digits, messages, phone};
use crate::faults::stage::Ask;

/// An endpoint for every event; nobody listens there but the gate.
pub(super) async fn prepare(stage: &Stage) {
    let body = json!({"url": "http://localhost:9/hook"});
    let made = stage.ask("webhooks", &Ask::post("/api/webhooks", body)).await;
    assert_eq!(made.unwrap().status.as_u16(), 201);
}

pub(super) async fn for_an_endpoint(stage: &Stage) {
    let body = json!({"name": "Anna", "phone": phone(3)});
    let ask = Ask { key: Some("create-1"), ..Ask::post("/api/contacts", body) };
    let answers = stage.insist("contacts", &ask).await;
    stage.served("create", &answers, &[201]);
    messages::send(stage, 4).await;
    stage.world.writes(&digits(3), "Buongiorno");
    stage.wait_ms(5_000).await;
    // Of a message that Meta never took there is nothing to tell.
    let is_taken = !stage.world.simulator.messages(Some(&digits(4)), 1).is_empty();
    let told = ["contact.created", "message.received"].into_iter();
    for containing in told.chain(is_taken.then_some("\"delivered\"")) {
        stage.promise(Promise::Events { containing: containing.to_owned(), count: 1 });
    }
}
