//! The SendApp contract: every parameter row of the groups that are served has a
//! test that names it.

mod accounts;
mod bad_input;
mod campaigns;
mod channels;
mod contacts;
mod integrations;
mod messages;
mod plans;
mod suppressions;
