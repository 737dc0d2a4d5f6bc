//! What every process of the product sets up: telemetry.

mod telemetry;

pub use telemetry::{Format, init};
