//! Deliveries of events, and their attempts.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::TenantId;
use domain::webhook::{EndpointId, EventId, EventType, KEPT_FOR};

use crate::batch::{StatementResult, insert};
use crate::item::{Item, Key, Query, compose, n, number, s, text};
use crate::update::{Update, When};
use crate::webhooks::Waiting;
use crate::{Error, Kind, Result, Store};

const KIND: &str = "delivery";
/// Deliveries in one partition.
pub(super) const BLOCK: u64 = 100;

/// What is sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// As text, in the item.
    Inline(String),
    /// A part of an object.
    Stored {
        /// The object.
        object: String,
        /// Its first byte.
        offset: u64,
        /// How many bytes.
        len: u64,
    },
}

/// What people wrote stays out of logs.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline(text) => write!(f, "Inline({} bytes)", text.len()),
            Self::Stored { object, len, .. } => write!(f, "Stored({len} bytes of {object})"),
        }
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryProgress {
    /// The endpoint took it.
    Delivered,
    /// It is sent when the endpoint is looked at next.
    Waiting,
    /// It was not delivered in time, or was a test that failed.
    Failed,
}

impl DeliveryProgress {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "delivered" => Self::Delivered,
            "waiting" => Self::Waiting,
            _ => Self::Failed,
        }
    }
}

/// One call of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it was, in milliseconds since 1970.
    pub at_ms: i64,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why there was no answer.
    pub error: Option<String>,
    /// The beginning of an answer that was no success.
    pub answer: Option<String>,
}

/// An event on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number at this endpoint.
    pub sequence: u64,
    /// The event.
    pub event: EventId,
    /// Its type.
    pub kind: EventType,
    /// When it was taken on, in milliseconds since 1970.
    pub at_ms: i64,
    /// What is sent.
    pub body: Body,
    /// The signature that came with a forwarded body.
    pub signature: Option<String>,
    /// How far it is.
    pub progress: DeliveryProgress,
    /// Calls so far.
    pub attempts: u32,
    /// The last call, without its answer.
    pub last: Option<Attempt>,
}

/// An event that somebody wants to take on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventClaim {
    /// The event.
    pub event: EventId,
    /// The number that it gets.
    pub sequence: u64,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// It is ours.
    New,
    /// Somebody took it on before.
    Known {
        /// Under this number.
        sequence: u64,
        /// At this time, in milliseconds since 1970.
        at_ms: i64,
    },
}

fn claim_key(tenant: &TenantId, endpoint: EndpointId, event: &EventId) -> Key {
    Key::new(Kind::Event.pk(format_args!("{tenant}#{endpoint}#{event}")), "-")
}

pub(super) fn block_key(tenant: &TenantId, endpoint: EndpointId, block: u64) -> String {
    Kind::Delivery.pk(format_args!("{tenant}#{endpoint}#{block}"))
}

fn key(tenant: &TenantId, endpoint: EndpointId, sequence: u64) -> Key {
    Key::new(block_key(tenant, endpoint, sequence / BLOCK), format!("{sequence:015}"))
}

fn attempt_key(tenant: &TenantId, endpoint: EndpointId, sequence: u64, nth: u32) -> Key {
    Key::new(Kind::Attempt.pk(format_args!("{tenant}#{endpoint}#{sequence}")), format!("{nth:05}"))
}

impl Store {
    /// When what is written now may be forgotten, in seconds since 1970. A day more
    /// than events are kept.
    pub(super) fn event_ttl(&self) -> i64 {
        let kept = i64::try_from(KEPT_FOR.as_secs()).unwrap_or(0);
        self.clock().now().as_second() + kept + 86_400
    }

