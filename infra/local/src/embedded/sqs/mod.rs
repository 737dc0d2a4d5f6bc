//! SQS: durable queues in SQLite, behind the JSON protocol.
//!
//! A message is acknowledged after its commit. Queues are looked up by the last
//! part of a queue's address, so any host in front of it will do.

mod attributes;
mod bells;
mod digest;
mod engine;
mod error;
mod messages;
mod queues;
mod receive;
mod schema;
mod served;
mod wire;

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use domain::{Clock, Entropy};
use serde_json::{Value, json};
use tokio::time::Instant;

use self::bells::Bells;
use self::engine::Call;
use self::error::SqsError;
use self::queues::Queues;
use self::served::Served;
use self::wire::Receive;
use super::group::Group;
use super::reply::Reply;
use super::{Chaos, Error};

/// How deliveries are disturbed.
#[derive(Debug)]
pub(super) struct Delivery {
    chaos: Chaos,
    random: Entropy,
}

impl Delivery {
    pub(super) fn new(chaos: Chaos, seed: u64) -> Self {
        Self { chaos, random: Entropy::seeded(seed) }
    }

    /// Milliseconds that the next delivery is held back.
    fn hold(&self) -> i64 {
        if self.chaos.delay { self.below(2_000) } else { 0 }
    }

    /// Milliseconds between a message and its duplicate; none without chaos.
    fn duplicate_after(&self) -> Option<i64> {
        self.chaos.duplicate.then(|| 1 + self.below(1_000))
    }

    fn below(&self, limit: i64) -> i64 {
        (self.random.fraction() * limit as f64) as i64
    }
}

/// The queue store.
#[derive(Debug)]
pub(super) struct Sqs {
    queues: Group<Queues>,
    bells: Bells,
    clock: Clock,
}

impl Sqs {
    /// Queues in the SQLite file at `path`.
    pub(super) fn open(path: &Path, clock: Clock, delivery: Delivery, ids: Entropy) -> Result<Self, Error> {
        let connection = schema::open(path).map_err(Error::Sqs)?;
        Self::new(connection, clock, delivery, ids)
    }

    /// Queues that live as long as the store.
    pub(super) fn memory(clock: Clock, delivery: Delivery, ids: Entropy) -> Result<Self, Error> {
        let connection = schema::memory().map_err(Error::Sqs)?;
        Self::new(connection, clock, delivery, ids)
    }

    /// A store of its own in memory, with every message of this one.
    pub(super) fn copy(&self, clock: Clock, delivery: Delivery, ids: Entropy) -> Result<Self, Error> {
        let mut connection = schema::memory().map_err(Error::Sqs)?;
        let copied = self.queues.look(|queues| super::copy(&queues.connection, &mut connection));
        copied.map_err(Error::Sqs)?;
        Self::new(connection, clock, delivery, ids)
    }

    fn new(
        connection: rusqlite::Connection,
        clock: Clock,
        delivery: Delivery,
        ids: Entropy,
    ) -> Result<Self, Error> {
        let bells = Bells::default();
        let engine = Queues::new(connection, clock.clone(), delivery, ids, bells.clone());
        Ok(Self { queues: Group::new(engine.map_err(Error::Sqs)?), bells, clock })
    }

    /// Answers the JSON `body` of `action`; `host` is what queue addresses name.
    pub(super) async fn call(&self, action: &str, host: &str, body: Bytes) -> Reply {
        let answer = match wire::parse(action, &body) {
            Ok(wire::Request::Receive(receive)) => self.receive(receive).await,
            Ok(request) => self.submit(request, host).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(body) => Reply::ok(body.to_string().into_bytes()),
            Err(error) => error.into_reply(),
        }
    }

    async fn submit(&self, request: wire::Request, host: &str) -> Result<Value, SqsError> {
        match self.queues.submit(Call { request, host: host.to_owned() }).await {
            Some(Ok(Served::Answer(body))) => Ok(body),
            Some(Ok(Served::Empty(_))) => Ok(json!({})),
            Some(Err(error)) => Err(error),
            None => Err(SqsError::stopped()),
        }
    }

    /// Waits for messages as long as the request or the queue says. New messages
    /// ring the queue's bell; delayed ones are waited for until they are due.
    async fn receive(&self, receive: Receive) -> Result<Value, SqsError> {
        let started = Instant::now();
        let bell = self.bells.of(&receive.queue);
        loop {
            let mut rung = pin!(bell.notified());
            rung.as_mut().enable();
            let call = Call { request: wire::Request::Receive(receive.clone()), host: String::new() };
            let pause = match self.queues.submit(call).await {
                Some(Ok(Served::Answer(body))) => return Ok(body),
                Some(Ok(Served::Empty(pause))) => pause,
                Some(Err(error)) => return Err(error),
                None => return Err(SqsError::stopped()),
            };
            let left = pause.wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(json!({}));
            }
            let due = pause.due_at.map_or(left, |at| until(at, self.clock.now_ms()));
            tokio::select! {
                () = rung => {}
                () = tokio::time::sleep(due.min(left)) => {}
            }
        }
    }
}

/// From `now` to `at`, both in milliseconds since 1970; at least a millisecond.
fn until(at: i64, now: i64) -> Duration {
    Duration::from_millis(u64::try_from(at - now).unwrap_or(0).max(1))
}
