//! All runs: with each fault of each call, and with several at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::plan::Plan;
use super::report::{Report, Task};
use super::run::{Played, Set};
use super::scenarios::Scenario;

/// Threads that play at once.
const THREADS: usize = 2;

/// Scenarios whose stages are set, with the calls of each.
#[derive(Debug)]
pub struct Suite {
    sets: BTreeMap<Scenario, (Set, usize)>,
    /// The runs without a fault.
    counted: Report,
    every: Vec<Task>,
}

impl Suite {
    /// Sets the stages, and plays each scenario once to count its calls.
    pub fn new(scenarios: &[Scenario]) -> Self {
        let sets = scenarios.iter().map(|scenario| (*scenario, (Set::new(*scenario), 0))).collect();
        let mut suite = Self { sets, counted: Report::default(), every: Vec::new() };
        let plain = |scenario: &Scenario| Task { scenario: *scenario, plan: Plan::default() };
        let plain: Vec<Task> = scenarios.iter().map(plain).collect();
        for (task, played) in suite.all(&plain) {
            suite.counted.counted(task.scenario.name(), played.calls.len());
            suite.counted.add(task.scenario.name(), task, &played);
            if let Some((_, calls)) = suite.sets.get_mut(&task.scenario) {
                *calls = played.calls.len();
            }
            for (nth, call) in played.calls.iter().enumerate() {
                let before = nth.checked_sub(1).and_then(|before| played.calls.get(before));
                let plans = call.faults(before).map(|fault| Plan::one(nth, fault));
                suite.every.extend(plans.map(|plan| Task { scenario: task.scenario, plan }));
            }
        }
        suite
    }

    /// Plays every scenario with each fault of each of its calls.
    pub fn exhaust(mut self) -> (Self, Report) {
        let mut report = std::mem::take(&mut self.counted);
        for (task, played) in self.all(&self.every) {
            report.add(task.scenario.name(), task, &played);
        }
        (self, report)
    }

    /// Plays `count` runs with several faults each, as the seeds from 1 on have it.
    pub fn random(&self, count: u64) -> Report {
        let mut report = Report::default();
        let tasks: Vec<Task> = (1..=count).map(|seed| self.seeded(seed)).collect();
        for (task, played) in self.all(&tasks) {
            report.add("several at once", task, &played);
        }
        report
    }

    /// Between two and six faults.
    fn seeded(&self, seed: u64) -> Task {
        let chance = domain::Entropy::seeded(seed);
        let below = |limit: usize| (chance.fraction() * limit as f64) as usize;
        let (scenario, (_, calls)) = self.sets.iter().nth(below(self.sets.len())).unwrap();
        let faults = 2 + below(5);
        let plan = Plan::any((0..faults).map(|_| (below(*calls), below(1_000))));
        Task { scenario: *scenario, plan }
    }

    /// Plays all; the results are in order.
    fn all<'a>(&self, tasks: &'a [Task]) -> Vec<(&'a Task, Played)> {
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<(usize, Played)>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    // Thousands of expected failures are not to be read.
                    let _silent = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
                    while let Some((i, task)) = claim(&next, tasks) {
                        let mut played = self.sets[&task.scenario].0.play(&task.plan);
                        if task.plan != Plan::default() {
                            // Only those without a fault are looked at.
                            played.calls = Vec::new();
                        }
                        results.lock().unwrap_or_else(PoisonError::into_inner).push((i, played));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(i, _)| *i);
        results.into_iter().map(|(i, played)| (&tasks[i], played)).collect()
    }
}

fn claim<'a>(next: &AtomicUsize, tasks: &'a [Task]) -> Option<(usize, &'a Task)> {
    let i = next.fetch_add(1, Ordering::SeqCst);
    tasks.get(i).map(|task| (i, task))
}
