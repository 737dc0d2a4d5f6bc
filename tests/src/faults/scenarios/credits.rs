//! What is paid with credits.

use domain::campaign::CampaignState;
use serde_json::json;
use simulators::graph::FaultRule;

use super::{ID, Promise, Stage, campaigns, digits, messages, person, phone};
use crate::faults::stage::Ask;

/// What whoever sends single messages begins with.
pub(super) const PAID: u64 = 10;
/// What the campaign begins with: less than its recipients.
pub(super) const FEW: u64 = 2;
/// What the agency grants.
const GRANT: u64 = 20;

pub(super) async fn prepare(stage: &Stage) {
    stage.world.import((0..3).map(person)).await;
    let tenant = stage.world.tenant();
    stage.world.store().watch_balance(tenant, Some(PAID), None).await.unwrap();
}

pub(super) async fn paid(stage: &Stage) {
    stage.promise(Promise::Credits { granted: PAID });
    let (code, to) = (Some(131_026), Some(phone(1)));
    stage.world.fault(FaultRule { code, to, ..FaultRule::default() });
    let refused = async {
        let body = json!({
            "token": stage.token(), "number": digits(1), "type": "freetext", "message": "Ciao 1",
        });
        let ask = Ask { key: Some("message-1"), ..Ask::post("/api/whatsapp-meta/send", body) };
        let answers = stage.insist("messages", &ask).await;
        stage.served("send", &answers, &[422, 504]);
    };
    tokio::join!(messages::send(stage, 0), refused);
}

pub(super) async fn granted(stage: &Stage) {
    stage.promise(Promise::Credits { granted: FEW + GRANT });
    campaigns::launch(stage).await;
    stage.until_state(ID, CampaignState::Paused).await;
    let body = json!({"email": "bottega@example.com", "amount": GRANT, "idempotency_key": "recharge-1"});
    let ask = Ask { by_agency: true, ..Ask::post("/v1/subaccounts/credits", body) };
    let answers = stage.insist("accounts", &ask).await;
    stage.served("grant", &answers, &[200]);
}
