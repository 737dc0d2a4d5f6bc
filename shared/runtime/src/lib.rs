//! What every process of the product sets up: telemetry; and on Lambda the
//! settings, the clients of AWS and the loop that takes events.
//!
//! A function's `main` names what it uses; a setting that is missing ends the
//! process with one line that names it. Clients are built without the default
//! credential chain, and the secret is read when it is first needed, because a
//! cold start pays for both.

mod aws;
mod env;
mod lambda;
mod metrics;
mod secret;
mod telemetry;

pub use env::{Env, Missing};
pub use lambda::{Batch, http, lambda, queue, tick};
pub use telemetry::{Format, init};

/// Why a function ended, or could not start.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