    /// Takes events on, each at most once for each endpoint.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn claim_events(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        claims: &[EventClaim],
    ) -> Result<Vec<Claimed>> {
        let (now, ttl) = (self.clock().now_ms(), self.event_ttl());
        let mut statements = Vec::with_capacity(claims.len());
        for claim in claims {
            let mut item = claim_key(tenant, endpoint, &claim.event).attributes();
            item.insert("seq".to_owned(), n(claim.sequence));
            item.insert("at".to_owned(), n(now));
            item.insert("ttl".to_owned(), n(ttl));
            item.insert("type".to_owned(), s("event"));
            item.insert("v".to_owned(), n(1));
            statements.push(insert(self.table(), item)?);
        }
        let answers = self.execute(statements).await?;
        let lost = claims.iter().zip(&answers).filter(|(_, answer)| **answer != StatementResult::Yes);
        let keys: Vec<Key> = lost.map(|(claim, _)| claim_key(tenant, endpoint, &claim.event)).collect();
        let known: HashMap<String, Item> = match keys.is_empty() {
            true => HashMap::new(),
            false => {
                let items = self.get_many(unique(keys)).await?.into_iter();
                items.filter_map(|item| Some((text(&item, "pk")?, item))).collect()
            }
        };
        let claimed = claims.iter().zip(answers).map(|(claim, answer)| {
            if answer == StatementResult::Yes {
                return Claimed::New;
            }
            let item = known.get(&claim_key(tenant, endpoint, &claim.event).pk);
            let at = |name| item.and_then(|item| number::<i64>(item, name)).unwrap_or(0);
            Claimed::Known { sequence: u64::try_from(at("seq")).unwrap_or(0), at_ms: at("at") }
        });
        Ok(claimed.collect())
    }

    /// Takes over an event whose taker did not come to an end.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else did.
    pub async fn take_over(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        event: &EventId,
        since_ms: i64,
    ) -> Result<()> {
        let update = Update::of(claim_key(tenant, endpoint, event)).set("at", n(self.clock().now_ms()));
        self.update(update.when(When::Is("at", n(since_ms)))).await
    }

    /// Writes deliveries down, unless they are there already.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn write_deliveries(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        deliveries: &[Delivery],
    ) -> Result<()> {
        let ttl = self.event_ttl();
        let rows = deliveries.iter().map(|delivery| {
            let mut item = to_item(tenant, endpoint, delivery)?;
            item.insert("ttl".to_owned(), n(ttl));
            insert(self.table(), item)
        });
        self.execute(rows.collect::<Result<_>>()?).await.map(|_| ())
    }

    /// Deliveries by their numbers; those that are not there are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn deliveries_of(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        numbers: impl IntoIterator<Item = u64>,
    ) -> Result<Vec<Delivery>> {
        let keys = numbers.into_iter().map(|sequence| key(tenant, endpoint, sequence)).collect();
        let mut found: Vec<Delivery> =
            self.get_many(unique(keys)).await?.into_iter().map(from_item).collect::<Result<_>>()?;
        found.sort_by_key(|delivery| delivery.sequence);
        Ok(found)
    }

    /// Deliveries with numbers below `before`, newest first. Answers also where to
    /// go on, when there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn deliveries(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        before: u64,
        limit: usize,
    ) -> Result<(Vec<Delivery>, Option<u64>)> {
        /// Blocks that one call reads; numbers may have gaps, and old ones are gone.
        const BLOCKS: u64 = 20;
        let Some(last) = before.checked_sub(1).filter(|last| *last > 0) else {
            return Ok((Vec::new(), None));
        };
        let newest = last / BLOCK;
        let oldest = newest.saturating_sub(BLOCKS - 1);
        let mut found = Vec::new();
        for block in (oldest..=newest).rev() {
            let query = Query {
                pk: block_key(tenant, endpoint, block),
                until: Some(format!("{last:015}")),
                limit: Some(limit - found.len()),
                descending: true,
                ..Query::default()
            };
            for item in self.query(&query).await? {
                found.push(from_item(item)?);
            }
            if found.len() >= limit {
                let next = found.last().map(|delivery: &Delivery| delivery.sequence).filter(|n| *n > 1);
                return Ok((found, next));
            }
        }
        let next = oldest * BLOCK;
        Ok((found, (next > 0).then_some(next)))
    }

    /// Writes down how a delivery that waited fared: its progress, how often it was
    /// called and the last call.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn update_delivery(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        delivery: &Delivery,
    ) -> Result<()> {
        let mut update = Update::of(key(tenant, endpoint, delivery.sequence))
            .set("st", s(delivery.progress.as_str()))
            .set("n", n(delivery.attempts))
            .when(When::Exists);
        if let Some(last) = &delivery.last {
            for (name, value) in attempt_attributes(last) {
                update = update.set(name, value);
            }
            for (name, absent) in [("le", last.error.is_none()), ("ls", last.status.is_none())] {
                update = if absent { update.remove(name) } else { update };
            }
        }
        match self.update(update).await {
            // It is gone: its time was over.
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes attempts down that failed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn write_attempts(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        attempts: &[(u64, u32, Attempt)],
    ) -> Result<()> {
        let ttl = self.event_ttl();
        let writes = attempts.iter().map(|(sequence, nth, attempt)| {
            let mut item = attempt_key(tenant, endpoint, *sequence, *nth).attributes();
            item.extend(
                attempt_attributes(attempt).into_iter().map(|(name, value)| (name.to_owned(), value)),
            );
            item.extend(attempt.answer.clone().map(|answer| ("an".to_owned(), s(answer))));
            item.insert("ttl".to_owned(), n(ttl));
            item.insert("type".to_owned(), s("attempt"));
            item.insert("v".to_owned(), n(1));
            insert(self.table(), item)
        });
        self.execute(writes.collect::<Result<_>>()?).await.map(|_| ())
    }

    /// The attempts of a delivery that failed, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn attempts(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        sequence: u64,
    ) -> Result<Vec<Attempt>> {
        let pk = attempt_key(tenant, endpoint, sequence, 0).pk;
        let items = self.query(&Query { pk, ..Query::default() }).await?;
        Ok(items.iter().filter_map(read_attempt).collect())
    }

    /// Lets deliveries be sent again, whatever they came to.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn replay_deliveries(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        deliveries: &[Delivery],
    ) -> Result<()> {
        // The index first: a number in it without its state is settled by the next look.
        let waiting = deliveries.iter().map(|d| Waiting { sequence: d.sequence, failures: 0, next_ms: 0 });
        self.set_waiting(tenant, endpoint, &waiting.collect::<Vec<_>>()).await?;
        let updates = deliveries.iter().map(|delivery| {
            let update = Update::of(key(tenant, endpoint, delivery.sequence));
            update.set("st", s(DeliveryProgress::Waiting.as_str())).into_statement(self.table())
        });
        self.execute(updates.collect::<Result<_>>()?).await.map(|_| ())
    }
}

