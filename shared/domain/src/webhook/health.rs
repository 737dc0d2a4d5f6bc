//! Whether an endpoint is worth the next attempt.

use std::time::Duration;

use jiff::Timestamp;

/// After so long with nothing but failures an endpoint is disabled (svix: 120 hours).
pub const DISABLE_AFTER: Duration = Duration::from_secs(5 * 24 * 3_600);
/// A quiet endpoint is not given up on fewer failures than these.
pub const MIN_FAILURES: u32 = 5;

/// After so many failures in a row nothing is sent but a probe now and then: what
/// comes in waits. One event that the receiver chokes on does not get so far as long
/// as it takes others.
pub const DOWN_AFTER: u32 = 3;

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// 2xx.
    Delivered,
    /// 410: the receiver wants nothing more.
    Gone,
    /// Everything else, redirects and silence included.
    Failed,
}

impl CallOutcome {
    /// The outcome of an HTTP status, `None` when there was no answer.
    pub fn of(status: Option<u16>) -> Self {
        match status {
            Some(200..=299) => Self::Delivered,
            Some(410) => Self::Gone,
            Some(_) | None => Self::Failed,
        }
    }
}

/// Why an endpoint is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledBecause {
    /// It answered 410.
    Gone,
    /// Five days of only failures.
    Failing,
}

impl DisabledBecause {
    /// Reads the stable name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Gone, Self::Failing].into_iter().find(|reason| reason.as_str() == name)
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

/// What an attempt changes beside the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthChange {
    /// Nothing to tell.
    None,
    /// A success after failures: what waits is sent at once.
    Recovered,
    /// No more attempts until the owner turns the endpoint on.
    Disabled(DisabledBecause),
}

/// An endpoint's failures since its last success. The default is a healthy one,
/// and is what turning an endpoint on again sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndpointHealth {
    /// Failures in a row.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
}

impl EndpointHealth {
    /// The health after an attempt at `now`.
    #[must_use]
    pub fn after(self, outcome: CallOutcome, now: Timestamp) -> (Self, HealthChange) {
        match outcome {
            CallOutcome::Delivered if self.failures > 0 => (Self::default(), HealthChange::Recovered),
            CallOutcome::Delivered => (Self::default(), HealthChange::None),
            CallOutcome::Gone => (self.failed(now), HealthChange::Disabled(DisabledBecause::Gone)),
            CallOutcome::Failed => {
                let next = self.failed(now);
                let change = if next.is_hopeless(now) {
                    HealthChange::Disabled(DisabledBecause::Failing)
                } else {
                    HealthChange::None
                };
                (next, change)
            }
        }
    }

    /// Whether events wait until a probe gets through.
    pub fn is_down(self) -> bool {
        self.failures >= DOWN_AFTER
    }

    fn failed(self, now: Timestamp) -> Self {
        Self {
            failures: self.failures.saturating_add(1),
            failing_since: Some(self.failing_since.unwrap_or(now)),
        }
    }

    fn is_hopeless(self, now: Timestamp) -> bool {
        let since = self.failing_since.unwrap_or(now);
        let failing = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        self.failures >= MIN_FAILURES && failing >= DISABLE_AFTER
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::webhook::{NextAttempt, next_attempt};

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_772_000_000 + hours * 3_600).unwrap()
    }

    #[test]
    fn only_2xx_is_a_success() {
        for (status, want) in [
            (Some(200), CallOutcome::Delivered),
            (Some(204), CallOutcome::Delivered),
            (Some(299), CallOutcome::Delivered),
            (Some(199), CallOutcome::Failed),
            (Some(301), CallOutcome::Failed),
            (Some(404), CallOutcome::Failed),
            (Some(410), CallOutcome::Gone),
            (Some(429), CallOutcome::Failed),
            (Some(500), CallOutcome::Failed),
            (None, CallOutcome::Failed),
        ] {
            assert_eq!(CallOutcome::of(status), want, "{status:?}");
        }
    }

    #[test]
    fn two_days_down_is_not_the_end() {
        let mut health = EndpointHealth::default();
        for hour in 0..48 {
            let change;
            (health, change) = health.after(CallOutcome::Failed, at(hour));
            assert_eq!(change, HealthChange::None);
        }
        assert_eq!(
            health.after(CallOutcome::Delivered, at(48)),
            (EndpointHealth::default(), HealthChange::Recovered)
        );
        assert_eq!(EndpointHealth::default().after(CallOutcome::Delivered, at(49)).1, HealthChange::None);
    }

    #[test]
    fn gone_disables_at_once_and_five_days_of_failures_do() {
        assert_eq!(
            EndpointHealth::default().after(CallOutcome::Gone, at(0)).1,
            HealthChange::Disabled(DisabledBecause::Gone)
        );
        let failing = EndpointHealth { failures: 10, failing_since: Some(at(0)) };
        assert_eq!(failing.after(CallOutcome::Failed, at(119)).1, HealthChange::None);
        assert_eq!(
            failing.after(CallOutcome::Failed, at(120)).1,
            HealthChange::Disabled(DisabledBecause::Failing)
        );
        let quiet = EndpointHealth { failures: 1, failing_since: Some(at(0)) };
        assert_eq!(quiet.after(CallOutcome::Failed, at(400)).1, HealthChange::None);
    }

    #[test]
    fn on_the_schedule_a_dead_endpoint_is_disabled_in_its_sixth_day() {
        let (mut health, mut now) = (EndpointHealth::default(), at(0));
        loop {
            let (next, change) = health.after(CallOutcome::Failed, now);
            health = next;
            if change != HealthChange::None {
                break;
            }
            let NextAttempt::At(due) = next_attempt(health.failures, now, at(0), None, 0.5) else {
                panic!("expired")
            };
            now = due;
        }
        let hours = (now.as_second() - at(0).as_second()) / 3_600;
        assert!((120..144).contains(&hours), "{hours}");
        assert_eq!(health.failures, 12);
    }

    proptest! {
        #[test]
        fn a_success_within_five_days_keeps_an_endpoint(gaps in prop::collection::vec(1i64..60, 1..60)) {
            let (mut health, mut hour) = (EndpointHealth::default(), 0);
            for (n, gap) in gaps.iter().enumerate() {
                hour += gap;
                // Two failures at most between successes: under 120 hours.
                let outcome = if n % 3 == 2 { CallOutcome::Delivered } else { CallOutcome::Failed };
                let change;
                (health, change) = health.after(outcome, at(hour));
                prop_assert!(!matches!(change, HealthChange::Disabled(_)));
            }
        }
    }
}
