//! Custom channels, on the way out: registering them, and sending over them.

mod registry;
mod send;

pub use registry::{NewChannel, list, register, remove};
pub use send::{CustomMessage, CustomSent, send};
