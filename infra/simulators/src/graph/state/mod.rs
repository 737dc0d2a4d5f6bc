//! What a simulator knows: the [`world`] behind one lock, and the shelves it holds.
//!
//! The shelves know neither the world that holds them nor the calls that change them.

pub(crate) mod accounts;
pub(crate) mod catalogs;
pub(crate) mod faults;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod lifecycle;
pub(crate) mod limits;
pub(crate) mod media;
pub(crate) mod outbox;
pub(crate) mod shape;
pub(crate) mod templates;
pub(crate) mod variables;
pub(crate) mod world;
