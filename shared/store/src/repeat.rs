//! Requests that are sent again: how often, after which wait, and how an item tells that
//! the first of them was applied.

use std::future::Future;
use std::time::Duration;

use crate::item::Item;
use crate::{Error, Result, Store};

/// Tries of what the database throttles, or others are writing.
pub(crate) const TRIES: u32 = 8;

/// The attribute that names the request which wrote an item last.
pub(crate) const MARK: &str = "w";

/// Whether an item was last written by the request with this mark.
pub(crate) fn is_marked(item: &Item, mark: Option<&str>) -> bool {
    mark.is_some() && item.get(MARK).and_then(|value| value.as_s().ok()).map(String::as_str) == mark
}

impl Store {
    /// Names a request, so that its repetition is recognised.
    pub(crate) fn mark(&self) -> String {
        self.entropy().ulid(self.clock().now()).to_string()
    }

    /// Sends a request again while transactions of others are at its item.
    pub(crate) async fn patiently<T, F>(&self, send: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for attempt in 0..TRIES {
            match send().await {
                Err(Error::Contended) => self.back_off(attempt).await,
                done => return done,
            }
        }
        Err(Error::Contended)
    }

    /// Waits before the next try: exponential, with full jitter.
    pub async fn back_off(&self, attempt: u32) {
        let most = 25.0 * f64::from(1 << attempt.min(6));
        tokio::time::sleep(Duration::from_secs_f64(most * self.entropy().fraction() / 1_000.0)).await;
    }
}
