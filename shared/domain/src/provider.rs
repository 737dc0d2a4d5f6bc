//! What a provider answers to a send, and what follows from it.

use std::time::Duration;

use crate::PhoneNumber;

/// How a send ended, as far as we can know.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The provider took the message. Taken is not delivered.
    Accepted(Acceptance),
    /// The provider refused it: it was not sent.
    Refused(ProviderError),
    /// The provider was never reached: it was not sent.
    Unreachable,
    /// The answer was lost: it may have been sent, or not.
    Ambiguous,
}

/// A provider's acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The provider's id of the message (`wamid...`).
    pub provider_id: String,
    /// Held back while Meta assesses the template's quality.
    pub held: bool,
}

/// A provider's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderError {
    /// Meta's error code; 0 when there was none.
    pub code: i64,
    /// Meta's subcode.
    pub subcode: Option<i64>,
    /// HTTP status of the answer.
    pub http_status: u16,
    /// Meta's explanation, for people.
    pub details: String,
    /// Meta says that the same call may work later.
    pub transient: bool,
    /// How long the provider asks us to wait.
    pub retry_after: Option<Duration>,
}

impl ProviderError {
    /// A refusal of which no more than a code and an HTTP status is known.
    pub fn bare(code: i64, http_status: u16, details: &str) -> Self {
        let details = details.to_owned();
        Self { code, subcode: None, http_status, details, transient: false, retry_after: None }
    }

    /// Whether the provider says that it cannot decide about any message now.
    pub fn is_outage(&self) -> bool {
        matches!(self.code, 1 | 2 | 131_000 | 131_016)
            || (self.http_status >= 500
                && matches!(classify(self, 1), Action::Retry { attempts: Some(_), .. }))
    }
}

/// What has to wait before the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only this message.
    Message,
    /// Every message to this recipient.
    Recipient,
    /// Every message of the sending number.
    Number,
    /// Every message of the business account.
    Account,
}

/// What to do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Try again after `delay`, at most `attempts` times in all (`None`: until it works).
    Retry {
        /// What waits.
        scope: Scope,
        /// How long, at least.
        delay: Duration,
        /// Most attempts that may fail so, the first included. `None`: the provider wants
        /// us to wait, which uses up no attempt.
        attempts: Option<u32>,
    },
    /// This message will never be accepted.
    Permanent,
    /// The recipient does not want marketing: record it, and never try again.
    OptOut,
    /// Sending on would harm the number: pause the campaign.
    PauseCampaign,
    /// Nothing can be sent on this number until its owner acts.
    StopChannel,
}

/// Most attempts for an error of the message itself.
pub const MAX_ATTEMPTS: u32 = 5;

const fn four_to_the(x: u32) -> Duration {
    let capped = if x > 4 { 4 } else { x };
    Duration::from_secs(4u64.pow(capped))
}

/// Decides what follows from `error` at this `attempt` (1 is the first).
///
/// The classes are those of Meta's error reference
/// (<https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>);
/// a named permanent code is not retried even when Meta calls it transient, and
/// a header may lengthen our delay, never shorten it.
pub fn action(error: &ProviderError, attempt: u32) -> Action {
    let base = classify(error, attempt);
    match (base, error.retry_after) {
        (Action::Retry { scope, delay, attempts }, Some(asked)) => {
            Action::Retry { scope, delay: delay.max(asked.min(Duration::from_secs(3_600))), attempts }
        }
        (action, _) => action,
    }
}

