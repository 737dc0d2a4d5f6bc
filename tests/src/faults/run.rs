//! Playing a scenario, and looking at what came of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use tokio::time::sleep;

use super::feed::Feed;
use super::gate::{Fired, Gate};
use super::invariants::{Violation, check};
use super::plan::{Call, Plan};
use super::process;
use super::scenarios::Scenario;
use super::stage::Stage;
use super::time::Time;

/// How often it is looked whether everything has come to an end.
const LOOK: Duration = Duration::from_secs(15);
/// When everything must have come to an end: longer than any wait of the product, that
/// of a job whose worker ended included.
const LOOKS: usize = 48;

/// What a run came to.
#[derive(Debug)]
pub struct Played {
    /// What was called.
    pub calls: Vec<Call>,
    /// What went wrong.
    pub fired: Vec<Fired>,
    /// What does not hold.
    pub violations: Vec<Violation>,
}

/// A scenario with everything that is there before it begins.
#[derive(Debug)]
pub struct Set {
    stage: Stage,
    /// Where its time stands.
    at: Timestamp,
}

impl Set {
    /// Sets the stage; nothing fails meanwhile.
    pub fn new(scenario: Scenario) -> Self {
        let time = Time::new();
        let runtime = time.runtime();
        let stage = runtime.block_on(async {
            let stage = Stage::new(scenario, Gate::new(time)).await;
            let workers = process::start(&stage.gate, &stage.world);
            scenario.prepare(&stage).await;
            sleep(LOOK).await;
            drop(workers);
            scenario.launch(&stage).await;
            stage
        });
        Self { at: stage.world.clock.now(), stage }
    }

    /// Plays the scenario with what the plan lets go wrong.
    pub fn play(&self, plan: &Plan) -> Played {
        let gate = Gate::new(Time::from(self.at));
        let runtime = gate.time.runtime();
        let on_stage = AssertUnwindSafe(self.on_stage(gate.clone(), plan.clone()));
        let violations = runtime.block_on(on_stage.catch_unwind()).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            vec![Violation { kind: "panic", about: text.unwrap_or_default() }]
        });
        Played { calls: gate.calls(), fired: gate.fired(), violations }
    }

    async fn on_stage(&self, gate: Arc<Gate>, plan: Plan) -> Vec<Violation> {
        gate.time.elapsed_ms();
        let stage = self.stage.again(gate.clone()).await;
        gate.arm(plan);
        let _workers = process::start(&gate, &stage.world);
        stage.scenario.play(&stage).await;
        for _ in 0..LOOKS {
            sleep(LOOK).await;
            if gate.is_spent() {
                break;
            }
            if is_quiet(&stage).await {
                let violations = check(&stage).await;
                if violations.is_empty() {
                    return violations;
                }
            }
        }
        check(&stage).await
    }
}

/// Whether nobody works, and nothing waits in a queue or at Meta.
async fn is_quiet(stage: &Stage) -> bool {
    let (world, feed) = (&stage.world, Feed::of(&stage.world));
    world.busy.load(Ordering::SeqCst) == 0
        && world.simulator.stats().webhooks.pending == 0
        && feed.queued(world).await == 0
}
