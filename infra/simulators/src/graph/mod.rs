//! Meta's WhatsApp Cloud API ("Graph").
//!
//! | call | module |
//! |---|---|
//! | `POST /{phone_number_id}/messages` | `messages` |
//! | `POST`, `GET`, `DELETE /{waba_id}/message_templates` | `templates` |
//! | `POST /{phone_number_id}/media`, `GET`, `DELETE /{media_id}`, `POST /{app_id}/uploads` | `media` |
//! | `GET /{waba_id}/product_catalogs`, `GET /{catalog_id}/products` | `catalogs` |
//! | `GET /{waba_id}/phone_numbers`, `GET /{phone_number_id}`, `POST /{waba_id}/subscribed_apps` | `routes` |
//! | webhooks: statuses, inbound messages, orders, templates | `webhooks`, `delivery`, `inbound`, `orders` |
//! | `/_sim/...` | `admin` |
//!
//! What the calls read and change is in `state`, behind one lock.
//!
//! Every call may begin with a version such as `/v23.0`. The rules follow Meta's documentation of
//! the Cloud API: <https://developers.facebook.com/documentation/business-messaging/whatsapp/>.

mod admin;
mod catalogs;
mod clock;
mod codes;
mod config;
mod connection;
mod delivery;
mod errors;
mod fields;
mod hash;
mod ids;
mod inbound;
mod media;
mod messages;
mod orders;
mod paging;
mod receiver;
mod routes;
mod serve;
mod simulator;
mod state;
mod templates;
#[cfg(test)]
mod tests;
mod webhooks;

pub use self::{
    clock::Clock,
    config::{Config, FinalStatus, SimulatorSettings},
    errors::Error,
    inbound::{Inbound, Preference, UserPreferences},
    orders::{InboundOrder, OrderedItem},
    simulator::Simulator,
    state::{
        catalogs::{NewCatalog, NewProduct},
        faults::{ActiveFault, FaultRule, FaultTarget},
        ledger::{AcceptedMessage, NumberStats, SentStatus, Stats, WebhookStats},
    },
};
