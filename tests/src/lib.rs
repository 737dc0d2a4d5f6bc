//! The harness of the integration tests: the whole product on embedded stores,
//! with a Graph simulator, a clock that a test can move, and [`World::drain`],
//! which lets the workers work until nothing is left to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong in the harness fails the test"
)]

mod api;
mod audit;
pub mod documented;
pub mod faults;
pub mod gateway;
mod kill;
mod ledger;
mod people;
mod receiver;
mod stub;
mod webhooks;
mod workers;
mod world;

pub use api::{ADMIN_KEY, Answer, Api};
pub use audit::Audit;
pub use people::{named, person, phone, row};
pub use receiver::{Hook, Mood, Received};
pub use stub::{Stub, refused as stub_refused};
pub use webhooks::{sign, text_change, webhook};
pub use world::{APP_SECRET, PHONE_NUMBER_ID, Setup, VERIFY_TOKEN, WABA_ID, World};
