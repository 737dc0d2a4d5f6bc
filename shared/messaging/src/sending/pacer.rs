//! The moments at which messages may leave. No second has more than the rate and what may be
//! caught up; a successor begins anew, after the lease of its predecessor.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::pace::{Pace, Turns};
use tokio::time::{Instant, sleep_until};

/// The share of a sender's rate that campaigns use. The rest is for single
/// sends and for what comes in, which Meta counts too.
pub(crate) const CAMPAIGN_SHARE: f64 = 0.9625;
/// How far a runner that was held up may catch up: at 77 per second, four
/// messages, so that a sliding second stays within 5% of the limit.
const CATCH_UP: Duration = Duration::from_millis(45);

/// What somebody who asked for a turn gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The message may leave.
    Now,
    /// Nothing may leave for so long: what was claimed is given back.
    Held(Duration),
}

/// Gives out the moments at which messages may leave. Kept in memory: only one
/// runner sends for a sender.
#[derive(Debug)]
pub(super) struct Pacer {
    began: Instant,
    slots: Mutex<Slots>,
}

#[derive(Debug)]
struct Slots {
    turns: Turns,
    held_until: Instant,
    /// Messages of claimed waves that did not ask for their turn yet.
    promised: u32,
    /// By how much the latest message missed its slot.
    latest: Duration,
}

impl Pacer {
    pub(super) fn new(pace: Pace) -> Self {
        let began = Instant::now();
        let turns = Turns::new(pace, CAMPAIGN_SHARE, CATCH_UP, Duration::ZERO);
        let slots = Slots { turns, held_until: began, promised: 0, latest: Duration::ZERO };
        Self { began, slots: Mutex::new(slots) }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next moment at which a message may leave; not while the sender is
    /// held: then it answers for how long it is, and nobody waits.
    pub(super) async fn turn(&self) -> Turn {
        loop {
            if let Some(held) = self.held_for() {
                return Turn::Held(held);
            }
            let asked = self.began.elapsed();
            let turn = self.slots().turns.take(asked);
            sleep_until(self.began + turn).await;
            if let Some(held) = self.held_for() {
                return Turn::Held(held);
            }
            let (now, mut slots) = (self.began.elapsed(), self.slots());
            if !slots.turns.is_missed(asked, turn, now) {
                slots.latest = slots.latest.max(now.saturating_sub(turn.max(asked)));
                return Turn::Now;
            }
        }
    }

    /// For how long nothing may leave.
    pub(super) fn held_for(&self) -> Option<Duration> {
        let left = self.slots().held_until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// By how much the latest message so far missed its slot.
    pub(super) fn lateness(&self) -> Duration {
        self.slots().latest
    }

    /// Sets turns aside for a wave that was claimed and asks for them later.
    pub(super) fn promise(&self, turns: usize) {
        let mut slots = self.slots();
        slots.promised = slots.promised.saturating_add(u32::try_from(turns).unwrap_or(u32::MAX));
    }

    /// Gives a promised turn up: it is taken now, or not needed.
    pub(super) fn redeem(&self) {
        let mut slots = self.slots();
        slots.promised = slots.promised.saturating_sub(1);
    }

    /// How long the turns reach that were given out or promised.
    pub(super) fn backlog(&self) -> Duration {
        let slots = self.slots();
        slots.turns.reach(slots.promised, self.began.elapsed())
    }

    /// The provider takes less than the rate.
    pub(super) fn slow_down(&self) {
        self.slots().turns.slow_down();
    }

    /// The provider took a message.
    pub(super) fn speed_up(&self) {
        self.slots().turns.speed_up();
    }

    /// Lets nothing leave for `delay`.
    pub(super) fn hold(&self, delay: Duration) {
        let until = Instant::now() + delay;
        let mut slots = self.slots();
        slots.held_until = slots.held_until.max(until);
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_has_no_more_than_its_share() {
        let pacer = Pacer::new(Pace { per_second: 80 });
        let start = Instant::now();
        let turns = (0..160).map(|_| async {
            pacer.turn().await;
            start.elapsed()
        });
        let at = join_all(turns).await;
        for (i, from) in at.iter().enumerate() {
            let within = at[i..].iter().filter(|t| **t - *from < Duration::from_secs(1)).count();
            assert!(within <= 78, "{within} in the second after {from:?}");
        }
        assert!(at[159] < Duration::from_millis(2_100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_claimed_wave_counts_before_it_asks_for_turns() {
        let pacer = Pacer::new(Pace { per_second: 80 });
        pacer.promise(50);
        assert!(pacer.backlog() > Duration::from_millis(600));
        for _ in 0..50 {
            pacer.redeem();
        }
        assert_eq!(pacer.backlog(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_is_told_to_those_who_wait_for_their_turn() {
        let pacer = Pacer::new(Pace { per_second: 80 });
        let waiting = async {
            assert_eq!(pacer.turn().await, Turn::Now);
            pacer.turn().await
        };
        let hold = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            pacer.hold(Duration::from_secs(3));
        };
        let (turn, ()) = tokio::join!(waiting, hold);
        assert!(matches!(turn, Turn::Held(left) if left > Duration::from_millis(2_900)), "{turn:?}");
        assert!(matches!(pacer.turn().await, Turn::Held(_)));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(pacer.turn().await, Turn::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn slots_that_were_missed_do_not_fire_together() {
        let pacer = Pacer::new(Pace { per_second: 80 });
        let start = Instant::now();
        let mut turns: Vec<_> = (0..100).map(|_| Box::pin(pacer.turn())).collect();
        for turn in &mut turns {
            assert!(futures::poll!(turn).is_pending() || start.elapsed().is_zero());
        }
        // The process is held up for longer than all of these slots.
        tokio::time::advance(Duration::from_secs(5)).await;
        let at = join_all(turns.into_iter().skip(1).map(async |turn| {
            turn.await;
            start.elapsed()
        }));
        let at = at.await;
        for (i, from) in at.iter().enumerate() {
            let within = at[i..].iter().filter(|t| **t - *from < Duration::from_secs(1)).count();
            assert!(within <= 84, "{within} in the second after {from:?}");
        }
    }
}
