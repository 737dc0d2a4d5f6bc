//! Whether the provider answers. Kept in memory; how often it did not in a row goes to the
//! next runner with the lease.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Answers that are remembered: a provider that fails now and then is out, too.
const REMEMBERED: usize = 20;
/// So many unclear ones of them, or so many in a row, are an outage.
const UNCLEAR: usize = 5;
const UNCLEAR_IN_A_ROW: usize = 3;
/// So many of them that are unclear or call the provider itself busy are an outage.
const NO_ANSWER: usize = 10;
/// Single messages in a row that have to be answered clearly before an outage is over.
const PROBES: u32 = 3;
/// Clear answers after which an outage is forgotten: one that comes back before goes on
/// with longer pauses.
const SETTLED: u32 = 50;
/// The first pause of an outage; each that ends without clear answers is twice as long.
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
pub(super) struct ProviderHealth {
    state: Mutex<State>,
    silence: Duration,
}

#[derive(Debug)]
struct State {
    /// The last answers, the latest one at the end.
    answers: VecDeque<Answer>,
    /// Clear answers since the last that was not.
    clear: u32,
    /// An outage is not over yet.
    is_probing: bool,
    /// Pauses that did not help for long.
    outages: u32,
    /// The last call before the last pause.
    before_pause: u64,
    /// Calls that wait for their answer, by number.
    open: BTreeMap<u64, Instant>,
    calls: u64,
    answered: Instant,
}

impl ProviderHealth {
    /// A sender of `per_second` messages, for which `outages` pauses did not help so far.
    pub(super) fn new(per_second: u32, outages: u32) -> Self {
        let now = Instant::now();
        let state = State {
            answers: VecDeque::with_capacity(REMEMBERED),
            clear: 0,
            is_probing: outages > 0,
            outages,
            before_pause: 0,
            open: BTreeMap::new(),
            calls: 0,
            answered: now,
        };
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
        // What was under way when the pause began says nothing of what comes after it.
        if call <= state.before_pause {
            return None;
        }
        state.remember(answer);
        if answer == Answer::Clear || !state.is_out() {
            return None;
        }
        let pause = (FIRST_PAUSE * 2_u32.saturating_pow(state.outages.min(16))).min(MAX_PAUSE);
        state.outages += 1;
        state.is_probing = true;
        state.answers.clear();
        state.before_pause = state.calls;
        Some(pause)
    }

    /// How many pauses did not help for long.
    pub(super) fn outages(&self) -> u32 {
        self.state().outages
    }

    /// Whether only a single message may find out how the provider is.
    pub(super) fn is_probing(&self) -> bool {
        self.state().is_probing
    }

    /// Whether so many calls wait for so long that no more may be made.
    pub(super) fn is_silent(&self) -> bool {
        let state = self.state();
        let oldest = state.open.values().next().copied();
        let since = oldest.map(|oldest| oldest.max(state.answered));
        state.open.len() >= OPEN_CALLS && since.is_some_and(|since| since.elapsed() >= self.silence)
    }
}

impl State {
    fn remember(&mut self, answer: Answer) {
        self.clear = if answer == Answer::Clear { self.clear.saturating_add(1) } else { 0 };
        // Known of the message before: it may be the reason.
        if answer == (Answer::Busy { anew: false }) {
            return;
        }
        if self.answers.len() == REMEMBERED {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
        if self.clear >= PROBES {
            self.is_probing = false;
        }
        if self.clear >= SETTLED {
            self.outages = 0;
        }
    }

    fn is_out(&self) -> bool {
        let unclear = self.answers.iter().filter(|answer| **answer == Answer::Unclear).count();
        let in_a_row = self.answers.iter().rev().take_while(|answer| **answer == Answer::Unclear).count();
        let no_answer = self.answers.iter().filter(|answer| **answer != Answer::Clear).count();
        self.is_probing || unclear >= UNCLEAR || in_a_row >= UNCLEAR_IN_A_ROW || no_answer >= NO_ANSWER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(health: &ProviderHealth, answer: Answer) -> Option<Duration> {
        let call = health.begin();
        health.end(call, answer)
    }

    #[tokio::test(start_paused = true)]
    async fn unclear_answers_in_a_row_are_an_outage() {
        let health = ProviderHealth::new(20, 0);
        assert_eq!([Answer::Unclear; 2].map(|unclear| answer(&health, unclear)), [None; 2]);
        assert_eq!(answer(&health, Answer::Clear), None);
        let under_way = health.begin();
        let pauses: Vec<_> = (0..3).map(|_| answer(&health, Answer::Unclear)).collect();
        assert_eq!(pauses, [None, None, Some(Duration::from_secs(1))]);
        assert_eq!(health.end(under_way, Answer::Unclear), None, "it was under way when the pause began");
        assert!(health.is_probing());
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_fails_now_and_then_is_out() {
        for (every, want) in [(2, Some(10)), (3, Some(15)), (4, Some(20)), (5, None), (40, None)] {
            let health = ProviderHealth::new(20, 0);
            let of = |n| if n % every == 0 { Answer::Unclear } else { Answer::Clear };
            let paused = (1..=200).find(|n| answer(&health, of(*n)).is_some());
            assert_eq!(paused, want, "one of {every}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_probe_that_fails_doubles_the_pause() {
        let health = ProviderHealth::new(20, 1);
        for want in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(answer(&health, Answer::Unclear), Some(Duration::from_secs(want)));
        }
        for probing in [true, true, false] {
            assert_eq!(answer(&health, Answer::Clear), None);
            assert_eq!(health.is_probing(), probing);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_comes_back_soon_goes_on() {
        for (clear, want) in [(3, 8), (49, 8), (50, 1)] {
            let health = ProviderHealth::new(20, 3);
            assert!((0..clear).all(|_| answer(&health, Answer::Clear).is_none()));
            let pause = (0..3).find_map(|_| answer(&health, Answer::Unclear));
            assert_eq!(pause, Some(Duration::from_secs(want)), "after {clear}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_is_busy_for_everybody_is_out() {
        let health = ProviderHealth::new(20, 0);
        for _ in 0..20 {
            assert_eq!(answer(&health, Answer::Busy { anew: false }), None, "one message may be the reason");
        }
        let pauses: Vec<_> = (0..10).filter_map(|_| answer(&health, Answer::Busy { anew: true })).collect();
        assert_eq!(pauses, [Duration::from_secs(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_many_calls_that_nothing_answers() {
        let health = ProviderHealth::new(20, 0);
        let calls: Vec<u64> = (0..8).map(|_| health.begin()).collect();
        assert!(!health.is_silent());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(health.is_silent());
        health.end(calls[7], Answer::Clear);
        assert!(!health.is_silent(), "seven may be slow");
    }
}
