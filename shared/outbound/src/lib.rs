//! The one way by which the product calls an address that a user gave: webhooks,
//! media, training sources, custom channels.
//!
//! A URL becomes a [`Target`] only past a [`Policy`]: scheme, port, credentials,
//! and the address class of its host in every way a host can be written. The
//! [`Client`] resolves a name once, checks each address of the answer and dials
//! none but those, so a name that changes between check and dial gains nothing.
//! Time, size and redirects are bounded. Triggers nothing, reads no table.

mod address;
mod answer;
mod client;
mod failure;
mod policy;
mod refused;
mod resolver;
mod retry_after;
mod target;

pub use address::{AddressClass, classify};
pub use answer::Answer;
pub use client::{Client, Exchange, Limits, MAX_REDIRECTS};
pub use failure::Failure;
pub use policy::{AllowList, InvalidEntry, Policy};
pub use refused::Refused;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use resolver::{HostTable, Resolver};
pub use retry_after::retry_after;
pub use target::{MAX_URL, PORTS, Target};
