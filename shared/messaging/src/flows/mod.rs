//! Bot flows at work: what contacts say moves them on, what steps do is done here. No engine of
//! its own: jobs of the inbound worker, which come again until they are done.
//!
//! A step that does something is written down first, with a number of its own (`flows::Run`).
//! Then it is done under that number, and then written down as done, each on the condition that
//! nobody else was faster. So a job that comes twice, late, or after a crash does what is
//! missing, and says nothing twice.

mod carry;
mod content;
mod effects;
mod hear;
mod jobs;

pub(crate) use hear::{Spoken, hear};
pub use jobs::{FlowJob, work_off};