/// A batch read refuses a key that it is asked for twice.
fn unique(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_by(|a, b| (&a.pk, &a.sk).cmp(&(&b.pk, &b.sk)));
    keys.dedup();
    keys
}

fn attempt_attributes(attempt: &Attempt) -> Vec<(&'static str, AttributeValue)> {
    let mut attributes = vec![("la", n(attempt.at_ms)), ("lm", n(attempt.took_ms))];
    attributes.extend(attempt.status.map(|status| ("ls", n(status))));
    attributes.extend(attempt.error.as_ref().map(|error| ("le", s(error))));
    attributes
}

fn read_attempt(item: &Item) -> Option<Attempt> {
    Some(Attempt {
        at_ms: number(item, "la")?,
        status: number(item, "ls"),
        took_ms: number(item, "lm").unwrap_or(0),
        error: text(item, "le"),
        answer: text(item, "an"),
    })
}

/// Names are short: the row of a small event stays below one write unit.
fn to_item(tenant: &TenantId, endpoint: EndpointId, delivery: &Delivery) -> Result<Item> {
    let mut item = compose(&key(tenant, endpoint, delivery.sequence), KIND, &serde_json::json!({}))?;
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("e", s(delivery.event.as_str()));
    set("k", s(delivery.kind.as_str()));
    set("at", n(delivery.at_ms));
    set("st", s(delivery.progress.as_str()));
    set("n", n(delivery.attempts));
    match &delivery.body {
        Body::Inline(text) => {
            set("b", s(text));
        }
        Body::Stored { object, offset, len } => {
            set("o", s(object));
            set("of", n(offset));
            set("ln", n(len));
        }
    }
    if let Some(signature) = &delivery.signature {
        set("sg", s(signature));
    }
    for (name, value) in delivery.last.iter().flat_map(attempt_attributes) {
        set(name, value);
    }
    Ok(item)
}

pub(super) fn from_item(item: Item) -> Result<Delivery> {
    let corrupt = || Error::Corrupt { kind: KIND };
    let body = match text(&item, "b") {
        Some(text) => Body::Inline(text),
        None => Body::Stored {
            object: text(&item, "o").ok_or_else(corrupt)?,
            offset: number(&item, "of").unwrap_or(0),
            len: number(&item, "ln").unwrap_or(0),
        },
    };
    Ok(Delivery {
        sequence: text(&item, "sk").and_then(|sk| sk.parse().ok()).ok_or_else(corrupt)?,
        event: text(&item, "e").and_then(|id| id.parse().ok()).ok_or_else(corrupt)?,
        kind: text(&item, "k").and_then(|kind| kind.parse().ok()).ok_or_else(corrupt)?,
        at_ms: number(&item, "at").unwrap_or(0),
        body,
        signature: text(&item, "sg"),
        progress: DeliveryProgress::parse(&text(&item, "st").unwrap_or_default()),
        attempts: number(&item, "n").unwrap_or(0),
        last: read_attempt(&item),
    })
}
