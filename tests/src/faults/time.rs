//! Time that passes only while everybody waits.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Clock;
use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::world::START;

/// The clocks of a run: tokio's, which is paused and jumps to the next timer, the
/// product's and the simulator's, which follow it.
#[derive(Debug)]
pub struct Time {
    /// The product's.
    pub clock: Clock,
    /// The simulator's.
    pub simulator: simulators::graph::Clock,
    began: OnceLock<Instant>,
    /// Milliseconds that the followers were moved so far.
    told: AtomicI64,
}

impl Time {
    /// Clocks that stand where every world begins.
    pub fn new() -> Arc<Self> {
        Self::from(START.parse().unwrap())
    }

    /// Clocks that stand at `start`.
    pub fn from(start: Timestamp) -> Arc<Self> {
        let start_ms = u64::try_from(start.as_millisecond()).unwrap();
        Arc::new(Self {
            clock: Clock::fixed(start),
            simulator: simulators::graph::Clock::manual(start_ms),
            began: OnceLock::new(),
            told: AtomicI64::new(0),
        })
    }

    /// A runtime of one thread. Tokio's clock moves while the thread is parked; before
    /// any task goes on, the others follow.
    pub fn runtime(self: &Arc<Self>) -> Runtime {
        let time = self.clone();
        let builder = &mut Builder::new_current_thread();
        builder.enable_time().start_paused(true).on_thread_unpark(move || time.follow()).build().unwrap()
    }

    /// Milliseconds since the run began.
    pub fn elapsed_ms(&self) -> i64 {
        let began = self.began.get_or_init(Instant::now);
        i64::try_from(began.elapsed().as_millis()).unwrap()
    }

    fn follow(&self) {
        let now = self.elapsed_ms();
        let passed = now - self.told.swap(now, Ordering::SeqCst);
        self.clock.advance_ms(passed);
        self.simulator.advance(u64::try_from(passed).unwrap());
    }
}
