//! SQS: durable queues in SQLite, behind the JSON protocol.
//!
//! A message is acknowledged after its commit. Queues are looked up by the last
//! part of a queue's address, so any host in front of it will do.

mod attributes;
mod bells;
mod digest;
mod disturbance;
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
pub(super) use self::disturbance::Disturbance;
use self::engine::Call;
use self::error::SqsError;
use self::queues::QueueStore;
use self::served::Served;
use self::wire::Receive;
use super::Error;
use super::group::Group;
use super::reply::JsonReply;

/// The queue store.
#[derive(Debug)]
pub(super) struct Sqs {
    queues: Group<QueueStore>,
    bells: Bells,
    clock: Clock,
}

impl Sqs {
    /// Queues in the SQLite file at `path`.
    pub(super) fn open(
        path: &Path,
        clock: Clock,
        disturbance: Disturbance,
        ids: Entropy,
    ) -> Result<Self, Error> {
        let connection = schema::open(path).map_err(Error::Sqs)?;
        Self::new(connection, clock, disturbance, ids)
    }

    /// Queues that live as long as the store.
    pub(super) fn memory(clock: Clock, disturbance: Disturbance, ids: Entropy) -> Result<Self, Error> {
        let connection = schema::memory().map_err(Error::Sqs)?;
        Self::new(connection, clock, disturbance, ids)
    }

    /// A store of its own in memory, with every message of this one.
    pub(super) fn copy(&self, clock: Clock, disturbance: Disturbance, ids: Entropy) -> Result<Self, Error> {
        let mut connection = schema::memory().map_err(Error::Sqs)?;
        let copied = self.queues.look(|queues| super::copy(&queues.connection, &mut connection));
        copied.map_err(Error::Sqs)?;
        Self::new(connection, clock, disturbance, ids)
    }

    fn new(
        connection: rusqlite::Connection,
        clock: Clock,
        disturbance: Disturbance,
        ids: Entropy,
    ) -> Result<Self, Error> {
        let bells = Bells::default();
        let engine = QueueStore::new(connection, clock.clone(), disturbance, ids, bells.clone());
        Ok(Self { queues: Group::new(engine.map_err(Error::Sqs)?), bells, clock })
    }

    /// Answers the JSON `body` of `action`; `host` is what queue addresses name.
    pub(super) async fn call(&self, action: &str, host: &str, body: Bytes) -> JsonReply {
        let answer = match wire::parse(action, &body) {
            Ok(wire::Request::Receive(receive)) => self.receive(receive).await,
            Ok(request) => self.submit(request, host).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(body) => JsonReply::ok(body.to_string().into_bytes()),
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
