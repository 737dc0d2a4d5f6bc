//! What Meta's error codes mean.
//!
//! The classes are those of Meta's error reference
//! (<https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>).

use std::time::Duration;

use domain::outcome::{About, MAX_ATTEMPTS, Next, Reason, Refusal, Scope, Wait};

/// Meta's error, as its envelope has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetaError {
    /// Meta's error code; 0 when there was none.
    pub code: i64,
    /// HTTP status of the answer.
    pub http_status: u16,
    /// Meta's explanation, for people.
    pub details: String,
    /// Meta says that the same call may work later.
    pub is_transient: bool,
    /// How long Meta asks us to wait.
    pub retry_after: Option<Duration>,
}

impl From<MetaError> for Refusal {
    fn from(error: MetaError) -> Self {
        Self {
            reason: Reason::meta(error.code),
            about: about(&error),
            next: next(&error),
            details: error.details,
            retry_after: error.retry_after,
        }
    }
}

/// What a code means that comes as a status, after the message was taken.
pub fn refusal_of(code: i64) -> Refusal {
    MetaError { code, http_status: 400, ..MetaError::default() }.into()
}

/// Grows with each attempt up to 4 minutes 16 seconds.
const BACKOFF: Wait = Wait::growing(0, 4);

/// A named permanent code is not retried even when Meta calls it transient.
fn next(error: &MetaError) -> Next {
    let retry = |scope, wait, attempts| Next::Retry { scope, wait, attempts };
    match error.code {
        130_429 => retry(Scope::Sender, Wait::growing(0, 2), None),
        131_056 => retry(Scope::Recipient, Wait::growing(6, 4), None),
        131_057 => retry(Scope::Sender, Wait::fixed(15), None),
        80_007 | 4 => retry(Scope::Account, Wait::fixed(60), None),
        134_101 => retry(Scope::Message, Wait::fixed(60), Some(10)),
        131_053 => retry(Scope::Message, BACKOFF, Some(3)),
        131_000 | 131_016 | 1 | 2 => retry(Scope::Message, BACKOFF, Some(MAX_ATTEMPTS)),
        131_048 | 131_064 | 132_015 | 132_016 => Next::PauseCampaign,
        131_050 => Next::OptOut,
        _ if stops_the_sender(error) => Next::StopSender,
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
        | 132_000..=132_099 => Next::Never,
        _ if error.http_status == 429 => retry(Scope::Sender, BACKOFF, None),
        _ if error.is_transient || error.http_status >= 500 => {
            retry(Scope::Message, BACKOFF, Some(MAX_ATTEMPTS))
        }
        _ => Next::Never,
    }
}

fn stops_the_sender(error: &MetaError) -> bool {
    match error.code {
        0 => matches!(error.http_status, 401 | 403),
        code => {
            matches!(code, 190 | 3 | 10 | 200..=299 | 131_005 | 368 | 131_031 | 131_042 | 130_497)
        }
    }
}

fn about(error: &MetaError) -> About {
    match error.code {
        131_047 => About::Window,
        130_429 => About::Throughput,
        131_056 | 131_057 | 80_007 | 4 => About::Rate,
        1 | 2 | 131_000 | 131_016 => About::Outage,
        _ if names_the_recipient(error.code) => About::Message,
        _ if error.http_status == 401 => About::Credentials,
        _ if error.http_status == 429 => About::Rate,
        _ if error.http_status >= 500 && matches!(next(error), Next::Retry { attempts: Some(_), .. }) => {
            About::Outage
        }
        // The file, or the template's: the same for everybody.
        131_053 | 134_101 => About::Campaign,
        _ if next(error) == Next::Never => About::Campaign,
        _ => About::Message,
    }
}

/// Refusals that are one person's. Whatever else is refused for good, known to Meta's
/// reference or not, may be so for everybody: only who follows can tell.
fn names_the_recipient(code: i64) -> bool {
    matches!(code, 130_472 | 131_021 | 131_026 | 131_030 | 131_049 | 131_050 | 131_062)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_of(code: i64) -> Next {
        refusal_of(code).next
    }

    #[test]
    fn every_documented_code_has_its_class() {
        for code in [130_429, 131_056, 131_057, 80_007, 4, 134_101, 131_053, 131_000, 131_016, 1, 2] {
            assert!(matches!(next_of(code), Next::Retry { .. }), "{code}");
        }
        for code in [
            100, 131_008, 131_009, 131_051, 131_026, 131_021, 131_030, 131_062, 130_472, 131_047, 131_049,
            131_045, 133_010, 133_016, 131_037, 131_063, 132_000, 132_001, 132_005, 132_007, 132_008,
            132_012, 132_018, 132_068, 132_069,
        ] {
            assert_eq!(next_of(code), Next::Never, "{code}");
        }
        for code in [190, 3, 10, 200, 299, 131_005, 368, 131_031, 131_042, 130_497] {
            assert_eq!(next_of(code), Next::StopSender, "{code}");
        }
        for code in [131_048, 131_064, 132_015, 132_016] {
            assert_eq!(next_of(code), Next::PauseCampaign, "{code}");
        }
        assert_eq!(next_of(131_050), Next::OptOut);
    }

    #[test]
    fn the_scope_says_what_waits() {
        let scope = |code| {
            let next = next_of(code);
            let Next::Retry { scope, .. } = next else { panic!("{next:?}") };
            scope
        };
        assert_eq!(scope(131_056), Scope::Recipient);
        assert_eq!(scope(130_429), Scope::Sender);
        assert_eq!(scope(80_007), Scope::Account);
        assert_eq!(scope(131_000), Scope::Message);
    }

    #[test]
    fn a_permanent_code_stays_permanent_when_called_transient() {
        let window =
            MetaError { code: 131_047, http_status: 400, is_transient: true, ..MetaError::default() };
        assert_eq!(Refusal::from(window).next, Next::Never);
    }

    #[test]
    fn what_a_refusal_is_about_follows_from_code_and_status() {
        let about =
            |code, http_status| Refusal::from(MetaError { code, http_status, ..MetaError::default() }).about;
        for (code, status, want) in [
            (131_026, 400, About::Message),
            (131_047, 400, About::Window),
            (132_001, 404, About::Campaign),
            (133_010, 400, About::Campaign),
            (100, 400, About::Campaign),
            (131_009, 400, About::Campaign),
            (135_000, 400, About::Campaign),
            (33, 400, About::Campaign),
            (0, 404, About::Campaign),
            (131_053, 400, About::Campaign),
            (131_049, 400, About::Message),
            (131_050, 400, About::Message),
            (131_048, 400, About::Message),
            (130_429, 400, About::Throughput),
            (131_056, 400, About::Rate),
            (0, 429, About::Rate),
            (131_000, 500, About::Outage),
            (0, 503, About::Outage),
            (134_101, 503, About::Outage),
            (190, 401, About::Credentials),
        ] {
            assert_eq!(about(code, status), want, "{code} {status}");
        }
    }
}
