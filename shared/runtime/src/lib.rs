//! What every process of the product sets up: telemetry; and on Lambda the loop that
//! takes events.
//!
//! A function's `main` names what it uses; a setting that is missing ends the
//! process with one line that names it.

mod lambda;
mod metrics;
mod telemetry;

pub use lambda::{Batch, lambda, queue, tick};
pub use telemetry::{Format, init};

/// Why a function ended, or could not start.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
