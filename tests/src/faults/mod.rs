//! Every fault of every call, one at a time and several at once.
//!
//! A scenario is played once to count what it calls: AWS past the SDK, Meta, and the
//! posts of both sides. Then it is played once for each call and each thing that may go
//! wrong with it ([`Shape::faults`]). Whatever went wrong, the faults end, the time goes
//! on, and what must hold is looked at (`invariants`).
//!
//! Nothing waits for real: tokio's clock is paused and jumps, the other clocks follow it
//! ([`Time`]), and no call leaves the process ([`Gate`]).
//!
//! `STAFFETTA_FAULTS="cancel 57 reply-lost"` plays one run, with logs as `RUST_LOG` says.

mod aws;
mod endpoints;
mod feed;
mod gate;
mod invariants;
mod meta;
mod plan;
mod process;
mod report;
mod run;
mod scenarios;
mod stage;
mod suite;
mod time;

pub use gate::{Event, Fired, Gate, Posted, Process};
pub use invariants::Violation;
pub use plan::{About, Call, Fault, Plan, Shape};
pub use report::Report;
pub use run::{Played, Set};
pub use scenarios::Scenario;
pub use stage::Stage;
pub use suite::Suite;
pub use time::Time;

/// Plays `test` in a world on virtual time, in which nothing goes wrong by itself: its
/// workers run as on AWS, with the sweep once a minute, and hours pass in no time.
pub fn in_virtual_time(setup: crate::Setup, test: impl AsyncFnOnce(&crate::World)) {
    let gate = Gate::new(Time::new());
    let runtime = gate.time.runtime();
    runtime.block_on(async {
        gate.time.elapsed_ms();
        let world = std::sync::Arc::new(crate::World::behind(&gate, setup).await);
        let _workers = process::start(&gate, &world);
        test(&world).await;
    });
}
