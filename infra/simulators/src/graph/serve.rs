//! Serving: calls are answered and webhooks are delivered until the simulator stops.

use std::{
    future::{Future, IntoFuture},
    time::Duration,
};

use axum::Router;
use tokio::net::TcpListener;

use super::{
    connection::{CuttableListener, Cutter},
    errors::Error,
    routes,
    simulator::Simulator,
};

/// How long open calls may take to end once the simulator stops.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

impl Simulator {
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
}
