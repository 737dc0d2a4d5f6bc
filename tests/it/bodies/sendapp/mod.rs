//! `/api`, an area per file.

mod accounts;
mod campaigns;
mod catalogs;
mod contact_files;
mod contacts;
mod flows;
mod integrations;
mod messages;
mod senders;
mod webhooks;

pub(super) use accounts::make_agency;
