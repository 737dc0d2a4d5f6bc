use harness::faults::{Plan, Scenario, exhaust, play};

/// Reads `STAFFETTA_FAULTS`: a scenario, and what goes wrong in it.
fn asked_for() -> Option<(Scenario, Plan)> {
    let asked = std::env::var("STAFFETTA_FAULTS").ok()?;
    let (name, plan) = asked.split_once(' ').unwrap_or((&asked, ""));
    let scenario = Scenario::named(name).unwrap_or_else(|| panic!("no scenario is called {name}"));
    Some((scenario, plan.parse().unwrap()))
}

#[test]
fn what_must_hold_holds_under_every_fault_of_every_call() {
    if let Some((scenario, plan)) = asked_for() {
        let played = play(scenario, plan);
        played.calls.iter().enumerate().for_each(|(nth, call)| println!("{nth:>4} {call}"));
        println!("{} calls, {:#?}, {:#?}", played.calls.len(), played.fired, played.violations);
        assert!(played.violations.is_empty());
        return;
    }
    let report = exhaust(&Scenario::ALL);
    println!("{report}");
    assert_eq!(report.violations(), 0);
}
