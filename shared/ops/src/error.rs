//! What an operation answers when it did not happen.

use domain::Invalid;
use domain::outcome::{About, Next, Reason, Refusal};

/// Answers of the product.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in one word that stays the same over releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The body is not what its content type says.
    MalformedBody,
    /// A field breaks a rule.
    InvalidField,
    /// No key, or one that nobody has.
    Unauthorized,
    /// The key may not do this.
    Forbidden,
    /// There is no such thing, or it is another tenant's.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// A contract has it, and we do not.
    NotSupported,
    /// The plan has no room for it.
    PlanLimit,
    /// There are too few credits for it.
    NoCredits,
    /// It is not in the state that the request needs.
    Conflict,
    /// Something else was asked for under the idempotency key.
    IdempotencyConflict,
    /// The body or the list is too large.
    TooLarge,
    /// Too many requests of this key.
    RateLimited,
    /// No WhatsApp number is connected.
    NoNumber,
    /// No phone is linked.
    NoSession,
    /// No SMS phone is paired.
    NoDevice,
    /// The recipient wants no more messages.
    OptedOut,
    /// Free text needs an open 24-hour window.
    OutsideWindow,
    /// The provider will never take it.
    ProviderRejected,
    /// The provider takes no more now.
    ProviderThrottled,
    /// The provider has a problem.
    ProviderUnavailable,
    /// Nobody knows whether the provider took it.
    ProviderTimeout,
    /// A store did not answer.
    Unavailable,
    /// A defect of ours.
    Internal,
}

impl Code {
    /// Every code, for the catalogue.
    pub const ALL: [Self; 24] = [
        Self::MalformedBody,
        Self::InvalidField,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotSupported,
        Self::PlanLimit,
        Self::NoCredits,
        Self::Conflict,
        Self::IdempotencyConflict,
        Self::TooLarge,
        Self::RateLimited,
        Self::NoNumber,
        Self::NoSession,
        Self::NoDevice,
        Self::OptedOut,
        Self::OutsideWindow,
        Self::ProviderRejected,
        Self::ProviderThrottled,
        Self::ProviderUnavailable,
        Self::ProviderTimeout,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word that callers see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedBody => "malformed_body",
            Self::InvalidField => "invalid_field",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotSupported => "not_supported",
            Self::PlanLimit => "plan_limit",
            Self::NoCredits => "insufficient_credits",
            Self::Conflict => "conflict",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::NoNumber => "no_number",
            Self::NoSession => "no_session",
            Self::NoDevice => "no_device",
            Self::OptedOut => "opted_out",
            Self::OutsideWindow => "outside_window",
            Self::ProviderRejected => "provider_rejected",
            Self::ProviderThrottled => "provider_throttled",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::ProviderTimeout => "provider_timeout",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Whether it is the product's fault rather than the caller's.
    pub fn is_server_error(self) -> bool {
        matches!(self, Self::Unavailable | Self::Internal)
    }

    /// Whether the same may work later, without anybody's doing.
    pub fn is_temporary(self) -> bool {
        let provider = [Self::ProviderThrottled, Self::ProviderUnavailable, Self::ProviderTimeout];
        self.is_server_error() || provider.contains(&self)
    }
}

/// Why an operation did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of problem.
    pub code: Code,
    /// The field it is about, in the caller's own spelling where there is one.
    pub field: Option<String>,
    /// A sentence a developer can act on.
    pub message: String,
    /// When it is worth trying again, in seconds.
    pub retry_after: Option<u64>,
    /// Why the channel refused, with where that comes from.
    pub reason: Option<Reason>,
    /// Our id of the message, when one was written down.
    pub message_id: Option<String>,
}

impl Error {
    /// A problem without further particulars.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, field: None, message: message.into(), retry_after: None, reason: None, message_id: None }
    }

    /// A field that breaks a rule.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Invalid::new(field, message).into()
    }

    /// Something that does not exist, or is another tenant's; names the field
    /// that pointed to it.
    pub fn not_found(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(Code::NotFound, message) }
    }

    /// Something whose state does not fit.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// Worth trying again after some seconds.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// About a message that was written down.
    #[must_use]
    pub fn about(mut self, message_id: impl ToString) -> Self {
        self.message_id = Some(message_id.to_string());
        self
    }

    /// A channel's refusal of a single send; `channel` is what people call it.
    pub fn refused(channel: &str, refusal: &Refusal) -> Self {
        let said = match refusal.reason.meta_code() {
            Some(code) => format!("{channel} refused the request with code {code}"),
            None => format!("{channel} refused the request"),
        };
        let (code, message) = match (refusal.about, refusal.next) {
            (About::Window, _) => (
                Code::OutsideWindow,
                format!(
                    "{said}: the recipient has not written in the last 24 hours, use a template (24 hour window)"
                ),
            ),
            (_, _) if refusal.details.is_empty() => (code_of(refusal), said),
            (_, _) => (code_of(refusal), format!("{said}: {}", refusal.details)),
        };
        Self {
            retry_after: refusal.delay(1).map(|delay| delay.as_secs().max(1)),
            reason: Some(refusal.reason.clone()),
            ..Self::new(code, message)
        }
    }
}

fn code_of(refusal: &Refusal) -> Code {
    match (refusal.next, refusal.about) {
        (Next::Retry { .. }, About::Rate | About::Throughput) => Code::ProviderThrottled,
        (Next::Retry { .. }, _) => Code::ProviderUnavailable,
        (Next::Never | Next::OptOut | Next::PauseCampaign | Next::StopSender, _) => Code::ProviderRejected,
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self { field: Some(invalid.field), ..Self::new(Code::InvalidField, invalid.message) }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict => {
                Self::conflict("it was changed by another request at the same time").after(1)
            }
            store::Error::Contended => {
                tracing::warn!("an item kept being changed by others");
                Self::new(Code::Unavailable, "the service is not available, try again").after(1)
            }
            store::Error::Unavailable { code } => {
                tracing::warn!(code, "the database is not available");
                Self::new(Code::Unavailable, "the service is not available, try again").after(1)
            }
            store::Error::Refused { code } => {
                tracing::warn!(code, "the database takes no such values");
                Self::invalid("request", "a value is too long, or has characters that cannot be kept")
            }
            store::Error::Corrupt { kind } => {
                tracing::warn!(kind, "an item cannot be read");
                Self::new(Code::Internal, "internal error")
            }
            store::Error::Sealed => {
                tracing::warn!("a sealed value cannot be opened: is the secret key another one?");
                Self::new(Code::Internal, "internal error")
            }
        }
    }
}

impl From<queue::Error> for Error {
    fn from(error: queue::Error) -> Self {
        tracing::warn!(code = error.code, "a queue is not available");
        Self::new(Code::Unavailable, "the service is not available, try again").after(1)
    }
}
