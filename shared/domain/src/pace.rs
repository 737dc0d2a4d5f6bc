//! How fast a sender may send, and the moments at which its messages may leave.

use std::time::Duration;

/// How fast a sender may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Messages per second.
    pub per_second: u32,
}

/// How far apart messages are at most when the provider takes less than the rate.
const LONGEST: Duration = Duration::from_secs(1);
/// Messages that the provider has to take before the full rate is tried again.
const RECOVERY: f64 = 400.0;

/// Gives out the moments at which messages may leave, one interval apart. Times are those
/// since any moment that does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turns {
    interval: Duration,
    /// The interval of the full rate.
    shortest: Duration,
    /// How far a sender that was held up may catch up.
    catch_up: Duration,
    next: Duration,
}

impl Turns {
    /// Turns of a share of a pace, from `now` on. Who is held up makes up for `catch_up` at
    /// most.
    pub fn new(pace: Pace, share: f64, catch_up: Duration, now: Duration) -> Self {
        let rate = f64::from(pace.per_second.max(1)) * share;
        let shortest = Duration::from_secs_f64(1.0 / rate);
        Self { interval: shortest, shortest, catch_up, next: now }
    }

    /// The provider takes less than the rate: from now on there is a third less.
    pub fn slow_down(&mut self) {
        let longest = LONGEST.max(self.shortest);
        self.interval = (self.interval * 3 / 2).min(longest);
    }

    /// The provider took a message: a little more may be tried.
    pub fn speed_up(&mut self) {
        if self.interval > self.shortest {
            let step = 1.0 / (self.shortest.as_secs_f64() * RECOVERY);
            let rate = 1.0 / self.interval.as_secs_f64() + step;
            self.interval = Duration::from_secs_f64(1.0 / rate).max(self.shortest);
        }
    }

    /// The next moment at which a message may leave, for who asks at `now`.
    pub fn take(&mut self, now: Duration) -> Duration {
        let turn = self.next.max(now.saturating_sub(self.catch_up));
        self.next = turn + self.interval;
        turn
    }

    /// Whether a message that was asked for at `asked` and may leave at `turn` is too late
    /// at `now`: then its turn is lost, so that turns that were missed never fire together.
    pub fn is_missed(&self, asked: Duration, turn: Duration, now: Duration) -> bool {
        now.saturating_sub(turn.max(asked)) > self.catch_up
    }

    /// How far the turns reach that were given out, and `more` of them.
    pub fn reach(&self, more: u32, now: Duration) -> Duration {
        self.next.saturating_sub(now) + self.interval * more
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CATCH_UP: Duration = Duration::from_millis(45);

    fn most_in_a_second(mut left: Vec<Duration>) -> usize {
        left.sort_unstable();
        let within = |i: usize| left[i..].iter().filter(|at| **at - left[i] < Duration::from_secs(1)).count();
        (0..left.len()).map(within).max().unwrap_or(0)
    }

    proptest! {
        /// Whenever they are asked for, and however late they are taken, no second has
        /// more than the rate and what may be caught up.
        #[test]
        fn no_second_has_more_than_it_may(
            per_second in 1u32..200,
            asks in prop::collection::vec((0u64..400, 0u64..200), 1..300),
        ) {
            let mut turns = Turns::new(Pace { per_second }, 1.0, CATCH_UP, Duration::ZERO);
            let (mut now, mut left) = (Duration::ZERO, Vec::new());
            for (pause_ms, late_ms) in asks {
                now += Duration::from_millis(pause_ms / 20);
                let turn = turns.take(now);
                let leaves = turn.max(now) + Duration::from_millis(late_ms);
                if !turns.is_missed(now, turn, leaves) {
                    left.push(leaves);
                }
            }
            // Late by up to the catch-up at the end of a second, and on time at its beginning.
            let extra = CATCH_UP.as_secs_f64() * f64::from(per_second) * 2.0;
            let most = f64::from(per_second) + extra + 1.0;
            prop_assert!(most_in_a_second(left) as f64 <= most.ceil());
        }
    }

    /// A provider that takes fewer gets nearly as many as it takes, and few more.
    #[test]
    fn a_provider_that_takes_less_than_the_rate_gets_what_it_takes() {
        for taken_per_second in [5, 20, 60] {
            let mut turns = Turns::new(Pace { per_second: 80 }, 1.0, CATCH_UP, Duration::ZERO);
            let (mut now, mut left) = (Duration::ZERO, Vec::new());
            let mut refused = 0;
            while now < Duration::from_secs(60) {
                now = turns.take(now).max(now);
                let recent = left.iter().rev().take_while(|at| now - **at < Duration::from_secs(1));
                if recent.count() < taken_per_second {
                    left.push(now);
                    turns.speed_up();
                } else {
                    refused += 1;
                    turns.slow_down();
                }
            }
            assert!(left.len() * 10 > taken_per_second * 60 * 7, "{} at {taken_per_second}", left.len());
            assert!(refused * 5 < left.len(), "{refused} refused at {taken_per_second}");
        }
    }

    #[test]
    fn turns_are_an_interval_apart() {
        let mut turns = Turns::new(Pace { per_second: 10 }, 1.0, CATCH_UP, Duration::ZERO);
        let ms = |turn: Duration| turn.as_millis();
        assert_eq!([0, 0, 0].map(|now| ms(turns.take(Duration::from_millis(now)))), [0, 100, 200]);
        assert_eq!(turns.reach(2, Duration::ZERO), Duration::from_millis(500));
        // After a pause it goes on from what may be caught up.
        assert_eq!(ms(turns.take(Duration::from_secs(5))), 4_955);
    }
}
