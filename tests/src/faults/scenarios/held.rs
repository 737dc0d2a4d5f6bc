//! Campaigns on a number that is held.

use serde_json::json;
use simulators::graph::FaultRule;

use super::{ID, Promise, Stage, digits};

/// Meta says that the business account sent too much, and the number is held for a
/// minute, from the first message on.
fn holds(stage: &Stage) {
    stage.world.fault(FaultRule { code: Some(80_007), next: Some(1), ..FaultRule::default() });
}

pub(super) async fn cancelled(stage: &Stage) {
    stage.expected().cancels = true;
    holds(stage);
    stage.wait_ms(4_000).await;
    stage.quiet_after(ID, "cancel", json!({})).await;
    stage.wait_ms(70_000).await;
}

pub(super) async fn paused(stage: &Stage) {
    stage.expected().may_be_skipped.insert(digits(3));
    holds(stage);
    stage.wait_ms(3_000).await;
    stage.world.writes(&digits(3), "STOP");
    if stage.until_opted_out(3).await {
        stage.promise(Promise::Nothing { to: digits(3), from_ms: stage.now_ms() });
    }
    let quiet = stage.quiet_after(ID, "pause", json!({})).await;
    stage.wait_ms(90_000).await;
    stage.until(quiet);
    stage.control(ID, "resume", json!({})).await;
}
