//! The sending engine when the provider, the store and the clock are against it. On
//! virtual time: the workers run as on AWS, with the sweep once a minute, and hours pass
//! in no time.

mod answers;
mod control;
mod copies;
mod holds;
mod keys;
mod moved;
mod outages;
mod rates;
mod refusals;

use std::collections::BTreeMap;

use domain::CampaignId;
use harness::{Setup, World, person};
use simulators::graph::FaultRule;
use tokio::time::{Duration, sleep};

/// A world at 80 messages a second.
fn at_80() -> Setup {
    Setup { per_second: 80, ..Setup::default() }
}

/// Waits while everybody works.
async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}

/// A refusal of Meta's.
fn code(code: u32) -> FaultRule {
    FaultRule { code: Some(code), ..FaultRule::default() }
}

/// A campaign to so many people, launched.
async fn launched(world: &World, people: usize) -> CampaignId {
    world.import((0..people).map(person)).await;
    world.launched().await
}

type Counts = BTreeMap<&'static str, u64>;

/// How many recipients are in a state.
fn count(counts: &Counts, state: &str) -> u64 {
    counts.get(state).copied().unwrap_or(0)
}

/// Nobody was sent to twice.
fn assert_once(world: &World) {
    let stats = world.simulator.stats();
    assert_eq!((stats.repeated, stats.duplicates), (0, 0), "somebody was sent to twice");
}
