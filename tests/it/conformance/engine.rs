//! What the engine keeps to, over each channel.

use domain::CampaignId;
use domain::channel::CustomChannel;
use domain::contact::NewContact;
use domain::outcome::Reason;
use domain::webhook::SigningSecret;
use harness::faults::in_virtual_time;
use harness::{Setup, World, person};
use store::ledger::RowOutcome;
use tokio::time::{Duration, sleep};

const RATE: u32 = 10;
const PEOPLE: usize = 100;

fn setup() -> Setup {
    Setup { per_second: RATE, ..Setup::default() }
}

/// A campaign over Meta's API, and when each message was taken.
async fn over_meta(world: &World) -> (CampaignId, Vec<i64>) {
    world.import((0..PEOPLE).map(person)).await;
    let id = world.launched().await;
    sleep(Duration::from_secs(60)).await;
    let taken = world.simulator.messages(None, usize::MAX);
    (id, taken.iter().map(|message| i64::try_from(message.accepted_at).unwrap()).collect())
}

/// The same over a custom channel.
async fn over_a_channel(world: &World) -> (CampaignId, Vec<i64>) {
    let id = launched_over_a_channel(world).await;
    sleep(Duration::from_secs(60)).await;
    (id, world.posts().iter().map(|posted| posted.at_ms).collect())
}

async fn launched_over_a_channel(world: &World) -> CampaignId {
    let channel = CustomChannel {
        key: "livechat".parse().unwrap(),
        name: "livechat".to_owned(),
        url: "http://localhost:9/chat".to_owned(),
        per_second: RATE,
        created_at: world.clock.now(),
    };
    let secret = SigningSecret::generate(world.store().entropy());
    world.store().register_channel(world.tenant(), &channel, &secret).await.unwrap();
    let on =
        |n| NewContact { custom: Some(("livechat".to_owned(), format!("id-{n}"))), ..NewContact::default() };
    world.import((0..PEOPLE).map(on)).await;
    let mut draft = world.text_draft("Ciao");
    "livechat".clone_into(&mut draft.channel);
    let id = world.draft_of(draft).await.unwrap().0.id;
    world.launch(id).await;
    id
}

/// No second, wherever it begins, has more than the sender may.
fn assert_paced(mut taken: Vec<i64>) {
    taken.sort_unstable();
    assert_eq!(taken.len(), PEOPLE);
    for (i, from) in taken.iter().enumerate() {
        let within = taken[i..].iter().filter(|at| **at - from < 1_000).count();
        assert!(within <= RATE as usize, "{within} in the second after {from}");
    }
    let span = taken[PEOPLE - 1] - taken[0];
    let least = i64::try_from(PEOPLE).unwrap() * 1_000 / i64::from(RATE);
    assert!(span < least * 3 / 2, "{span} ms for what may take {least}");
}

#[test]
fn pace_holds_in_any_sliding_second() {
    in_virtual_time(setup(), async |world| assert_paced(over_meta(world).await.1));
    in_virtual_time(setup(), async |world| assert_paced(over_a_channel(world).await.1));
}

/// Records what a runner may record that comes late or again: nothing of it moves a row
/// back, or makes another of it.
async fn assert_records_stand(world: &World, id: CampaignId) {
    let (store, tenant) = (world.store(), world.tenant());
    let before = world.rows(id).await;
    assert_eq!(before.len(), PEOPLE);
    let now = world.clock.now_ms();
    for entry in [
        RowOutcome::Accepted { provider_id: "another".to_owned(), held: false },
        RowOutcome::Failed { reason: Reason::meta(131_026) },
        RowOutcome::Skipped { reason: Reason::word("opted_out") },
        RowOutcome::Unknown,
        RowOutcome::Retry { at_ms: now, failures: 1 },
        RowOutcome::Quiet { until_ms: now },
    ] {
        let entries: Vec<_> = before.iter().map(|row| (row.contact, row.attempt, entry.clone())).collect();
        store.record(tenant, id, &entries).await.unwrap();
        assert_eq!(world.rows(id).await, before, "{entry:?}");
    }
}

#[test]
fn a_recorded_outcome_survives_a_repetition() {
    in_virtual_time(setup(), async |world| {
        let (id, _) = over_meta(world).await;
        assert_records_stand(world, id).await;
    });
    in_virtual_time(setup(), async |world| {
        let (id, _) = over_a_channel(world).await;
        assert_records_stand(world, id).await;
    });
}

#[test]
fn a_sender_that_is_gone_amid_a_campaign_pauses_it_within_seconds() {
    in_virtual_time(Setup { per_second: 1, ..setup() }, async |world| {
        let id = launched_over_a_channel(world).await;
        sleep(Duration::from_secs(2)).await;
        let before = world.posts().len();
        assert!(before > 5, "{before}");
        world.store().remove_channel(world.tenant(), &"livechat".parse().unwrap()).await.unwrap();
        sleep(Duration::from_secs(30)).await;
        let campaign = world.campaign(id).await;
        assert_eq!(campaign.reason.as_deref(), Some("the sender custom:livechat is gone"));
        let after = world.posts().len() - before;
        assert!(after < RATE as usize * 6, "{after} messages over a channel that is gone");
        let counts = world.counts(id).await;
        assert_eq!(counts.values().sum::<u64>(), PEOPLE as u64, "{counts:?}");
        assert!(!counts.contains_key("unknown"), "{counts:?}");
    });
}
