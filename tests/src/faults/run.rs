//! Playing scenarios, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{sleep, timeout};

use super::gate::{Fired, Gate};
use super::invariants::{Violation, check};
use super::plan::{Call, Plan};
use super::process;
use super::scenarios::Scenario;
use super::stage::Stage;

/// Threads that play at once.
const THREADS: usize = 2;
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

/// Plays a scenario with what the plan lets go wrong.
pub fn play(scenario: Scenario, plan: Plan) -> Played {
    let gate = Gate::new();
    let runtime = gate.time.runtime();
    let played = runtime.block_on(AssertUnwindSafe(on_stage(scenario, gate.clone(), plan)).catch_unwind());
    let violations = played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        vec![Violation { kind: "panic", about: text.unwrap_or_default() }]
    });
    Played { calls: gate.calls(), fired: gate.fired(), violations }
}

async fn on_stage(scenario: Scenario, gate: Arc<Gate>, plan: Plan) -> Vec<Violation> {
    gate.time.elapsed_ms();
    let stage = Stage::new(scenario, gate.clone(), scenario.setup()).await;
    scenario.prepare(&stage).await;
    gate.arm(plan);
    let _workers = process::start(&gate, &stage.world);
    scenario.play(&stage).await;
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

/// Whether nobody works, and nothing waits in a queue or at Meta.
async fn is_quiet(stage: &Stage) -> bool {
    let world = &stage.world;
    world.busy.load(Ordering::SeqCst) == 0
        && world.simulator.stats().webhooks.pending == 0
        && timeout(LOOK, world.queued()).await.is_ok_and(|queued| queued == 0)
}

/// One run that is to be played.
#[derive(Debug, Clone)]
struct Task {
    scenario: Scenario,
    plan: Plan,
}

/// How it is asked for again, by `STAFFETTA_FAULTS`.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scenario.name(), self.plan)
    }
}

/// What the runs of one scenario came to.
#[derive(Debug, Default)]
struct Tally {
    calls: usize,
    faults: usize,
    runs: usize,
    /// Faults that were planned for a call that was not made again.
    missed: usize,
    /// By kind: how many runs, and the first of them.
    violations: BTreeMap<&'static str, (usize, String)>,
}

/// What all runs came to.
#[derive(Debug, Default)]
pub struct Report(BTreeMap<&'static str, Tally>);

impl Report {
    /// Runs in which something did not hold, of every kind.
    pub fn violations(&self) -> usize {
        self.0.values().flat_map(|tally| tally.violations.values()).map(|(runs, _)| runs).sum()
    }

    /// Takes in what other runs came to.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn of(&mut self, name: &'static str) -> &mut Tally {
        self.0.entry(name).or_default()
    }

    fn add(&mut self, name: &'static str, task: &Task, played: &Played) {
        let tally = self.of(name);
        tally.runs += 1;
        tally.faults += played.fired.len();
        tally.missed += usize::from(played.fired.is_empty() && task.plan != Plan::default());
        let mut seen: BTreeMap<&'static str, &str> = BTreeMap::new();
        for violation in &played.violations {
            seen.entry(violation.kind).or_insert(&violation.about);
        }
        for (kind, about) in seen {
            let entry = tally.violations.entry(kind).or_insert_with(|| {
                let fired = played.fired.iter().map(|f| format!("{} {} at {}", f.nth, f.fault, f.call));
                let fired: Vec<String> = fired.collect();
                (0, format!("{about}\n        {task} [{}]", fired.join("; ")))
            });
            entry.0 += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scenario              calls  faults    runs  missed  violations")?;
        for (name, tally) in &self.0 {
            let Tally { calls, faults, runs, missed, violations } = tally;
            let bad: usize = violations.values().map(|(runs, _)| runs).sum();
            writeln!(f, "{name:<20} {calls:>6}  {faults:>6}  {runs:>6}  {missed:>6}  {bad:>10}")?;
            for (kind, (runs, first)) in violations {
                writeln!(f, "    {kind}: {runs} runs, first: {first}")?;
            }
        }
        Ok(())
    }
}

/// Plays every scenario without a fault, and then with each fault of each call.
pub fn exhaust(scenarios: &[Scenario]) -> Report {
    let mut report = Report::default();
    let mut tasks = Vec::new();
    let counted: Vec<Task> =
        scenarios.iter().map(|scenario| Task { scenario: *scenario, plan: Plan::default() }).collect();
    for (task, played) in all(&counted) {
        let name = task.scenario.name();
        report.of(name).calls = played.calls.len();
        report.add(name, task, &played);
        for (nth, call) in played.calls.iter().enumerate() {
            for fault in call.shape.faults() {
                let plan = Plan::one(nth, *fault);
                tasks.push(Task { scenario: task.scenario, plan });
            }
        }
    }
    for (task, played) in all(&tasks) {
        report.add(task.scenario.name(), task, &played);
    }
    report
}

/// Plays `count` runs with several faults each, as the seeds from `first` on have it.
pub fn random(scenarios: &[Scenario], first: u64, count: u64) -> Report {
    let mut report = Report::default();
    let tasks: Vec<Task> = (first..first + count).map(|seed| seeded(scenarios, seed)).collect();
    for (task, played) in all(&tasks) {
        report.add("several at once", task, &played);
    }
    report
}

/// Between two and six faults, of calls that most runs make.
fn seeded(scenarios: &[Scenario], seed: u64) -> Task {
    const REACH: f64 = 80.0;
    let chance = domain::Entropy::seeded(seed);
    let below = |limit: f64| (chance.fraction() * limit) as usize;
    let scenario = scenarios[below(scenarios.len() as f64)];
    let faults = 2 + below(5.0);
    let plan = Plan::any((0..faults).map(|_| (below(REACH), below(1_000.0))));
    Task { scenario, plan }
}

/// Plays all, on as many threads as there are; the results are in order.
fn all(tasks: &[Task]) -> Vec<(&Task, Played)> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Played)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // Thousands of expected failures are not to be read.
                let _silent = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
                while let Some((i, task)) = claim(&next, tasks) {
                    let played = play(task.scenario, task.plan.clone());
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((i, played));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(i, played)| (&tasks[i], played)).collect()
}

fn claim<'a>(next: &AtomicUsize, tasks: &'a [Task]) -> Option<(usize, &'a Task)> {
    let i = next.fetch_add(1, Ordering::SeqCst);
    tasks.get(i).map(|task| (i, task))
}
