//! Campaigns over a custom channel.

use domain::channel::CustomChannel;
use domain::contact::NewContact;
use domain::webhook::SigningSecret;
use serde_json::{Value, json};

use super::campaigns::{AMID, LONG, launch};
use super::{ID, Promise, Stage};
use crate::faults::stage::Ask;

const CHANNEL: &str = "livechat";

/// How the channel knows the nth person.
fn id(n: usize) -> String {
    format!("id-{n}")
}

/// A channel, people on it, and a draft for everybody. The channel says nothing of what
/// became of a message.
pub(super) async fn prepare(stage: &Stage, people: usize) {
    let (world, store) = (&stage.world, stage.world.store());
    let channel = CustomChannel {
        key: CHANNEL.parse().unwrap(),
        name: CHANNEL.to_owned(),
        url: "http://localhost:9/chat".to_owned(),
        per_second: stage.scenario.setup().per_second,
        created_at: world.clock.now(),
    };
    let secret = SigningSecret::generate(store.entropy());
    store.register_channel(world.tenant(), &channel, &secret).await.unwrap();
    let person = |n| NewContact { custom: Some((CHANNEL.to_owned(), id(n))), ..NewContact::default() };
    world.import((0..people).map(person)).await;
    let mut draft = world.text_draft("Ciao");
    CHANNEL.clone_into(&mut draft.channel);
    assert_eq!(world.draft_of(draft).await.unwrap().0.id, ID);
    stage.expected().is_silent = true;
    stage.promise(Promise::Audience { campaign: ID, contacts: people as u64 });
}

pub(super) async fn paused(stage: &Stage) {
    launch(stage).await;
    stage.wait_ms(AMID).await;
    let quiet = stage.quiet_after(ID, "pause", json!({})).await;
    stage.wait_ms(LONG).await;
    stage.until(quiet);
    stage.control(ID, "resume", json!({})).await;
}

pub(super) async fn cancelled(stage: &Stage) {
    stage.expected().cancels = true;
    stage.wait_ms(AMID).await;
    single(stage, "single-1").await;
    stage.quiet_after(ID, "cancel", json!({})).await;
}

/// Somebody new is written to under a key.
async fn single(stage: &Stage, to: &str) {
    let data: Value = json!({"fromId": to, "customChannel": CHANNEL, "body": "Ciao"});
    let body = json!({"customData": data});
    let ask = Ask { key: Some(to), ..Ask::post("/v1/send_custom_channel_message", body) };
    let answers = stage.insist("messages", &ask).await;
    stage.promise(Promise::Message { to: to.to_owned(), answers });
}
