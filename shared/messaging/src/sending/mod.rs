//! Sending campaigns: one runner per sender.
//!
//! A runner holds the sender's lease, draws waves across the blocks of the sender's
//! campaigns, claims each wave before the first call, paces the calls in memory, and
//! records their outcomes in batches. Whatever it dies in, its successor finds: rows
//! behind a cursor without an outcome become `unknown`.
//!
//! Nobody waits who is claimed: while a sender is held, what was claimed is given back,
//! and after a pause state and eligibility are asked again.

mod attempt;
mod campaign;
mod compose;
mod draw;
mod health;
mod lease;
mod pacer;
mod payment;
mod runner;

mod settle;
mod wave;

pub use lease::run;
pub use runner::Ended;
