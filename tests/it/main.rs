//! Integration tests; a module per area.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

mod bodies;
mod campaigns;
mod catalogs;
mod channels;
mod conformance;
mod contact_files;
mod contacts;
mod contract;
mod credits;
mod dmchamp;
mod engine;
mod events;
mod faults;
mod flows;
mod gateway;

mod grants;
mod import;
mod inbound;
mod kills;
mod layers;
mod messages;
mod pages;
mod people;
mod preflight;
mod progress;
mod registered;
mod reports;
mod requests;
mod routes;
mod sendapi;
mod sendapp;
mod senders;
mod sendwo;
mod templates;
mod uploads;
mod webhooks;
