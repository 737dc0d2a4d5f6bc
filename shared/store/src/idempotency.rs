//! Answers that were given under an idempotency key, for 24 hours.

use domain::{MessageId, TenantId};
use serde::{Deserialize, Serialize};

use crate::item::{Key, compose, n, s};
use crate::update::{Update, When};
use crate::{Error, Result, Store, sha256_hex};

/// How long an answer is kept, in seconds.
const KEEP_S: i64 = 86_400;
/// After this long a request that has no answer is taken for dead, in milliseconds.
const DEAD_MS: i64 = 60_000;

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Nobody used it: go on, under this number.
    Fresh {
        /// Sorts attempts of one key; later ones are resumptions.
        attempt: u64,
        /// The id of the message that its request sends, the same at every attempt.
        message: MessageId,
    },
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

#[derive(Serialize, Deserialize)]
struct KeyItem {
    request: String,
    began: i64,
    attempt: u64,
    status: Option<u16>,
    body: Option<String>,
    #[serde(default)]
    message: Option<String>,
    ttl: i64,
}

fn key(tenant: &TenantId, route: &str, idempotency_key: &str) -> Key {
    Key::new(format!("IDEM#{tenant}#{}", sha256_hex(format!("{route}|{idempotency_key}"))), "-")
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
            ttl: now.as_second() + KEEP_S,
        };
        match self.create(compose(&key, "idempotency", &fresh)?).await {
            Ok(()) => return Ok(Begin::Fresh { attempt: 1, message }),
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
        let resume = Update::of(key)
            .set("began", n(now.as_millisecond()))
            .set("attempt", n(known.attempt + 1))
            .when(When::Is("began", n(known.began)));
        match self.update(resume).await {
            Ok(()) => {
                let message = known.message.and_then(|id| id.parse().ok()).unwrap_or(message);
                Ok(Begin::Fresh { attempt: known.attempt + 1, message })
            }
            Err(Error::Conflict) => Ok(Begin::InFlight),
            Err(error) => Err(error),
        }
    }

    /// Keeps the answer of a request.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn finish_idempotent(
        &self,
        tenant: &TenantId,
        route: &str,
        idempotency_key: &str,
        status: u16,
        body: &str,
    ) -> Result<()> {
        let update =
            Update::of(key(tenant, route, idempotency_key)).set("status", n(status)).set("body", s(body));
        self.update(update).await
    }

    /// Frees a key whose request changed nothing, so that it may be tried again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_idempotent(
        &self,
        tenant: &TenantId,
        route: &str,
        idempotency_key: &str,
    ) -> Result<()> {
        self.delete(&key(tenant, route, idempotency_key)).await
    }
}
