//! How receivers that wait learn of messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::wire::QueueName;

/// One bell per queue, rung when its receivers should look again.
#[derive(Debug, Clone, Default)]
pub(super) struct Bells(Arc<Mutex<HashMap<QueueName, Arc<Notify>>>>);

impl Bells {
    pub(super) fn of(&self, queue: &QueueName) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match bells.get(queue) {
            Some(bell) => Arc::clone(bell),
            None => Arc::clone(bells.entry(queue.clone()).or_default()),
        }
    }
}
