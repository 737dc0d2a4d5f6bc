//! Senders: how a message reaches a provider. What is stored with an account or a
//! channel decides which [`Channel`] sends.

pub mod cloud;
pub mod custom;

use std::future::Future;

use domain::message::{Address, CallbackRef, Content};
use domain::provider::Outcome;

/// A way to send messages.
pub trait Channel {
    /// Sends one message, once. Whatever happens is an [`Outcome`]: it is never sent
    /// again from here.
    fn send(
        &self,
        to: &Address,
        content: &Content,
        reference: CallbackRef,
    ) -> impl Future<Output = Outcome> + Send;
}
