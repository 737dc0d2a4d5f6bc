//! Part of Staffetta.
