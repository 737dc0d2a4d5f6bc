//! The contract of SendAPI.

mod messages;
mod phones;
mod verify;
