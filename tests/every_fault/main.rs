//! Every fault of every call. A binary of its own: it keeps both cores busy, and the
//! other tests have figures that depend on having theirs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong here fails the test")]

use harness::faults::{Plan, Report, Scenario, Set, Suite};

/// Runs with several faults at once.
const RANDOM: u64 = 200;

/// Plays what `STAFFETTA_FAULTS` asks for: a scenario with what goes wrong in it, or with
/// `every` fault; whether it asks for something.
fn played_as_asked() -> bool {
    let Ok(asked) = std::env::var("STAFFETTA_FAULTS") else { return false };
    let (name, plan) = asked.split_once(' ').unwrap_or((&asked, ""));
    let scenario = Scenario::named(name).unwrap_or_else(|| panic!("no scenario is called {name}"));
    if plan == "every" {
        hold(&Suite::new(&[scenario]).exhaust().1);
        return true;
    }
    let plan: Plan = plan.parse().unwrap();
    let played = Set::new(scenario).play(&plan);
    played.calls.iter().enumerate().for_each(|(nth, call)| println!("{nth:>4} {call}"));
    println!("{:#?}\n{:#?}", played.fired, played.violations);
    assert!(played.violations.is_empty());
    true
}

fn hold(report: &Report) {
    println!("{report}");
    assert_eq!(report.violations(), 0, "the report above says what does not hold, and how to play it");
}

#[test]
fn what_must_hold_holds_under_every_fault_of_every_call() {
    if !played_as_asked() {
        let (suite, mut report) = Suite::new(&Scenario::all()).exhaust();
        report.join(suite.random(RANDOM));
        hold(&report);
    }
}
