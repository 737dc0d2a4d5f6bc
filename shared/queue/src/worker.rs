//! What a worker gets, and says of it.

use std::marker::PhantomData;

use crate::{Queue, Queues, Unreadable};

/// A message of a queue as a worker gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Names the message in the worker's answer.
    pub id: String,
    /// The job, JSON.
    pub body: String,
}

/// The cause of what a worker does: records of a queue, which are not acknowledged before
/// the work on them ends, and come again if it breaks off. A request has none.
#[derive(Debug, Clone, Copy)]
pub struct Unacknowledged<'a>(PhantomData<&'a [Record]>);

impl<'a> Unacknowledged<'a> {
    /// Of the records that a worker got. Lints refuse it to everybody else.
    pub fn of_worker(_: &'a [Record]) -> Self {
        Self(PhantomData)
    }
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It is done, or has nothing to do.
    Yes,
    /// It must come again.
    Again,
    /// It can never be done, for this reason.
    Never(String),
}

impl From<Unreadable> for Done {
    fn from(reason: Unreadable) -> Self {
        Self::Never(reason.to_string())
    }
}

impl Queues {
    /// Settles a record: answers its id when it must come again. What can never be
    /// done is parked: it neither fails the others nor comes again and again.
    pub async fn settle(&self, queue: Queue, record: &Record, done: Done) -> Option<String> {
        let settled = match done {
            Done::Yes => true,
            Done::Again => false,
            Done::Never(reason) => Box::pin(self.park_record(queue, record, &reason)).await,
        };
        (!settled).then(|| record.id.clone())
    }

    /// Parks a record; whether that succeeded. One that cannot be parked comes again.
    pub async fn park_record(&self, queue: Queue, record: &Record, reason: &str) -> bool {
        let parked = self.park(queue, &record.body, reason).await;
        match &parked {
            Ok(()) => tracing::error!(queue = queue.as_str(), id = record.id, reason, "a job was parked"),
            Err(error) => {
                tracing::error!(queue = queue.as_str(), code = error.code, "a job could not be parked");
            }
        }
        parked.is_ok()
    }
}
