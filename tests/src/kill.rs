//! Work that dies in the middle.

use std::future::{Future, poll_fn};
use std::task::Poll;

use crate::World;

impl World {
    /// How often the table and the provider were called so far.
    pub fn steps(&self) -> u64 {
        self.embedded.capacity().requests() + self.simulator.stats().calls
    }

    /// Does `work` until the table and the provider were called `steps` times,
    /// then drops it where it stands, as a killed process would; answers what it
    /// came to when it was done before.
    pub async fn kill_after<T>(&self, steps: u64, work: impl Future<Output = T>) -> Option<T> {
        let end = self.steps() + steps;
        let mut work = Box::pin(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.steps() >= end => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}
