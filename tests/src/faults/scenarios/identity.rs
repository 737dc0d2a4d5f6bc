//! What people say under identities of theirs.

use serde_json::{Value, json};

use super::{Promise, Stage, digits, messages};
use crate::{person, phone};

const USER_ID: &str = "IT.13491208655302741918";

pub(super) async fn prepare(stage: &Stage) {
    stage.world.import((0..3).map(person)).await;
    // Whoever has a number is one contact with whoever has the user id, in the end.
    stage.expected().contacts = (0..3).map(phone).collect();
}

fn says(stage: &Stage, inbound: Value) {
    stage.world.simulator.inbound(serde_json::from_value(inbound).unwrap()).unwrap();
}

/// Somebody opts out by the user id alone, before WhatsApp shows whose it is; from then on
/// nothing is sent to their number.
pub(super) async fn of_one_person(stage: &Stage) {
    says(stage, json!({"user_id": USER_ID, "text": "STOP"}));
    says(stage, json!({"from": digits(2), "user_id": USER_ID, "text": "sono io"}));
    if stage.until_opted_out(2).await {
        stage.promise(Promise::Nothing { to: digits(2), from_ms: stage.now_ms() });
        messages::refused(stage, 2).await;
    }
    messages::send(stage, 1).await;
}
