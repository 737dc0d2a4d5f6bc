//! Requests that arrive together run together, inside one transaction.
//!
//! An engine is single-threaded. Instead of a thread of its own, whichever
//! waiting task finds it free runs everything that has queued up, commits once,
//! and answers all of it. A lone request runs at once on its own task.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use tokio::sync::{Notify, oneshot};

/// The most requests of one transaction: it bounds how long a task is kept busy.
const LARGEST: usize = 16;

/// A store that runs several requests and makes them durable at once.
pub(super) trait Engine {
    /// One request.
    type Call: fmt::Debug;
    /// Its answer.
    type Reply: fmt::Debug;

    /// Runs `calls` in order and returns as many replies, all of them durable.
    fn run(&mut self, calls: Vec<Self::Call>) -> Vec<Self::Reply>;
}

/// An engine and the requests that wait for it.
#[derive(Debug)]
pub(super) struct Group<E: Engine> {
    engine: Mutex<E>,
    waiting: Mutex<VecDeque<Ticket<E>>>,
    turn: Notify,
}

#[derive(Debug)]
struct Ticket<E: Engine> {
    call: E::Call,
    answer: oneshot::Sender<E::Reply>,
}

impl<E: Engine> Group<E> {
    pub(super) fn new(engine: E) -> Self {
        Self { engine: Mutex::new(engine), waiting: Mutex::default(), turn: Notify::new() }
    }

    /// Looks at the engine while it is at rest.
    pub(super) fn look<T>(&self, look: impl FnOnce(&E) -> T) -> T {
        look(&self.engine.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Queues `call` and waits for its reply; `None` only when the engine
    /// stopped half-way through it.
    pub(super) async fn submit(&self, call: E::Call) -> Option<E::Reply> {
        let (answer, mut reply) = oneshot::channel();
        self.waiting().push_back(Ticket { call, answer });
        // Tasks that are ready now queue up first and share the transaction.
        tokio::task::yield_now().await;
        loop {
            self.run_once();
            tokio::select! {
                biased;
                reply = &mut reply => return reply.ok(),
                () = self.turn.notified() => {}
            }
        }
    }

    /// Runs one batch if the engine is free. The wake-up afterwards is for a
    /// request that queued while the engine was taken: its task is waiting.
    fn run_once(&self) {
        if let Some(mut engine) = self.free_engine() {
            let (calls, answers): (Vec<_>, Vec<_>) = {
                let mut waiting = self.waiting();
                let batch = waiting.len().min(LARGEST);
                waiting.drain(..batch).map(|ticket| (ticket.call, ticket.answer)).unzip()
            };
            if !calls.is_empty() {
                for (answer, reply) in answers.into_iter().zip(engine.run(calls)) {
                    // The asking task may be gone; what it asked is done all the same.
                    drop(answer.send(reply));
                }
            }
            drop(engine);
            if !self.waiting().is_empty() {
                self.turn.notify_one();
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Ticket<E>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free_engine(&self) -> Option<MutexGuard<'_, E>> {
        match self.engine.try_lock() {
            Ok(engine) => Some(engine),
            Err(TryLockError::Poisoned(engine)) => Some(engine.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
