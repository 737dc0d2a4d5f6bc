//! Senders: how a message reaches a provider.

pub mod cloud;
