//! Custom channels, on the way out: registering them, and sending over them.

mod registry;
mod send;

pub use registry::{New, list, register, remove};
pub use send::{Outgoing, Sent, send};
