//! Throughput per number, the pair limit, and the 24-hour windows.

use std::collections::{HashMap, VecDeque};

use crate::graph::hash;

/// Meta: one message per 6 seconds to the same person.
pub(crate) const PAIR_INTERVAL_MS: u64 = 6_000;
/// Meta: up to 45 messages may be sent within 6 seconds, borrowed from the future.
pub(crate) const PAIR_BURST: u8 = 45;
/// Meta: a message from a person opens a window of 24 hours.
pub(crate) const WINDOW_MS: u64 = 24 * 60 * 60 * 1_000;
/// Pairs are swept when the map has grown to this size, then at twice what remains.
const FIRST_SWEEP: usize = 65_536;

/// Hash of a number and a person, the key of the pair limit and of the window.
pub(crate) fn pair(number: &str, person: &str) -> u64 {
    hash::of(&[number, person])
}

/// The moments within the last second; also keeps the highest number ever seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlidingSecond {
    moments: VecDeque<u64>,
    pub(crate) highest: usize,
}

impl SlidingSecond {
    /// How many moments lie within the second that ends now.
    pub(crate) fn count(&mut self, now_ms: u64) -> usize {
        while self.moments.front().is_some_and(|moment| moment + 1_000 <= now_ms) {
            self.moments.pop_front();
        }
        self.moments.len()
    }

    pub(crate) fn record(&mut self, now_ms: u64) {
        self.moments.push_back(now_ms);
        self.highest = self.highest.max(self.count(now_ms));
    }
}

/// Whether a number that accepted `count` messages in the last second may accept another one.
///
/// The limit may be exceeded by 5 %, rounded down.
pub(crate) fn within_throughput(limit: Option<u32>, count: usize) -> bool {
    let Some(limit) = limit.filter(|limit| *limit > 0) else { return true };
    let most = u64::from(limit) * 105 / 100;
    u64::try_from(count).is_ok_and(|count| count < most)
}

#[derive(Clone, Copy, Debug)]
struct Burst {
    started_ms: u64,
    count: u8,
}

impl Burst {
    /// When everything this burst borrowed is paid back.
    fn paid_at(self) -> u64 {
        self.started_ms + PAIR_INTERVAL_MS * u64::from(self.count)
    }
}

/// The pair limit: within 6 seconds up to 45 messages, then silence until they are paid back.
#[derive(Debug)]
pub(crate) struct PairLimit {
    bursts: HashMap<u64, Burst>,
    sweep_at: usize,
}

impl Default for PairLimit {
    fn default() -> Self {
        Self { bursts: HashMap::new(), sweep_at: FIRST_SWEEP }
    }
}

impl PairLimit {
    pub(crate) fn allows(&self, pair: u64, now_ms: u64) -> bool {
        self.bursts.get(&pair).is_none_or(|burst| {
            now_ms >= burst.paid_at()
                || (now_ms < burst.started_ms + PAIR_INTERVAL_MS && burst.count < PAIR_BURST)
        })
    }

    /// Records an accepted message.
    pub(crate) fn record(&mut self, pair: u64, now_ms: u64) {
        let burst = self.bursts.entry(pair).or_insert(Burst { started_ms: now_ms, count: 0 });
        if now_ms >= burst.paid_at() {
            *burst = Burst { started_ms: now_ms, count: 1 };
        } else {
            burst.count = burst.count.saturating_add(1);
        }
        if self.bursts.len() >= self.sweep_at {
            self.bursts.retain(|_, burst| now_ms < burst.paid_at());
            self.sweep_at = FIRST_SWEEP.max(self.bursts.len() * 2);
        }
    }
}

/// Until when a person may be written to freely, by pair of number and person.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    until: HashMap<u64, u64>,
}

impl Windows {
    pub(crate) fn open(&mut self, pair: u64, until_ms: u64) {
        let entry = self.until.entry(pair).or_default();
        *entry = until_ms.max(*entry);
    }

    pub(crate) fn is_open(&self, pair: u64, now_ms: u64) -> bool {
        self.until.get(&pair).is_some_and(|until| now_ms < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throughput_may_be_exceeded_by_five_percent_rounded_down() {
        for (limit, most) in [(1, 1), (19, 19), (20, 21), (80, 84), (1_000, 1_050)] {
            assert!(within_throughput(Some(limit), most - 1), "{limit}");
            assert!(!within_throughput(Some(limit), most), "{limit}");
        }
        assert!(within_throughput(None, 1_000_000));
        assert!(within_throughput(Some(0), 1_000_000));
    }

    #[test]
    fn a_sliding_second_is_half_open() {
        let mut second = SlidingSecond::default();
        for moment in [0, 500, 999] {
            second.record(moment);
        }
        assert_eq!(second.count(999), 3);
        assert_eq!(second.count(1_000), 2);
        assert_eq!(second.highest, 3);
    }

    #[test]
    fn a_burst_of_twenty_is_followed_by_two_minutes_of_silence() {
        let mut pairs = PairLimit::default();
        for moment in 0..20 {
            assert!(pairs.allows(7, moment));
            pairs.record(7, moment);
        }
        assert!(!pairs.allows(7, 6_000));
        assert!(!pairs.allows(7, 119_999));
        assert!(pairs.allows(7, 120_000));
        assert!(pairs.allows(8, 6_000), "another person is not concerned");
    }

    #[test]
    fn a_burst_ends_at_forty_five() {
        let mut pairs = PairLimit::default();
        for _ in 0..PAIR_BURST {
            assert!(pairs.allows(7, 10));
            pairs.record(7, 10);
        }
        assert!(!pairs.allows(7, 10));
        assert!(!pairs.allows(7, 6_010));
    }

    #[test]
    fn one_message_every_six_seconds_is_never_refused() {
        let mut pairs = PairLimit::default();
        for turn in 0..100 {
            assert!(pairs.allows(7, turn * PAIR_INTERVAL_MS));
            pairs.record(7, turn * PAIR_INTERVAL_MS);
        }
    }
}
