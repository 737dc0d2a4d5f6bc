//! Queues as they are on a bad day: late, and twice.

use domain::Entropy;

use super::super::Chaos;

/// How deliveries are disturbed.
#[derive(Debug)]
pub(in super::super) struct Disturbance {
    chaos: Chaos,
    random: Entropy,
}

impl Disturbance {
    pub(in super::super) fn new(chaos: Chaos, seed: u64) -> Self {
        Self { chaos, random: Entropy::seeded(seed) }
    }

    /// Milliseconds that the next delivery is held back.
    pub(super) fn hold(&self) -> i64 {
        if self.chaos.delay { self.below(2_000) } else { 0 }
    }

    /// Milliseconds between a message and its duplicate; none without chaos.
    pub(super) fn duplicate_after(&self) -> Option<i64> {
        self.chaos.duplicate.then(|| 1 + self.below(1_000))
    }

    fn below(&self, limit: i64) -> i64 {
        (self.random.fraction() * limit as f64) as i64
    }
}
