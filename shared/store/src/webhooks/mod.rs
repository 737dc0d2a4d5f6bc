//! Endpoints of a tenant, what they were sent, and how they fare.
//!
//! - `HOOK#<t>`: the endpoints. A second item points from an account's only endpoint
//!   of a purpose to it.
//! - `HOOKSTATE#<t>#<endpoint>`: sequence number, health, when it is looked at next.
//! - `EVENT#<t>#<endpoint>#<event>`: who took the event on, and under which number.
//! - `DELIVERY#<t>#<endpoint>#<block>`: deliveries by number, 100 in a block, so that
//!   no partition is hot and the newest are found without an index.
//! - `WAITING#<t>#<endpoint>#<shard>`: the numbers that are not delivered yet.
//! - `ATTEMPT#<t>#<endpoint>#<number>`: attempts of a delivery that failed.
//!
//! A delivery that succeeds at once costs a claim and a row, and its share of the
//! sequence number: at most 3 write units.

mod deliveries;
mod endpoints;
mod since;
mod state;
mod waiting;

pub use deliveries::{Attempt, Body, Claimed, Delivery, DeliveryProgress, EventClaim};
pub use endpoints::{Registered, Registration};
pub use state::EndpointState;
pub use waiting::Waiting;
