//! Simulators of the providers Staffetta talks to.
//!
//! They speak the provider's real protocol, refuse what the provider refuses, and add a control
//! plane below `/_sim` for what a test needs: faults, inbound messages, settings and figures.
//!
//! | module | provider | started with |
//! |---|---|---|
//! | [`graph`] | Meta's WhatsApp Cloud API | `simulators graph --port N ...` or in process |

pub mod graph;
