//! Sending campaigns: one runner per number.
//!
//! A runner holds the number's lease, draws waves from the blocks of the number's
//! campaigns in turn, claims each wave before the first call, paces the calls in
//! memory, and records their outcomes in batches. Whatever it dies in, its
//! successor finds: rows behind a cursor without an outcome become `unknown`.

mod attempt;
mod compose;
mod flight;
mod lane;
mod pacer;
mod recovery;
mod runner;
mod upkeep;

pub use runner::{Ended, run};
