//! The contract of Sendwo.

mod conversation;
mod delivery_status;
mod send;
mod subscribers;
