//! What a channel answers to a send, and what follows from it.

use std::fmt;
use std::time::Duration;

use crate::PhoneNumber;

/// How a send ended, as far as we can know.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The channel took the message. Taken is not delivered.
    Accepted(Acceptance),
    /// The channel refused it: it was not sent.
    Refused(Refusal),
    /// The channel was never reached: it was not sent.
    Unreachable,
    /// The answer was lost: it may have been sent, or not.
    Ambiguous,
}

/// A channel's acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The channel's id of the message, such as Meta's `wamid...`.
    pub provider_id: String,
    /// Held back while Meta assesses the template's quality.
    pub held: bool,
    /// The number that the channel knows the recipient by, which may be another spelling.
    pub recipient: Option<PhoneNumber>,
}

/// Why a message was refused, failed or was skipped, as rows, reports, events and
/// answers say it: `meta:131026` where a provider said so, a word of ours otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason(String);

/// Where Meta's codes come from.
const META: &str = "meta";
/// Where the answers of custom channels come from.
const CUSTOM: &str = "custom";

impl Reason {
    /// A code of Meta's; 0 is a failure that Meta gives no code for.
    pub fn meta(code: i64) -> Self {
        Self(format!("{META}:{code}"))
    }

    /// What a custom channel answered.
    pub fn custom(what: impl fmt::Display) -> Self {
        Self(format!("{CUSTOM}:{what}"))
    }

    /// A word of ours.
    pub fn word(word: &str) -> Self {
        Self(word.to_owned())
    }

    /// Reads a reason as it was stored. Until 0.1 a code of Meta's stood without its
    /// origin, and what a custom channel answered as `http_503`.
    pub fn parse(text: &str) -> Self {
        let is_code = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_status = text.strip_prefix("http_").is_some_and(|s| s.bytes().all(|b| b.is_ascii_digit()));
        match (is_code, is_status) {
            (true, _) => Self(format!("{META}:{text}")),
            (_, true) => Self(format!("{CUSTOM}:{text}")),
            (false, false) => Self(text.to_owned()),
        }
    }

    /// As it is stored and printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Meta's code, when it is one; 0 is none.
    pub fn meta_code(&self) -> Option<i64> {
        let code = self.0.strip_prefix(META)?.strip_prefix(':')?.parse().ok()?;
        Some(code).filter(|code| *code != 0)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A channel's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, with where it comes from.
    pub reason: Reason,
    /// The channel's explanation, for people.
    pub details: String,
    /// What it is about.
    pub about: About,
    /// What follows from it.
    pub next: Next,
    /// How long the channel asks us to wait.
    pub retry_after: Option<Duration>,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// This message, or whom it is for.
    Message,
    /// What is sent, or from where: to be expected for every recipient of a campaign.
    Campaign,
    /// The person has not written lately: only a template may be sent.
    Window,
    /// How fast the sender sends: it may go on right away, but slower.
    Throughput,
    /// How much is sent; it has to wait.
    Rate,
    /// The channel itself, which cannot decide about any message now.
    Outage,
    /// Whether the sender may send at all.
    Credentials,
}

/// What has to wait before the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only this message.
    Message,
    /// Every message to this recipient.
    Recipient,
    /// Every message of the sender.
    Sender,
    /// Every message of the business account.
    Account,
}

/// How long to wait before a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// At least so long.
    pub least: Duration,
    /// From 1 second it grows four times with each attempt, so many times.
    pub growths: u32,
}

impl Wait {
    /// The same each time.
    pub const fn fixed(seconds: u64) -> Self {
        Self { least: Duration::from_secs(seconds), growths: 0 }
    }

    /// Growing with each attempt, from at least so many seconds to 4^`growths`.
    pub const fn growing(seconds: u64, growths: u32) -> Self {
        Self { least: Duration::from_secs(seconds), growths }
    }

    /// After this attempt; 1 is the first.
    pub fn after(self, attempt: u32) -> Duration {
        let growths = attempt.saturating_sub(1).min(self.growths).min(16);
        self.least.max(Duration::from_secs(4_u64.pow(growths)))
    }
}

/// What to do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again, at most `attempts` times in all.
    Retry {
        /// What waits.
        scope: Scope,
        /// How long.
        wait: Wait,
        /// Most attempts that may fail so, the first included. `None`: the provider wants
        /// us to wait, which uses up no attempt.
        attempts: Option<u32>,
    },
    /// This message will never be accepted.
    Never,
    /// The recipient wants no such messages: record it, and never try again.
    OptOut,
    /// Sending on would harm the sender: pause the campaign.
    PauseCampaign,
    /// Nothing can be sent by this sender until its owner acts.
    StopSender,
}

/// A header may lengthen a wait up to this.
const MAX_ASKED: Duration = Duration::from_secs(3_600);

impl Refusal {
    /// How long to wait after this attempt (1 is the first), when it may be tried again:
    /// as long as the channel asks, never shorter than we would.
    pub fn delay(&self, attempt: u32) -> Option<Duration> {
        let Next::Retry { wait, .. } = self.next else { return None };
        let asked = self.retry_after.unwrap_or_default().min(MAX_ASKED);
        Some(wait.after(attempt).max(asked))
    }
}

/// Most attempts for an error of the message itself.
pub const MAX_ATTEMPTS: u32 = 5;

/// Refusals in a row for what a campaign is, that are one fact about it and not about
/// five people.
pub const SAME_REFUSALS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(wait: Wait, retry_after: Option<u64>) -> Refusal {
        Refusal {
            reason: Reason::meta(1),
            details: String::new(),
            about: About::Message,
            next: Next::Retry { scope: Scope::Message, wait, attempts: None },
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn waits_grow_up_to_their_limit() {
        let seconds = |wait: Wait, attempt| wait.after(attempt).as_secs();
        assert_eq!([1, 2, 3, 4].map(|n| seconds(Wait::growing(0, 2), n)), [1, 4, 16, 16]);
        assert_eq!([1, 2, 3].map(|n| seconds(Wait::growing(6, 4), n)), [6, 6, 16]);
        assert_eq!([1, 9].map(|n| seconds(Wait::fixed(60), n)), [60, 60]);
    }

    #[test]
    fn what_the_channel_asks_lengthens_and_never_shortens() {
        let seconds = |asked| refusal(Wait::fixed(6), asked).delay(1).unwrap().as_secs();
        assert_eq!([None, Some(1), Some(30), Some(9_999)].map(seconds), [6, 6, 30, 3_600]);
        let never = Refusal { next: Next::Never, ..refusal(Wait::fixed(6), Some(9)) };
        assert_eq!(never.delay(1), None);
    }

    #[test]
    fn reasons_of_before_are_read() {
        for (text, want, code) in [
            ("131026", "meta:131026", Some(131_026)),
            ("meta:131026", "meta:131026", Some(131_026)),
            ("0", "meta:0", None),
            ("http_503", "custom:http_503", None),
            ("opted_out", "opted_out", None),
        ] {
            let reason = Reason::parse(text);
            assert_eq!((reason.as_str(), reason.meta_code()), (want, code));
            assert_eq!(Reason::parse(want), reason);
        }
    }
}
