//! Part of Staffetta.

pub mod embedded;
