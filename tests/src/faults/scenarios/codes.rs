//! One-time codes: what somebody got is right, once.

use serde_json::{Value, json};

use super::{Stage, phone};
use crate::faults::stage::Ask;

pub(super) async fn prepare(stage: &Stage) {
    stage.world.template("codice", "AUTHENTICATION", "").await;
    stage.wait_ms(2_000).await;
}

/// The code that a number got last.
fn newest(stage: &Stage, to: &str) -> Option<String> {
    let message = stage.world.simulator.messages(Some(to), 1).pop()?;
    let text = &message.body["template"]["components"][0]["parameters"][0]["text"];
    text.as_str().map(str::to_owned)
}

/// A call under a key; the last answer to it.
async fn call(stage: &Stage, path: &str, key: &str, body: Value, expects: &[u16]) -> Value {
    let ask = Ask { key: Some(key), ..Ask::post(path, body) };
    let answers = stage.insist("messages", &ask).await;
    stage.served(path, &answers, expects);
    answers.last().cloned().flatten().map_or(Value::Null, |(_, body)| body)
}

pub(super) async fn sent_and_checked(stage: &Stage) {
    let to = phone(1);
    let count = || stage.world.simulator.messages(Some(&to), 9).len();
    for round in 0..2 {
        let before = count();
        call(stage, "/v1/verify/send", &format!("send-{round}"), json!({"to": to}), &[200, 504]).await;
        // Where nobody knows, it may have come later.
        stage.wait_ms(60_000).await;
        let Some(code) = newest(stage, &to).filter(|_| count() > before) else { continue };
        let typed = json!({"to": to, "code": code});
        let checked = call(stage, "/v1/verify/check", &format!("check-{round}"), typed.clone(), &[200]).await;
        if checked["data"]["valid"] != true {
            stage.complain("a code that came is not right", format!("{checked}"));
        }
        let again = call(stage, "/v1/verify/check", &format!("again-{round}"), typed, &[404]).await;
        if again["data"]["valid"] == true {
            stage.complain("a code is right twice", format!("{again}"));
        }
    }
}
