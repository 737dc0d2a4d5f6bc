//! When a failed delivery is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

/// The pauses after the first, second, ... failure (Standard Webhooks,
/// "Deliverability and reliability"); the last one repeats.
pub const STEPS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// An event is kept this long after it happened (RULES, Webhooks).
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * HOUR);

const JITTER: f64 = 0.2;

/// What comes after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// The next attempt.
    At(Timestamp),
    /// The event would be older than [`KEPT_FOR`].
    Expired,
}

/// The pause after `failures` failures in a row, counted from 1.
pub fn step(failures: u32) -> Duration {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    STEPS[index.min(STEPS.len() - 1)]
}

/// The attempt after the `failures`th failure in a row, of the endpoint or of
/// the event. The pause varies by 20 percent either way with `fraction`, which
/// is an [`crate::Entropy::fraction`]. A receiver that names its own time with
/// Retry-After gets it, from one to two times the pause.
pub fn next_attempt(
    failures: u32,
    now: Timestamp,
    event_at: Timestamp,
    retry_after: Option<Duration>,
    fraction: f64,
) -> NextAttempt {
    let step = step(failures);
    let pause = match retry_after {
        Some(asked) => asked.clamp(step, step * 2),
        None => step.mul_f64(1.0 - JITTER + 2.0 * JITTER * share(fraction)),
    };
    let due = later(now, pause);
    if due > later(event_at, KEPT_FOR) { NextAttempt::Expired } else { NextAttempt::At(due) }
}

fn share(fraction: f64) -> f64 {
    if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.5 }
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    from.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> Timestamp {
        "2026-03-01T00:00:00Z".parse().unwrap()
    }

    fn seconds(next: NextAttempt) -> i64 {
        let NextAttempt::At(due) = next else { panic!("expired") };
        due.as_second() - start().as_second()
    }

    #[test]
    fn the_steps_are_the_rules() {
        let hours: u64 = STEPS.iter().map(Duration::as_secs).sum();
        assert_eq!(hours, 5 + 35 * MINUTE + 75 * HOUR, "75.6 hours");
        assert_eq!(step(0), STEPS[0]);
        assert_eq!(step(1), Duration::from_secs(5));
        assert_eq!(step(9), step(10));
        assert_eq!(step(u32::MAX), Duration::from_secs(24 * HOUR));
    }

    #[test]
    fn jitter_is_a_fifth_either_way() {
        for (fraction, want) in [(0.0, 240), (0.5, 300), (1.0, 360), (-3.0, 240), (f64::NAN, 300)] {
            assert_eq!(seconds(next_attempt(2, start(), start(), None, fraction)), want, "{fraction}");
        }
    }

    #[test]
    fn retry_after_is_honoured_from_once_to_twice_the_step() {
        for (asked, want) in [(0, 300), (300, 300), (450, 450), (600, 600), (31_536_000, 600)] {
            let asked = Some(Duration::from_secs(asked));
            assert_eq!(seconds(next_attempt(2, start(), start(), asked, 0.9)), want);
        }
    }

    #[test]
    fn a_dead_receiver_is_tried_for_thirty_days() {
        let (mut now, mut attempts) = (start(), 0);
        while let NextAttempt::At(due) = next_attempt(attempts + 1, now, start(), None, 0.5) {
            (now, attempts) = (due, attempts + 1);
        }
        let days = (now.as_second() - start().as_second()) / 86_400;
        assert_eq!((attempts, days), (35, 29));
    }

    proptest! {
        #[test]
        fn always_later_and_never_past_the_end(
            failures in 0u32..1_000,
            age in 0i64..3_000_000,
            asked in prop::option::of(0u64..u64::MAX),
            fraction in prop::num::f64::ANY,
        ) {
            let now = Timestamp::from_second(start().as_second() + age).unwrap();
            let asked = asked.map(Duration::from_secs);
            if let NextAttempt::At(due) = next_attempt(failures, now, start(), asked, fraction) {
                let pause = (due.as_millisecond() - now.as_millisecond()) as f64 / 1_000.0;
                let step = step(failures).as_secs_f64();
                prop_assert!(pause >= 0.8 * step - 0.001 && pause <= 2.0 * step);
                prop_assert!(due.as_second() - start().as_second() <= 30 * 86_400);
            }
        }
    }
}
