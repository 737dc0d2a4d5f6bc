use serde_json::json;
use simulators::graph::FaultRule;

use super::{CampaignId, Promise, Stage, digits, person, phone};
use crate::faults::stage::Ask;

/// The one campaign.
const ID: CampaignId = CampaignId(1);

/// Contacts, an approved template, and a draft for everybody.
pub(super) async fn prepare(stage: &Stage, people: usize) {
    stage.world.import((0..people).map(person)).await;
    stage.world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    assert_eq!(stage.world.draft("avviso").await, ID);
    stage.promise(Promise::Audience { campaign: ID, contacts: people as u64 });
}

/// Launches the draft.
async fn launch(stage: &Stage) {
    let body = json!({"campaign_id": ID.0});
    let ask = Ask { key: Some("launch-1"), ..Ask::post("/api/campaigns/launch", body) };
    stage.insist("campaigns", &ask).await;
}

/// Meta answers the next `times` messages to the nth person with `code`.
fn answers(stage: &Stage, n: usize, code: u32, times: Option<u64>) {
    let (code, to) = (Some(code), Some(phone(n)));
    stage.world.fault(FaultRule { code, to, next: times, ..FaultRule::default() });
}

pub(super) async fn with_retries(stage: &Stage) {
    answers(stage, 1, 131_000, Some(1));
    answers(stage, 4, 130_429, Some(1));
    answers(stage, 6, 131_026, None);
    stage.expected().may_fail.insert(digits(6));
    launch(stage).await;
}

pub(super) async fn cancelled(stage: &Stage) {
    stage.expected().cancels = true;
    launch(stage).await;
    stage.wait_ms(1_300).await;
    if stage.control(ID, "cancel", json!({})).await {
        let from_ms = stage.now_ms();
        stage.promise(Promise::Quiet { campaign: ID, from_ms, until_ms: None });
    }
}
