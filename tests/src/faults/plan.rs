//! What may go wrong with a call.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The call and all its retries are throttled; Meta answers 130429.
    Throttled,
    /// Meta answers with code 4.
    TooMany,
    /// There is no connection, for the call and all its retries.
    Refused,
    /// It takes effect, and the first answer is lost: a retry meets what it did itself.
    ReplyLost,
    /// Every attempt takes effect, and no answer comes.
    RepliesLost,
    /// The connection breaks before the provider takes anything: nobody knows.
    Broken,
    /// It takes effect, and the process ends.
    Last,
    /// The process ends before it takes effect.
    Before,
    /// It takes effect twice.
    Twice,
    /// Another transaction is at the same item.
    Conflict,
    /// A part of a batch is done.
    Partly,
}

impl Fault {
    const NAMES: [(Self, &str); 11] = [
        (Self::Throttled, "throttled"),
        (Self::TooMany, "too-many"),
        (Self::Refused, "refused"),
        (Self::ReplyLost, "reply-lost"),
        (Self::RepliesLost, "replies-lost"),
        (Self::Broken, "broken"),
        (Self::Last, "last"),
        (Self::Before, "before"),
        (Self::Twice, "twice"),
        (Self::Conflict, "conflict"),
        (Self::Partly, "partly"),
    ];

    /// Whether a process ends by it.
    pub fn ends(self) -> bool {
        matches!(self, Self::Last | Self::Before)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(fault, _)| fault == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(_, name)| *name == text);
        known.map(|(fault, _)| *fault).ok_or_else(|| format!("no fault is called {text}"))
    }
}

/// What a call is, as far as it matters for what may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Reads from a store. An error is an error, however it came about.
    Read,
    /// Reads many items.
    ReadMany,
    /// Writes one item.
    Write,
    /// Statements, each on its own.
    Statements,
    /// All or nothing.
    Transaction,
    /// Puts a message into a queue.
    Enqueue,
    /// Puts several messages into a queue.
    EnqueueMany,
    /// Writes or deletes an object.
    Object,
    /// Sends a message by Meta's API.
    Message,
    /// Asks Meta's API for something else.
    Graph,
    /// Meta posts to us.
    Post,
    /// We post to a user's endpoint.
    Event,
}

use Fault::{
    Before, Broken, Conflict, Last, Partly, Refused, RepliesLost, ReplyLost, Throttled, TooMany, Twice,
};

impl Shape {
    /// What may go wrong with such a call.
    pub fn faults(self) -> &'static [Fault] {
        match self {
            Self::Read => &[Throttled, Refused, Last],
            Self::ReadMany => &[Throttled, Refused, Last, Partly],
            Self::Write => &[Throttled, Refused, ReplyLost, RepliesLost, Last, Before, Conflict],
            Self::Statements => &[Throttled, Refused, ReplyLost, RepliesLost, Last, Before, Partly],
            Self::Transaction => &[Throttled, Refused, ReplyLost, RepliesLost, Last, Before, Conflict],
            Self::Enqueue => &[Throttled, Refused, RepliesLost, Last, Before, Twice],
            Self::EnqueueMany => &[Throttled, Refused, RepliesLost, Last, Before, Twice, Partly],
            Self::Object => &[Throttled, Refused, RepliesLost, Last, Before],
            Self::Message => &[Throttled, TooMany, Refused, RepliesLost, Broken, Last, Before],
            Self::Graph => &[Throttled, TooMany, Refused, RepliesLost, Last, Before],
            Self::Post => &[Refused, RepliesLost, Twice],
            Self::Event => &[Refused, RepliesLost, Last, Before],
        }
    }

    /// Whether AWS is called.
    fn is_aws(self) -> bool {
        !matches!(self, Self::Message | Self::Graph | Self::Post | Self::Event)
    }
}

/// One call of the product, as a run saw it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who made it.
    pub by: &'static str,
    /// What it is.
    pub shape: Shape,
    /// What it asks for, such as `PutItem`.
    pub action: String,
    /// What it names.
    pub about: About,
}

/// What a call names; read when somebody wants to know, for most are never printed.
#[derive(Clone)]
pub enum About {
    /// A recipient, an event, or the like.
    Text(String),
    /// The kinds of items or the queue in a request to AWS.
    Request(Bytes),
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Request(body) => f.write_str(&super::aws::named(body)),
        }
    }
}

impl Call {
    /// What may go wrong with it and differs from everything else that may go wrong in the
    /// same run. That a process ends before a call is that it ends after the one before.
    /// That AWS is not reached is, for the product, that it throttles: both are
    /// `Unavailable`.
    pub fn faults(&self, before: Option<&Self>) -> impl Iterator<Item = Fault> {
        let goes_on = before.is_some_and(|before| before.by == self.by);
        let is_aws = self.shape.is_aws();
        let same = move |fault: Fault| match fault {
            Before => goes_on,
            Refused => is_aws,
            Throttled | TooMany | ReplyLost | RepliesLost | Broken | Last | Twice | Conflict | Partly => {
                false
            }
        };
        self.shape.faults().iter().copied().filter(move |fault| !same(*fault))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.by, self.action, self.about)
    }
}

/// What goes wrong in a run, by the number of the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan(BTreeMap<usize, Wrong>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    This(Fault),
    /// Whatever fits the call, chosen by this number.
    Any(usize),
}

impl Plan {
    /// One fault of one call.
    pub fn one(call: usize, fault: Fault) -> Self {
        Self::all([(call, fault)])
    }

    /// One fault of each of these calls.
    pub fn all(faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        Self(faults.into_iter().map(|(call, fault)| (call, Wrong::This(fault))).collect())
    }

    /// Some fault of each of these calls.
    pub fn any(calls: impl IntoIterator<Item = (usize, usize)>) -> Self {
        Self(calls.into_iter().map(|(call, choice)| (call, Wrong::Any(choice))).collect())
    }

    /// What goes wrong with the nth call.
    pub(super) fn of(&self, nth: usize, shape: Shape) -> Option<Fault> {
        let all = shape.faults();
        match self.0.get(&nth)? {
            Wrong::This(fault) => Some(*fault).filter(|fault| all.contains(fault)),
            Wrong::Any(choice) => Some(all[choice % all.len()]),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (call, wrong)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            match wrong {
                Wrong::This(fault) => write!(f, "{comma}{call} {fault}")?,
                Wrong::Any(choice) => write!(f, "{comma}{call} {choice}")?,
            }
        }
        Ok(())
    }
}

/// As `STAFFETTA_FAULTS` has it: `57 reply-lost`, several with commas. A number in place of
/// the fault chooses one of those that fit the call, as seeded runs do.
impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut plan = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (call, fault) = part.split_once(' ').ok_or("write <call> <fault>")?;
            let call = call.parse().map_err(|_| format!("{call} is no number of a call"))?;
            let wrong = match fault.trim().parse() {
                Ok(choice) => Wrong::Any(choice),
                Err(_) => Wrong::This(fault.trim().parse()?),
            };
            plan.0.insert(call, wrong);
        }
        Ok(plan)
    }
}
