//! Contacts who are led through a flow.

use ::flows::Definition;
use serde_json::json;

use super::{Promise, Stage, digits, person};
use crate::faults::stage::Ask;

const QUESTION: &str = "Che giorno?";
const LAST: &str = "A presto";

pub(super) async fn prepare(stage: &Stage) {
    let world = &stage.world;
    world.import((0..3).map(person)).await;
    let flow = json!({
        "name": "Prenotazioni", "start": "day",
        "triggers": [{"on": "keyword", "words": ["prenota"]}],
        "steps": {
            "day": {"do": "ask", "text": QUESTION, "kind": "date", "save": "day", "next": "tag"},
            "tag": {"do": "set", "add_tags": ["prenotato"], "note": "Per {{vars.day}}", "next": "bye"},
            "bye": {"do": "message", "text": "A presto, {{vars.day}}"},
        },
    });
    let new = ops::flows::NewFlow { definition: Definition::read(&flow).unwrap(), account: None };
    ops::flows::create(world.store(), &world.caller, new).await.unwrap();
}

pub(super) async fn led_through(stage: &Stage) {
    let world = &stage.world;
    world.writes(&digits(0), "prenota");
    world.writes(&digits(2), "prenota");
    started(stage, 1).await;
    if stage.until_said(&digits(0), QUESTION).await {
        world.writes(&digits(0), "24/12");
        stage.promise(Promise::Answered { to: digits(0), text: LAST.to_owned() });
        let labels = vec![("prenotato".to_owned(), Vec::new())];
        let notes = vec!["Per 2026-12-24".to_owned()];
        stage.promise(Promise::Marked { who: 0, notes, labels });
    }
    world.writes(&digits(2), "STOP");
    if stage.until_opted_out(2).await {
        world.writes(&digits(2), "24/12");
        stage.promise(Promise::Nothing { to: digits(2), from_ms: stage.now_ms() });
    }
    for who in 0..3 {
        stage.promise(Promise::Rests { who });
    }
}

/// Somebody for whom the flow is started by a call.
async fn started(stage: &Stage, n: usize) {
    let world = &stage.world;
    let flow = world.store().flows(world.tenant()).await.unwrap().remove(0).id;
    let (path, body) =
        (format!("/api/flows/{flow}/start"), json!({"token": stage.token(), "number": digits(n)}));
    let ask = Ask { key: Some("start-1"), ..Ask::post(&path, body) };
    let answers = stage.insist("assistant", &ask).await;
    stage.served("start", &answers, &[202]);
    stage.promise(Promise::Answered { to: digits(n), text: QUESTION.to_owned() });
}
