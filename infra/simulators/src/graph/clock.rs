//! Time and randomness, passed in so that a test decides both.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The simulator's clock, in milliseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// Wall clock at the start plus a monotonic interval: it never runs backwards.
    System {
        base_ms: u64,
        started: Instant,
    },
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The real clock.
    #[expect(clippy::disallowed_methods, reason = "the one place where the simulator reads the time")]
    pub fn system() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let base_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Self(Source::System { base_ms, started: Instant::now() })
    }

    /// A clock that moves only by [`Clock::advance`].
    pub fn manual(now_ms: u64) -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(now_ms))))
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Source::System { base_ms, started } => {
                base_ms + u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
            }
            Source::Manual(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock forward; the real clock is not moved.
    pub fn advance(&self, by_ms: u64) {
        if let Source::Manual(now) = &self.0 {
            now.fetch_add(by_ms, Ordering::SeqCst);
        }
    }
}

/// A seeded generator (SplitMix64): the same seed gives the same run.
#[derive(Clone, Debug)]
pub(crate) struct Entropy {
    state: u64,
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Entropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// True with the given probability.
    pub(crate) fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && unit(self.next_u64()) < share
    }
}

/// SplitMix64's finaliser: a bijection, so different inputs give different outputs.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Maps 64 random bits onto [0, 1).
fn unit(bits: u64) -> f64 {
    const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
    (bits >> 11) as f64 * SCALE
}
