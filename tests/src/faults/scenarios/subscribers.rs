//! A contact that is changed, labelled and written about.

use serde_json::{Value, json};

use super::{Promise, Stage, digits, phone};
use crate::faults::stage::Ask;

/// A call of Sendwo's contract under a key.
async fn call(stage: &Stage, path: &str, key: &str, mut body: Value) -> Vec<Option<(u16, Value)>> {
    body["apiToken"] = json!(stage.key());
    let ask = Ask { key: Some(key), ..Ask::post(path, body) };
    let answers = stage.insist("contacts", &ask).await;
    stage.served(path, &answers, &[200]);
    answers
}

pub(super) async fn changed(stage: &Stage) {
    let zero = json!(digits(0));
    let note = |n: usize| {
        let body = json!({"phone_number": zero, "note": format!("nota {n}")});
        async move { call(stage, "/api/v1/subscriber/add-note", &format!("note-{n}"), body).await }
    };
    let label = |key: &'static str, name: &'static str| {
        let body = json!({"labelName": name});
        async move { call(stage, "/api/v1/label/create", key, body).await }
    };
    let assign = call(
        stage,
        "/api/v1/subscriber/assign-labels",
        "assign-1",
        json!({"phone_number": zero, "label_names": "vip,news"}),
    );
    let moved = call(
        stage,
        "/api/v1/subscriber/update",
        "update-1",
        json!({"subscriberId": 2, "phone_number": digits(30), "firstName": "Bice"}),
    );
    let (_, _, vip, again, _, _) =
        tokio::join!(note(1), note(2), label("vip-1", "vip"), label("vip-2", "vip"), assign, moved);
    let notes = ["nota 1", "nota 2"].map(str::to_owned).to_vec();
    let labels = vec![("vip".to_owned(), [vip, again].concat()), ("news".to_owned(), Vec::new())];
    stage.promise(Promise::Marked { who: 0, notes, labels });
    let mut expected = stage.expected();
    expected.contacts.extend([0, 2, 30].map(phone));
    expected.no_contacts.push(phone(1));
}
