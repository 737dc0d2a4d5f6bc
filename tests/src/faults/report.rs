//! What the runs came to, in numbers and in words.

use std::collections::BTreeMap;
use std::fmt;

use super::plan::Plan;
use super::run::Played;
use super::scenarios::Scenario;

/// One run that is to be played.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) scenario: Scenario,
    pub(super) plan: Plan,
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
    /// Runs in which the planned call was not made.
    missed: usize,
    /// Runs in which something did not hold.
    bad: usize,
    /// By kind: in how many runs it did not hold, and the first of them.
    violations: BTreeMap<&'static str, (usize, String)>,
}

/// What all runs came to.
#[derive(Debug, Default)]
pub struct Report(BTreeMap<&'static str, Tally>);

impl Report {
    /// Runs in which something did not hold.
    pub fn violations(&self) -> usize {
        self.0.values().map(|tally| tally.bad).sum()
    }

    /// Takes in what other runs came to.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Takes note of how many calls there are without a fault.
    pub(super) fn counted(&mut self, name: &'static str, calls: usize) {
        self.0.entry(name).or_default().calls = calls;
    }

    pub(super) fn add(&mut self, name: &'static str, task: &Task, played: &Played) {
        let tally = self.0.entry(name).or_default();
        tally.runs += 1;
        tally.faults += played.fired.len();
        tally.missed += usize::from(played.fired.is_empty() && task.plan != Plan::default());
        tally.bad += usize::from(!played.violations.is_empty());
        let mut seen: BTreeMap<&'static str, &str> = BTreeMap::new();
        for violation in &played.violations {
            seen.entry(violation.kind).or_insert(&violation.about);
        }
        for (kind, about) in seen {
            let entry = tally.violations.entry(kind).or_insert_with(|| {
                let fired = played.fired.iter().map(|f| format!("{} at {}", f.fault, f.call));
                let fired: Vec<String> = fired.collect();
                (0, format!("{about}\n        {task}  [{}]", fired.join("; ")))
            });
            entry.0 += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scenario              calls  faults    runs  missed  violating")?;
        for (name, tally) in &self.0 {
            let Tally { calls, faults, runs, missed, bad, violations } = tally;
            writeln!(f, "{name:<20} {calls:>6}  {faults:>6}  {runs:>6}  {missed:>6}  {bad:>9}")?;
            for (kind, (runs, first)) in violations {
                writeln!(f, "    {kind}: {runs} runs, first: {first}")?;
            }
        }
        let sum = |of: fn(&Tally) -> usize| self.0.values().map(of).sum::<usize>();
        let (faults, runs) = (sum(|tally| tally.faults), sum(|tally| tally.runs));
        writeln!(f, "in all: {faults} faults in {runs} runs, {} of them violate something", self.violations())
    }
}
