//! The queue store: requests one after the other on one connection.

use super::super::group::Engine;
use super::error::SqsError;
use super::queues::{QueueStore, StoredQueue};
use super::served::Served;
use super::wire::Request;

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Request,
    /// The host that queue addresses name in the answer.
    pub(super) host: String,
}

impl QueueStore {
    /// Runs `calls` in one transaction. A request is refused before it writes,
    /// so only a failing store undoes anything, and then everything.
    fn transaction(&mut self, calls: Vec<Call>) -> Result<Vec<Result<Served, SqsError>>, SqsError> {
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
        self.by_name = StoredQueue::load_all(&self.connection)?;
        Ok(())
    }

    fn call(&mut self, call: Call) -> Result<Served, SqsError> {
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
        Ok(Served::Answer(answer))
    }
}

impl Engine for QueueStore {
    type Call = Call;
    type Reply = Result<Served, SqsError>;

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