fn classify(error: &ProviderError, attempt: u32) -> Action {
    let backoff = four_to_the(attempt.saturating_sub(1));
    let retry = |scope, delay, attempts| Action::Retry { scope, delay, attempts };
    let minute = Duration::from_secs(60);
    match error.code {
        130_429 => retry(Scope::Number, four_to_the(attempt.saturating_sub(1).min(2)), None),
        131_056 => retry(Scope::Recipient, Duration::from_secs(6).max(backoff), None),
        131_057 => retry(Scope::Number, Duration::from_secs(15), None),
        80_007 | 4 => retry(Scope::Account, minute, None),
        134_101 => retry(Scope::Message, minute, Some(10)),
        131_053 => retry(Scope::Message, backoff, Some(3)),
        131_000 | 131_016 | 1 | 2 => retry(Scope::Message, backoff, Some(MAX_ATTEMPTS)),
        131_048 | 131_064 | 132_015 | 132_016 => Action::PauseCampaign,
        131_050 => Action::OptOut,
        0 | 190 | 3 | 10 | 200..=299 | 131_005 | 368 | 131_031 | 131_042 | 130_497
            if error.code != 0 || matches!(error.http_status, 401 | 403) =>
        {
            Action::StopChannel
        }
        100
        | 131_008
        | 131_009
        | 131_051
        | 131_026
        | 131_021
        | 131_030
        | 131_062
        | 130_472
        | 131_047
        | 131_049
        | 131_045
        | 133_010
        | 133_016
        | 131_037
        | 131_063
        | 132_000..=132_099 => Action::Permanent,
        _ if error.http_status == 429 => retry(Scope::Number, backoff, None),
        _ if error.transient || error.http_status >= 500 => {
            retry(Scope::Message, backoff, Some(MAX_ATTEMPTS))
        }
        _ => Action::Permanent,
    }
}

/// Identical refusals in a row that are one fact about the campaign, not about five
/// people.
pub const SAME_REFUSALS: u32 = 5;

/// Whether a refusal is about what a campaign sends, or from where, so that it is to be
/// expected for every recipient: template and account errors of Meta's reference that
/// name no recipient.
pub fn concerns_campaign(code: i64) -> bool {
    matches!(code, 131_037 | 131_045 | 131_051 | 131_008 | 132_000..=132_099 | 133_000..=133_099)
}

/// Whether Meta delivers marketing templates to this number: not to +1 since
/// 2025-04-01.
pub fn takes_marketing(phone: &PhoneNumber) -> bool {
    !phone.is_north_american()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i64) -> ProviderError {
        ProviderError::bare(code, 400, "")
    }

    #[test]
    fn every_documented_code_has_its_class() {
        for code in [130_429, 131_056, 131_057, 80_007, 4, 134_101, 131_053, 131_000, 131_016, 1, 2] {
            assert!(matches!(action(&error(code), 1), Action::Retry { .. }), "{code}");
        }
        for code in [
            100, 131_008, 131_009, 131_051, 131_026, 131_021, 131_030, 131_062, 130_472, 131_047, 131_049,
            131_045, 133_010, 133_016, 131_037, 131_063, 132_000, 132_001, 132_005, 132_007, 132_008,
            132_012, 132_018, 132_068, 132_069,
        ] {
            assert_eq!(action(&error(code), 1), Action::Permanent, "{code}");
        }
        for code in [190, 3, 10, 200, 299, 131_005, 368, 131_031, 131_042, 130_497] {
            assert_eq!(action(&error(code), 1), Action::StopChannel, "{code}");
        }
        for code in [131_048, 131_064, 132_015, 132_016] {
            assert_eq!(action(&error(code), 1), Action::PauseCampaign, "{code}");
        }
        assert_eq!(action(&error(131_050), 1), Action::OptOut);
    }

    #[test]
    fn the_scope_says_what_waits() {
        let scope = |code| {
            let action = action(&error(code), 1);
            let Action::Retry { scope, .. } = action else { panic!("{action:?}") };
            scope
        };
        assert_eq!(scope(131_056), Scope::Recipient);
        assert_eq!(scope(130_429), Scope::Number);
        assert_eq!(scope(80_007), Scope::Account);
        assert_eq!(scope(131_000), Scope::Message);
    }

    #[test]
    fn a_header_lengthens_and_never_shortens() {
        let mut pair = error(131_056);
        pair.retry_after = Some(Duration::from_secs(1));
        assert!(matches!(action(&pair, 1), Action::Retry { delay, .. } if delay == Duration::from_secs(6)));
        pair.retry_after = Some(Duration::from_secs(30));
        assert!(matches!(action(&pair, 1), Action::Retry { delay, .. } if delay == Duration::from_secs(30)));
    }

    #[test]
    fn a_permanent_code_stays_permanent_when_called_transient() {
        let mut window = error(131_047);
        window.transient = true;
        assert_eq!(action(&window, 1), Action::Permanent);
    }
}
