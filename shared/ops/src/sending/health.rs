//! Whether the provider answers. Kept in memory; how often it did not in a row goes to the
//! next runner with the lease.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Unclear answers in a row that are put up with before the sender is held.
const UNCLEAR: u32 = 3;
/// Refusals in a row that call the provider itself busy: so many are an outage.
const BUSY: u32 = 10;
/// The first pause of an outage; each that ends without a clear answer is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(300);
/// When so many calls are open, and none was answered for as long as so many messages
/// take to leave, no more are made: a provider that falls silent gets less than a wave.
const OPEN_CALLS: usize = 8;
const UNANSWERED: u32 = 32;
/// Bounds of that time.
const MIN_SILENCE: Duration = Duration::from_millis(300);
const MAX_SILENCE: Duration = Duration::from_secs(1);

/// What a call came to, for what it says of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The provider decided.
    Clear,
    /// The provider says that it cannot decide now; such a message by itself
    /// may be the reason.
    Busy {
        /// It had not said so of this message before.
        anew: bool,
    },
    /// There was no answer, or none of the provider's.
    Unclear,
}

/// Whether the provider answers. An outage is no outcome: while there is one, the
/// sender rests, and single messages find out whether it is over.
#[derive(Debug)]
pub(super) struct Health {
    state: Mutex<State>,
    silence: Duration,
}

#[derive(Debug)]
struct State {
    unclear: u32,
    busy: u32,
    /// Pauses in a row that did not end the outage.
    outages: u32,
    paused_until: Instant,
    /// Calls that wait for their answer, by number.
    open: BTreeMap<u64, Instant>,
    calls: u64,
    answered: Instant,
}

impl Health {
    /// A sender of `per_second` messages, and that `outages` pauses in a row did
    /// not help so far.
    pub(super) fn new(per_second: u32, outages: u32) -> Self {
        let now = Instant::now();
        let open = BTreeMap::new();
        let state = State { unclear: 0, busy: 0, outages, paused_until: now, open, calls: 0, answered: now };
        let silence = Duration::from_secs(1) * UNANSWERED / per_second.max(1);
        Self { state: Mutex::new(state), silence: silence.clamp(MIN_SILENCE, MAX_SILENCE) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call is made; answers its number.
    pub(super) fn begin(&self) -> u64 {
        let mut state = self.state();
        state.calls += 1;
        let call = state.calls;
        state.open.insert(call, Instant::now());
        call
    }

    /// A call came to an end. Answers for how long the sender is to rest.
    pub(super) fn end(&self, call: u64, answer: Answer) -> Option<Duration> {
        let mut state = self.state();
        let now = Instant::now();
        state.open.remove(&call);
        state.answered = now;
        match answer {
            Answer::Clear => {
                (state.unclear, state.busy, state.outages) = (0, 0, 0);
                return None;
            }
            Answer::Busy { anew } => state.busy += u32::from(anew),
            Answer::Unclear => state.unclear += 1,
        }
        let is_outage = state.outages > 0 || state.unclear >= UNCLEAR || state.busy >= BUSY;
        // What was under way when the pause began is a part of the same outage.
        if !is_outage || now < state.paused_until {
            return None;
        }
        let pause = (FIRST_PAUSE * 2_u32.saturating_pow(state.outages.min(16))).min(MAX_PAUSE);
        state.outages += 1;
        state.paused_until = now + pause;
        Some(pause)
    }

    /// How many pauses in a row did not help; above 0 the next message is a single one.
    pub(super) fn outages(&self) -> u32 {
        self.state().outages
    }

    /// Whether only a single message may find out how the provider is.
    pub(super) fn is_probing(&self) -> bool {
        self.outages() > 0
    }

    /// Whether so many calls wait for so long that no more may be made.
    pub(super) fn is_silent(&self) -> bool {
        let state = self.state();
        let oldest = state.open.values().next().copied();
        let since = oldest.map(|oldest| oldest.max(state.answered));
        state.open.len() >= OPEN_CALLS && since.is_some_and(|since| since.elapsed() >= self.silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(health: &Health, answer: Answer) -> Option<Duration> {
        let call = health.begin();
        health.end(call, answer)
    }

    #[tokio::test(start_paused = true)]
    async fn unclear_answers_in_a_row_are_an_outage() {
        let health = Health::new(20, 0);
        for _ in 0..4 {
            assert_eq!(answer(&health, Answer::Unclear), None);
            assert_eq!(answer(&health, Answer::Unclear), None);
            assert_eq!(answer(&health, Answer::Clear), None);
        }
        let pauses: Vec<_> = (0..3).map(|_| answer(&health, Answer::Unclear)).collect();
        assert_eq!(pauses, [None, None, Some(Duration::from_secs(1))]);
        assert_eq!(answer(&health, Answer::Unclear), None, "it was under way when the pause began");
        assert!(health.is_probing());
    }

    #[tokio::test(start_paused = true)]
    async fn each_probe_that_fails_doubles_the_pause() {
        let health = Health::new(20, 1);
        for want in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let pause = answer(&health, Answer::Unclear);
            assert_eq!(pause, Some(Duration::from_secs(want)));
            tokio::time::advance(Duration::from_secs(want)).await;
        }
        assert_eq!(answer(&health, Answer::Clear), None);
        assert!(!health.is_probing());
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_is_busy_for_everybody_is_out() {
        let health = Health::new(20, 0);
        for _ in 0..20 {
            assert_eq!(answer(&health, Answer::Busy { anew: false }), None, "one message may be the reason");
        }
        let pauses: Vec<_> = (0..10).filter_map(|_| answer(&health, Answer::Busy { anew: true })).collect();
        assert_eq!(pauses, [Duration::from_secs(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_many_calls_that_nothing_answers() {
        let health = Health::new(20, 0);
        let calls: Vec<u64> = (0..8).map(|_| health.begin()).collect();
        assert!(!health.is_silent());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(health.is_silent());
        health.end(calls[7], Answer::Clear);
        assert!(!health.is_silent(), "seven may be slow");
    }
}
