//! Agencies, their sub-accounts, and the credits that those pay their messages with.

mod agencies;
mod campaigns;
mod grants;
mod ledger;
mod low;
mod sends;

use domain::recipient::State;
use domain::{CampaignId, MessageId};
use harness::{Answer, Api, Setup, World, phone};
use serde_json::{Value, json};
use store::credits::Purse;

/// A world whose tenant is a sub-account with so many credits; its API, and its agency's.
async fn shop(credits: u64) -> (World, Api, Api) {
    with(Setup { credits: Some(credits), ..Setup::default() }).await
}

async fn with(setup: Setup) -> (World, Api, Api) {
    let world = World::with(setup).await;
    world.set(json!({"enforce_window": false}));
    let (api, agency) = (Api::of(&world).await, Api::of_agency(&world).await);
    (world, api, agency)
}

/// A text to the nth person.
async fn send(api: &Api, n: usize) -> Answer {
    let body = json!({"token": api.token, "number": phone(n), "type": "freetext", "message": "Ciao"});
    api.post("/api/whatsapp-meta/send", body).await
}

/// Credits by e-mail, as the contract says it.
async fn grant(agency: &Api, amount: Value, more: Value) -> Answer {
    let mut body = json!({"email": "bottega@example.com", "amount": amount, "description": "Ricarica"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    agency.post("/v1/subaccounts/credits", body).await
}

async fn purse(world: &World) -> Purse {
    let purse = world.store().purse(world.tenant()).await.unwrap().unwrap();
    assert_eq!(
        i128::from(purse.balance),
        i128::from(purse.granted) - i128::from(purse.debited) + i128::from(purse.refunded),
        "the balance is not what came and went: {purse:?}"
    );
    purse
}

/// What recipients of a campaign cost, as their rows say: whoever may have got a message and
/// was not paid back.
async fn cost_of(world: &World, id: CampaignId) -> u64 {
    let is_paid = |state| {
        matches!(
            state,
            State::Claimed
                | State::Unknown
                | State::Accepted
                | State::Sent
                | State::Delivered
                | State::Read
                | State::Failed
        )
    };
    let rows = world.rows(id).await;
    let paid = rows.iter().filter(|row| is_paid(row.progress.state) && row.refunded != Some(row.attempt));
    paid.map(|row| row.cost.unwrap()).sum()
}

/// What single messages cost that were not paid back.
async fn cost_of_messages(world: &World) -> u64 {
    let now = world.clock.now_ms() + 60_000;
    let accounts = [world.account.id, domain::AccountId::NONE];
    let before = MessageId::first_of(now);
    let day = world.store().messages_of_day(world.tenant(), &accounts, before, 1_000).await.unwrap();
    day.messages.iter().filter(|message| !message.is_refunded).filter_map(|message| message.cost).sum()
}

/// The kinds and amounts of the history, newest first, page by page.
async fn history(api: &Api, path: &str, limit: usize) -> Vec<Value> {
    let (mut entries, mut before) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit={limit}{before}")).await.expect(200);
        entries.extend(page["history"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return entries,
        }
    }
}

fn sum(entries: &[Value]) -> i64 {
    entries.iter().map(|entry| entry["amount"].as_i64().unwrap()).sum()
}
