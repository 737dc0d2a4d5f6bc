//! One recipient's progress: states only move forward.

use crate::outcome::Reason;

/// Where a message to a recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Not tried yet, or waiting for the next try.
    Pending,
    /// About to be sent.
    Claimed,
    /// Perhaps sent: the answer was lost.
    Unknown,
    /// The provider took it.
    Accepted,
    /// It left the provider.
    Sent,
    /// It will not arrive.
    Failed,
    /// It is on the recipient's device.
    Delivered,
    /// The recipient opened it.
    Read,
    /// Not sent, for a reason of ours.
    Skipped,
}

impl State {
    /// All states, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Claimed,
        Self::Accepted,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Skipped,
        Self::Unknown,
    ];

    /// As APIs and reports print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Skipped => "skipped",
        }
    }

    /// Reads what [`State::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// A higher rank wins over a lower one. A failure may follow `sent`; on
    /// several devices a delivery may follow a failure.
    pub fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Claimed => 5,
            Self::Unknown => 10,
            Self::Accepted => 20,
            Self::Sent => 30,
            Self::Failed => 35,
            Self::Delivered => 40,
            Self::Read => 50,
            Self::Skipped => 60,
        }
    }
}

/// What a channel reports about a message it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It left the provider.
    Sent,
    /// It is on the recipient's device.
    Delivered,
    /// The recipient opened it, or played it.
    Read,
    /// It will not arrive.
    Failed(Reason),
}

impl Status {
    /// The state it leads to.
    pub fn state(&self) -> State {
        match self {
            Self::Sent => State::Sent,
            Self::Delivered => State::Delivered,
            Self::Read => State::Read,
            Self::Failed(_) => State::Failed,
        }
    }
}

/// State, error and timestamps of a message; milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// Why it failed or was skipped.
    pub reason: Option<Reason>,
    /// Held for Meta's quality assessment.
    pub held: bool,
    /// When the provider took it.
    pub accepted_at: Option<i64>,
    /// When it left the provider.
    pub sent_at: Option<i64>,
    /// When it reached the device.
    pub delivered_at: Option<i64>,
    /// When it was opened.
    pub read_at: Option<i64>,
    /// When it failed.
    pub failed_at: Option<i64>,
}

impl Progress {
    /// Nobody knows what became of a message whose sender is gone while it was about to be
    /// sent. Answers whether that is so.
    pub fn lose(&mut self) -> bool {
        let is_claimed = self.state == State::Claimed;
        if is_claimed {
            self.state = State::Unknown;
        }
        is_claimed
    }

    /// A message in `state` of which nothing else is known.
    pub fn new(state: State) -> Self {
        Self {
            state,
            provider_id: None,
            reason: None,
            held: false,
            accepted_at: None,
            sent_at: None,
            delivered_at: None,
            read_at: None,
            failed_at: None,
        }
    }

    /// The state as people see it, and why. What is being sent counts as pending;
    /// `held` and `no_answer` explain states that are neither success nor failure.
    pub fn shown(&self) -> (State, Option<&str>) {
        match self.state {
            State::Claimed => (State::Pending, None),
            State::Failed | State::Skipped => (self.state, self.reason.as_ref().map(Reason::as_str)),
            State::Accepted if self.held => (self.state, Some("held")),
            State::Unknown => (self.state, Some("no_answer")),
            State::Pending | State::Accepted | State::Sent | State::Delivered | State::Read => {
                (self.state, None)
            }
        }
    }

    /// Applies a status: the state moves only forward, every timestamp is kept,
    /// the earliest one of each kind. Answers whether anything changed.
    pub fn apply(&mut self, status: &Status, provider_id: &str, at_ms: i64) -> bool {
        let before = self.clone();
        let slot = match status {
            Status::Sent => &mut self.sent_at,
            Status::Delivered => &mut self.delivered_at,
            Status::Read => &mut self.read_at,
            Status::Failed(_) => &mut self.failed_at,
        };
        *slot = Some(slot.map_or(at_ms, |known| known.min(at_ms)));
        if self.provider_id.is_none() {
            self.provider_id = Some(provider_id.to_owned());
        }
        self.advance(status.state());
        if let Status::Failed(reason) = status
            && self.state == State::Failed
            && self.reason.is_none()
        {
            self.reason = Some(reason.clone());
        }
        if self.state.rank() > State::Failed.rank() && self.state != State::Skipped {
            self.reason = None;
        }
        *self != before
    }

    /// Applies the provider's acceptance, which may come after its first status.
    pub fn accept(&mut self, provider_id: &str, held: bool, at_ms: i64) -> bool {
        let before = self.clone();
        self.accepted_at = Some(self.accepted_at.map_or(at_ms, |known| known.min(at_ms)));
        self.provider_id.get_or_insert_with(|| provider_id.to_owned());
        self.held = held && self.state.rank() <= State::Accepted.rank();
        self.advance(State::Accepted);
        *self != before
    }

    fn advance(&mut self, to: State) {
        if to.rank() > self.state.rank() {
            self.state = to;
        }
        if self.state.rank() > State::Accepted.rank() {
            self.held = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status() -> impl Strategy<Value = Status> {
        prop_oneof![
            Just(Status::Sent),
            Just(Status::Delivered),
            Just(Status::Read),
            Just(Status::Failed(Reason::meta(131_026))),
        ]
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(mut events in prop::collection::vec((status(), 1i64..100), 1..8)) {
            let run = |events: &[(Status, i64)]| {
                let mut progress = Progress::new(State::Unknown);
                for (status, at) in events {
                    progress.apply(status, "wamid.1", *at);
                }
                progress
            };
            let once = run(&events);
            events.reverse();
            let mut twice = events.clone();
            twice.extend(events.iter().cloned());
            prop_assert_eq!(run(&twice), once);
        }
    }

    #[test]
    fn what_is_shown_is_never_more_than_what_is_known() {
        let held = Progress { held: true, ..Progress::new(State::Accepted) };
        let failed = Progress { reason: Some(Reason::meta(131_026)), ..Progress::new(State::Failed) };
        for (progress, want) in [
            (Progress::new(State::Claimed), (State::Pending, None)),
            (Progress::new(State::Unknown), (State::Unknown, Some("no_answer"))),
            (Progress::new(State::Accepted), (State::Accepted, None)),
            (held, (State::Accepted, Some("held"))),
            (failed, (State::Failed, Some("meta:131026"))),
        ] {
            assert_eq!(progress.shown(), want);
        }
    }

    #[test]
    fn a_status_may_come_before_the_acceptance() {
        let mut progress = Progress::new(State::Pending);
        assert!(progress.apply(&Status::Delivered, "wamid.1", 20));
        assert!(progress.accept("wamid.1", false, 10));
        assert_eq!((progress.state, progress.accepted_at), (State::Delivered, Some(10)));
        assert!(!progress.apply(&Status::Delivered, "wamid.1", 20));
    }

    #[test]
    fn a_failure_may_follow_sent_but_not_delivered() {
        let mut progress = Progress::new(State::Sent);
        progress.apply(&Status::Failed(Reason::meta(131_026)), "wamid.1", 1);
        assert_eq!(progress.shown(), (State::Failed, Some("meta:131026")));
        progress.apply(&Status::Delivered, "wamid.1", 2);
        progress.apply(&Status::Failed(Reason::meta(131_026)), "wamid.1", 3);
        assert_eq!((progress.state, progress.reason), (State::Delivered, None));
    }
}
