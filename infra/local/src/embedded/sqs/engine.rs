//! The queue store: requests one after the other on one connection.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Clock, Entropy};
use rusqlite::Connection;
use serde_json::Value;

use super::super::group::Engine;
use super::Delivery;
use super::error::SqsError;
use super::queues::{Bells, Queue};
use super::wire::{QueueName, Request};

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Request,
    /// The host that queue addresses name in the answer.
    pub(super) host: String,
}

/// What became of a request that was not refused.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The JSON answer.
    Answer(Value),
    /// No message is visible.
    Empty(Pause),
}

/// How long an empty receive may go on.
#[derive(Debug)]
pub(super) struct Pause {
    /// The longest wait of the request or its queue.
    pub(super) wait: Duration,
    /// When the next message becomes visible, in milliseconds since 1970.
    pub(super) due_at: Option<i64>,
}

/// The queues and the connection that holds them.
#[derive(Debug)]
pub(super) struct Queues {
    pub(super) connection: Connection,
    pub(super) by_name: BTreeMap<String, Queue>,
    pub(super) clock: Clock,
    pub(super) delivery: Delivery,
    pub(super) ids: Entropy,
    bells: Bells,
    /// Queues whose receivers should look again once the messages are durable.
    pub(super) changed: Vec<QueueName>,
}

impl Queues {
    pub(super) fn new(
        connection: Connection,
        clock: Clock,
        delivery: Delivery,
        ids: Entropy,
        bells: Bells,
    ) -> rusqlite::Result<Self> {
        let by_name = Queue::load_all(&connection)?;
        Ok(Self { connection, by_name, clock, delivery, ids, bells, changed: Vec::new() })
    }

    /// The queue a request names.
    pub(super) fn queue(&self, name: &QueueName) -> Result<&Queue, SqsError> {
        self.by_name.get(&name.0).ok_or_else(SqsError::no_queue)
    }

    /// Runs `calls` in one transaction. A request is refused before it writes,
    /// so only a failing store undoes anything, and then everything.
    fn transaction(&mut self, calls: Vec<Call>) -> Result<Vec<Result<Outcome, SqsError>>, SqsError> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let reply = self.call(call);
            match reply {
                Err(error) if error.is_fault() => return Err(error),
                reply => replies.push(reply),
            }
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(replies)
    }

    fn undo(&mut self) -> Result<(), SqsError> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.by_name = Queue::load_all(&self.connection)?;
        Ok(())
    }

    fn call(&mut self, call: Call) -> Result<Outcome, SqsError> {
        let answer = match call.request {
            Request::Receive(request) => return self.receive(&request),
            Request::CreateQueue(request) => self.create_queue(request, &call.host)?,
            Request::GetQueueUrl(request) => self.queue_url(&request, &call.host)?,
            Request::ListQueues(request) => self.list_queues(&request, &call.host),
            Request::DeleteQueue(request) => self.delete_queue(&request)?,
            Request::PurgeQueue(request) => self.purge_queue(&request)?,
            Request::GetAttributes(request) => self.attributes(&request)?,
            Request::SetAttributes(request) => self.set_attributes(request)?,
            Request::Send(request) => self.send(&request)?,
            Request::SendBatch(request) => self.send_batch(&request)?,
            Request::Delete(request) => self.delete(&request.queue, &request.receipt)?,
            Request::DeleteBatch(request) => self.delete_batch(&request)?,
            Request::ChangeVisibility(request) => {
                self.change_visibility(&request.queue, &request.receipt, request.seconds)?
            }
            Request::ChangeVisibilityBatch(request) => self.change_visibility_batch(&request)?,
            Request::MoveMessages(request) => self.move_messages(&request)?,
        };
        Ok(Outcome::Answer(answer))
    }
}

impl Engine for Queues {
    type Call = Call;
    type Reply = Result<Outcome, SqsError>;

    fn run(&mut self, calls: Vec<Call>) -> Vec<Self::Reply> {
        let count = calls.len();
        self.changed.clear();
        match self.transaction(calls) {
            Ok(replies) => {
                for queue in self.changed.drain(..) {
                    self.bells.of(&queue).notify_one();
                }
                replies
            }
            Err(error) => {
                let error = self.undo().err().unwrap_or(error);
                (0..count).map(|_| Err(error.clone())).collect()
            }
        }
    }
}
