//! The contract of SendAPI.

mod messages;
