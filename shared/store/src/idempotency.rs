//! Answers that were given under an idempotency key, for 24 hours.

use domain::{MessageId, TenantId};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Key, compose, n, s};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store, sha256_hex};

/// How long an answer is kept, in seconds.
const KEEP_S: i64 = 86_400;
/// After this long a request that has no answer is taken for dead, in milliseconds.
const DEAD_MS: i64 = 60_000;

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Nobody is at work for it: go on.
    Fresh(Claim),
    /// It was used, and this was the answer.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body, byte for byte.
        body: String,
    },
    /// It was used with another body.
    Different,
    /// A request with it is under way.
    InFlight,
}

/// A key that a request has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    key: Key,
    /// Numbers the requests with the key; whoever has an earlier one changes nothing.
    attempt: u64,
    /// The id of the message that a request with the key sends, the same at every attempt.
    pub message: MessageId,
    /// What an earlier attempt that broke off made.
    pub made: Option<String>,
}

impl Claim {
    /// Whether an earlier attempt broke off.
    pub fn is_repeated(&self) -> bool {
        self.attempt > 1
    }

    /// Writes down what the request makes, in the transaction that makes it.
    pub(crate) fn made_action(&self, what: impl ToString) -> Action {
        Action::Update(self.update().set("made", s(what.to_string())))
    }

    fn update(&self) -> Update {
        Update::of(self.key.clone()).when(self.is_current())
    }

    fn is_current(&self) -> When {
        When::Is("attempt", n(self.attempt))
    }
}

#[derive(Serialize, Deserialize)]
struct KeyItem {
    request: String,
    began: i64,
    attempt: u64,
    status: Option<u16>,
    body: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Option<String>,
    ttl: i64,
}

fn key(tenant: &TenantId, route: &str, idempotency_key: &str) -> Key {
    Key::new(
        Kind::Idempotency.pk(format_args!("{tenant}#{}", sha256_hex(format!("{route}|{idempotency_key}")))),
        "-",
    )
}

impl Store {
    /// Claims a key for a request whose body hashes to `request`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn begin_idempotent(
        &self,
        tenant: &TenantId,
        route: &str,
        idempotency_key: &str,
        request: &str,
    ) -> Result<Begin> {
        let key = key(tenant, route, idempotency_key);
        let now = self.clock().now();
        let message = MessageId(self.entropy().ulid(now));
        let fresh = KeyItem {
            request: request.to_owned(),
            began: now.as_millisecond(),
            attempt: 1,
            status: None,
            body: None,
            message: Some(message.to_string()),
            made: None,
            ttl: now.as_second() + KEEP_S,
        };
        match self.create(compose(&key, "idempotency", &fresh)?).await {
            Ok(()) => return Ok(Begin::Fresh(Claim { key, attempt: 1, message, made: None })),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
        let Some(known) = self.get::<KeyItem>(&key, "idempotency").await? else {
            return Ok(Begin::InFlight);
        };
        if known.ttl <= now.as_second() {
            self.delete(&key).await?;
            return Ok(Begin::InFlight);
        }
        if known.request != request {
            return Ok(Begin::Different);
        }
        if let (Some(status), Some(body)) = (known.status, known.body) {
            return Ok(Begin::Answered { status, body });
        }
        if now.as_millisecond() - known.began < DEAD_MS {
            return Ok(Begin::InFlight);
        }
        let attempt = known.attempt + 1;
        let resume = Update::of(key.clone())
            .set("began", n(now.as_millisecond()))
            .set("attempt", n(attempt))
            .when(When::Is("began", n(known.began)));
        match self.update(resume).await {
            Ok(()) => {
                let message = known.message.and_then(|id| id.parse().ok()).unwrap_or(message);
                Ok(Begin::Fresh(Claim { key, attempt, message, made: known.made }))
            }
            Err(Error::Conflict) => Ok(Begin::InFlight),
            Err(error) => Err(error),
        }
    }

    /// Keeps the answer of a request.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn finish_idempotent(&self, claim: &Claim, status: u16, body: &str) -> Result<()> {
        settled(self.update(claim.update().set("status", n(status)).set("body", s(body))).await)
    }

    /// Frees a key whose request changed nothing, so that it may be tried again, with
    /// another body, too.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_idempotent(&self, claim: &Claim) -> Result<()> {
        let unmade = vec![claim.is_current(), When::Absent("made")];
        settled(self.transact(vec![Action::Delete(claim.key.clone(), unmade)]).await)
    }

    /// Lets a key go whose request may have changed something: it may be repeated at once,
    /// and finds what was made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn release_idempotent(&self, claim: &Claim) -> Result<()> {
        settled(self.update(claim.update().set("began", n(0))).await)
    }
}

/// Whoever has the key by now decides about it.
fn settled(done: Result<()>) -> Result<()> {
    match done {
        Ok(()) | Err(Error::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
