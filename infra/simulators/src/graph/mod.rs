//! Meta's WhatsApp Cloud API ("Graph").
//!
//! | call | module |
//! |---|---|
//! | `POST /{phone_number_id}/messages` | `messages` |
//! | `POST`, `GET`, `DELETE /{waba_id}/message_templates` | `templates` |
//! | `POST /{phone_number_id}/media`, `GET`, `DELETE /{media_id}`, `POST /{app_id}/uploads` | `media` |
//! | `GET /{waba_id}/phone_numbers`, `GET /{phone_number_id}`, `POST /{waba_id}/subscribed_apps` | `accounts` |
//! | webhooks: statuses, inbound messages, templates | `webhooks`, `delivery`, `inbound` |
//! | `/_sim/...` | `admin` |
//!
//! Every call may begin with a version such as `/v23.0`. The rules follow Meta's documentation of
//! the Cloud API: <https://developers.facebook.com/documentation/business-messaging/whatsapp/>.

mod admin;
mod clock;
mod codes;
mod config;
mod connection;
mod delivery;
mod errors;
mod fields;
mod hash;
mod ids;
mod inbound;
mod media;
mod messages;
mod receiver;
mod routes;
mod state;
mod templates;
#[cfg(test)]
mod tests;
mod webhooks;

use std::{
    fmt,
    future::{Future, IntoFuture},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};

pub use self::{
    clock::Clock,
    config::{Config, FinalStatus, Settings},
    errors::Error,
    inbound::{Inbound, Preference, UserPreferences},
    state::{
        faults::{ActiveFault, FaultRule, Target},
        ledger::{AcceptedMessage, NumberStats, SentStatus, Stats, WebhookStats},
    },
};
use self::{
    connection::{CuttableListener, Cutter},
    receiver::Receiver,
    state::world::World,
};

/// How long open calls may take to end once the simulator stops.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// A simulated Graph. Clones share the same state.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    app_secret: String,
    verify_token: String,
    clock: Clock,
    world: Mutex<World>,
    receiver: Receiver,
    /// Tells the delivery loop that there may be something new.
    wake: Notify,
    /// Told whenever a webhook came back.
    settled: Notify,
    closing: watch::Sender<bool>,
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

    /// The protocol and the control plane. Connections are cut only below [`Simulator::serve`].
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Answers calls and delivers webhooks until `shutdown` completes.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve<S>(self, listener: TcpListener, shutdown: S) -> Result<(), Error>
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let router = self.router().into_make_service_with_connect_info::<Cutter>();
        let closing = self.clone();
        let stop = async move {
            shutdown.await;
            closing.shared.closing.send_replace(true);
        };
        let server = axum::serve(CuttableListener(listener), router).with_graceful_shutdown(stop);
        let mut closing = self.shared.closing.subscribe();
        let overdue = async {
            let closed = closing.wait_for(|closing| *closing).await;
            drop(closed);
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        };
        tokio::select! {
            served = server.into_future() => served.map_err(Error::Listener),
            () = self.run_webhooks() => Ok(()),
            () = overdue => Ok(()),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        self.shared.clock.now_ms()
    }
}
