//! What every call passes: it counts them, and lets the planned ones fail.

use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::plan::{About, Call, Fault, Plan, Shape};
use super::time::Time;

tokio::task_local! {
    static PROCESS: Arc<Process>;
}

/// Product code that runs as a process of its own, as a Lambda function does.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    ended: AtomicBool,
}

impl Process {
    /// The one that this task runs as; none for what the harness asks itself.
    pub(super) fn current() -> Option<Arc<Self>> {
        PROCESS.try_with(Arc::clone).ok()
    }

    /// Ends it: nothing of it goes on.
    pub(super) async fn end<T>(&self) -> T {
        self.ended.store(true, Ordering::SeqCst);
        pending().await
    }
}

/// Runs `work` as a process; `None` when it ended amid its work.
pub(super) async fn run_as<T>(gate: &Gate, name: &'static str, work: impl Future<Output = T>) -> Option<T> {
    let process = Arc::new(Process { name, ended: AtomicBool::new(false) });
    let mut work = Box::pin(PROCESS.scope(process.clone(), work));
    let (mut at_ms, mut polls) = (0, 0);
    poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        let now = gate.time.elapsed_ms();
        polls = if now == at_ms { polls + 1 } else { 0 };
        at_ms = now;
        if polls > MOST_POLLS {
            gate.state().spins.push(name);
            return Poll::Ready(None);
        }
        match (process.ended.load(Ordering::SeqCst), polled) {
            (true, _) => Poll::Ready(None),
            (false, Poll::Ready(done)) => Poll::Ready(Some(done)),
            (false, Poll::Pending) => Poll::Pending,
        }
    })
    .await
}

/// A fault that came about.
#[derive(Debug, Clone)]
pub struct Fired {
    /// The number of the call.
    pub nth: usize,
    /// The call.
    pub call: Call,
    /// What went wrong.
    pub fault: Fault,
}

#[derive(Debug, Default)]
struct State {
    armed: bool,
    plan: Plan,
    calls: Vec<Call>,
    /// Of AWS calls by the SDK's id of them: number, fault, attempts so far.
    known: HashMap<String, (Option<Fault>, u32)>,
    fired: Vec<Fired>,
    /// When AWS was called, in milliseconds of the run.
    at_ms: Vec<i64>,
    events: Vec<Event>,
    posted: Vec<Posted>,
    addressed: Vec<String>,
    /// Who went on and on without waiting.
    spins: Vec<&'static str>,
}

/// An event that a user's endpoint took.
#[derive(Debug, Clone)]
pub struct Event {
    /// `webhook-id`
    pub id: String,
    /// The body.
    pub body: String,
}

/// A message that a custom channel took.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Whom it is for, as the channel knows them.
    pub to: String,
    /// Our id of it.
    pub reference: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Work that is looked at more often while no time passes waits for nothing.
const MOST_POLLS: u32 = 20_000;
/// A run that calls more is a loop, and ends.
const MOST_CALLS: usize = 1_500;

/// Counts the calls of a run and lets the planned ones fail.
#[derive(Debug)]
pub struct Gate {
    /// The clocks of the run.
    pub time: Arc<Time>,
    state: Mutex<State>,
}

impl Gate {
    /// A gate that lets everything pass, and counts nothing yet.
    pub fn new(time: Arc<Time>) -> Arc<Self> {
        Arc::new(Self { time, state: Mutex::default() })
    }

    /// Counts from now on, and lets fail what the plan says.
    pub fn arm(&self, plan: Plan) {
        let mut state = self.state();
        state.plan = plan;
        state.armed = true;
    }

    /// Counts no more, and lets everything pass.
    pub fn disarm(&self) {
        self.state().armed = false;
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The faults so far.
    pub fn fired(&self) -> Vec<Fired> {
        self.state().fired.clone()
    }

    /// The events that endpoints took so far.
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// What custom channels took so far.
    pub fn posts(&self) -> Vec<Posted> {
        self.state().posted.clone()
    }

    /// To whom messages were tried so far, whatever came of it.
    pub fn addressed(&self) -> Vec<String> {
        self.state().addressed.clone()
    }

    /// Who went on and on without waiting for anything.
    pub fn spins(&self) -> Vec<&'static str> {
        self.state().spins.clone()
    }

    /// When AWS was called, in milliseconds of the run.
    pub fn called_at(&self) -> Vec<i64> {
        self.state().at_ms.clone()
    }

    pub(super) fn took(&self, event: Event) {
        self.state().events.push(event);
    }

    pub(super) fn posted(&self, message: Posted) {
        self.state().posted.push(message);
    }

    pub(super) fn addresses(&self, to: &str) {
        self.state().addressed.push(to.to_owned());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there were so many calls that no more is answered.
    pub fn is_spent(&self) -> bool {
        self.state().calls.len() >= MOST_CALLS
    }

    /// Counts a call; answers what goes wrong with it.
    pub(super) fn count(&self, by: &Process, shape: Shape, action: &str, about: About) -> Option<Fault> {
        self.count_by(by.name, shape, action, about)
    }

    /// Counts a call of somebody who is no process of ours.
    pub(super) fn count_by(
        &self,
        by: &'static str,
        shape: Shape,
        action: &str,
        about: About,
    ) -> Option<Fault> {
        let mut state = self.state();
        if !state.armed {
            return None;
        }
        let nth = state.calls.len();
        if nth >= MOST_CALLS {
            return Some(Fault::Before);
        }
        let call = Call { by, shape, action: action.to_owned(), about };
        let fault = state.plan.of(nth, shape);
        if let Some(fault) = fault {
            tracing::warn!(nth, %call, %fault, "a call fails");
            state.fired.push(Fired { nth, call: call.clone(), fault });
        } else {
            tracing::info!(nth, %call, "a call");
        }
        state.calls.push(call);
        fault
    }

    /// Counts one attempt of a call of AWS; answers what goes wrong with it, and how
    /// many attempts there were before.
    pub(super) fn attempt(
        &self,
        invocation: &str,
        count: impl FnOnce() -> Option<Fault>,
    ) -> (Option<Fault>, u32) {
        let now = self.time.elapsed_ms();
        if let Some((fault, before)) = self.state().known.get_mut(invocation) {
            *before += 1;
            return (*fault, *before);
        }
        let fault = count();
        let mut state = self.state();
        state.at_ms.push(now);
        state.known.insert(invocation.to_owned(), (fault, 0));
        (fault, 0)
    }
}
