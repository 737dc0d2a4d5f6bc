//! The whole product in one process: every function's routes on one port, the
//! worker loops, the Graph simulator, and AWS embedded ([`embedded`]).
//!
//! Nothing of the product is replaced here: the functions are those that run on
//! Lambda, on the AWS SDK; only the SDK's HTTP client leads into the process.

pub mod demo;
pub mod embedded;
mod process;
mod settings;
mod simulator;
pub mod stores;
pub mod workers;

pub use process::{Apps, run};
pub use settings::{Meta, Settings, WrongSetting};
