//! The simulator itself: its state behind one lock, and what its tasks tell each other.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, watch};

use super::{clock::Clock, config::Config, errors::Error, receiver::Receiver, state::world::World};

/// A simulated Graph. Clones share the same state.
#[derive(Clone)]
pub struct Simulator {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) app_secret: String,
    pub(super) verify_token: String,
    clock: Clock,
    world: Mutex<World>,
    pub(super) receiver: Receiver,
    /// Tells the delivery loop that there may be something new.
    pub(super) wake: Notify,
    /// Told whenever a webhook came back.
    pub(super) settled: Notify,
    pub(super) closing: watch::Sender<bool>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Simulator").finish_non_exhaustive()
    }
}

impl Simulator {
    /// A simulator with the state its journal tells about, or without any.
    ///
    /// # Errors
    /// When the journal cannot be read or a setting is not valid.
    pub fn new(config: Config) -> Result<Self, Error> {
        let world = World::open(&config)?;
        let receiver = Receiver::new(config.receiver)?;
        let shared = Shared {
            app_secret: config.app_secret,
            verify_token: config.verify_token,
            clock: config.clock,
            world: Mutex::new(world),
            receiver,
            wake: Notify::new(),
            settled: Notify::new(),
            closing: watch::Sender::new(false),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.shared.clock.now_ms()
    }
}
