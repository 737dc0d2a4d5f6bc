//! Single sends under keys.

use serde_json::json;

use super::{Promise, Stage, digits};
use crate::faults::stage::Ask;

/// Where single messages are sent.
const SEND: &str = "/api/whatsapp-meta/send";

/// Sends the nth person a message of its own under a key.
pub(super) async fn send(stage: &Stage, n: usize) {
    let key = format!("message-{n}");
    let body = json!({
        "token": stage.token(), "number": digits(n), "type": "freetext", "message": format!("Ciao {n}"),
    });
    let ask = Ask { key: Some(&key), ..Ask::post(SEND, body) };
    let mut answers = stage.insist("messages", &ask).await;
    stage.served("send", &answers, &[200, 504]);
    // Who asks once more is told the same.
    stage.wait_ms(3_000).await;
    answers.extend(stage.insist("messages", &ask).await);
    stage.promise(Promise::Message { to: digits(n), answers });
}

/// Is refused to send the nth person anything.
pub(super) async fn refused(stage: &Stage, n: usize) {
    let body = json!({
        "token": stage.token(), "number": digits(n), "type": "freetext", "message": format!("Ciao {n}"),
    });
    let answers = stage.insist("messages", &Ask::post(SEND, body)).await;
    stage.served("send to who opted out", &answers, &[422]);
}

pub(super) async fn under_keys(stage: &Stage) {
    // One to somebody we know, one to somebody we do not.
    tokio::join!(send(stage, 0), send(stage, 7));
}
