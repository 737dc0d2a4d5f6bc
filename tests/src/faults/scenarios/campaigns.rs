//! Campaigns over WhatsApp, controlled while they run.

use domain::ContactId;
use domain::campaign::{CampaignState, Draft};
use serde_json::json;
use simulators::graph::FaultRule;

use super::{ID, Promise, Stage, digits, person, phone};
use crate::faults::stage::Ask;

/// When the first wave has left and the last one has not, in milliseconds.
pub(super) const AMID: u64 = 1_300;
/// Longer than anything may leave that was claimed before.
pub(super) const LONG: u64 = 30_000;

/// Contacts, an approved template, and a draft for everybody.
pub(super) async fn prepare(stage: &Stage, people: usize) {
    let world = &stage.world;
    world.import((0..people).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    assert_eq!(world.draft("avviso").await, ID);
    stage.promise(Promise::Audience { campaign: ID, contacts: people as u64 });
}

/// The same, with a campaign that starts in forty seconds.
pub(super) async fn schedule(stage: &Stage, people: usize) {
    let world = &stage.world;
    world.import((0..people).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let at = world.clock.now() + jiff::SignedDuration::from_secs(40);
    let draft = Draft { scheduled_at: Some(at.to_string()), ..world.template_draft("avviso") };
    assert_eq!(world.draft_of(draft).await.unwrap().0.id, ID);
    stage.promise(Promise::Audience { campaign: ID, contacts: people as u64 });
}

/// Launches the draft.
pub(super) async fn launch(stage: &Stage) {
    let body = json!({"campaign_id": ID.0});
    let ask = Ask { key: Some("launch-1"), ..Ask::post("/api/campaigns/launch", body) };
    let answers = stage.insist("campaigns", &ask).await;
    stage.served("launch", &answers, &[200, 409]);
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
    stage.wait_ms(AMID).await;
    stage.quiet_after(ID, "cancel", json!({})).await;
}

pub(super) async fn failures_again(stage: &Stage) {
    answers(stage, 2, 131_026, Some(1));
    answers(stage, 4, 131_026, Some(1));
    stage.until_state(ID, CampaignState::Finished).await;
    stage.wait_ms(LONG).await;
    stage.control(ID, "resume", json!({"only": "failed"})).await;
}

pub(super) async fn failures_again_early(stage: &Stage) {
    answers(stage, 0, 131_026, Some(1));
    answers(stage, 2, 131_026, Some(1));
    // Who is refused after the order was given, because something came late, has failed.
    stage.expected().may_fail.extend([digits(0), digits(2)]);
    stage.wait_ms(AMID).await;
    stage.control(ID, "pause", json!({})).await;
    stage.control(ID, "resume", json!({"only": "failed"})).await;
}

pub(super) async fn erased(stage: &Stage) {
    stage.wait_ms(AMID).await;
    let quiet = stage.quiet_after(ID, "pause", json!({})).await;
    stage.wait_ms(LONG).await;
    let contact = ContactId(7);
    stage.expected().may_be_erased.insert(contact);
    if stage.delete_contact(contact).await {
        stage.expected().erased.insert(contact);
        stage.promise(Promise::Nothing { to: digits(6), from_ms: stage.now_ms() });
    }
    stage.wait_ms(LONG).await;
    stage.until(quiet);
    stage.control(ID, "resume", json!({})).await;
}

pub(super) async fn stopped(stage: &Stage) {
    stage.expected().may_be_skipped.insert(digits(6));
    stage.world.writes(&digits(6), "STOP");
    if stage.until_opted_out(6).await {
        stage.promise(Promise::Nothing { to: digits(6), from_ms: stage.now_ms() });
    }
}

pub(super) async fn scheduled(stage: &Stage) {
    // The sweep of the next minute starts it.
    stage.wait_ms(70_000).await;
}
