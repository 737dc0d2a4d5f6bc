//! The one place that knows keys: every item of the table, and how it is read
//! and written.
//!
//! One DynamoDB table with the string keys `pk` and `sk`, one keys-only index
//! `conversation` (`cpk`, `csk`), time to live in `ttl`. A key is
//! `KIND#<tenant>#...`; the tenant is never the whole of it, because one
//! partition takes 1,000 writes per second. Global kinds hold only pointers:
//! `KEY`, `TOKEN`, `PHONEID`, `WABA`, `VERIFY`, `DUE`, `OUTBOX`; and `PLANS`, the installation's own.
//!
//! Preconditions are in the verb: `create` wants absence, `replace` the version
//! that was read, `transition` a state. What does not hold is [`Error::Conflict`].

pub mod addressees;
pub mod agencies;
mod audit;
mod batch;
pub mod campaigns;
pub mod catalogs;
mod channels;
pub mod contacts;
pub mod conversations;
pub mod credits;
pub mod due;
mod error;
pub mod flows;
mod frequency;
pub mod idempotency;
pub mod intake;
mod item;
mod kind;
pub mod labels;
pub mod ledger;
pub mod lists;
pub mod media;
pub mod messages;
pub mod numbers;
pub mod orders;
pub mod outbox;
mod plans;
mod progress;
pub mod rates;
pub mod recounts;
mod repeat;
pub mod reports;
pub mod runner;
pub mod runs;
mod schema;
mod seal;
mod single;
pub mod standing;
pub mod suppression;
pub mod templates;
pub mod tenants;
pub mod transfers;
mod update;
pub mod usage;
pub mod verification;
pub mod webhooks;

pub use error::{Error, Result};
pub use kind::Kind;
pub use seal::Sealer;

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use domain::{Clock, Entropy};
use environment::{Env, Missing};
use sha2::{Digest, Sha256};

use crate::flows::FlowMemory;

/// The table, and what every operation on it needs.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    table: String,
    clock: Clock,
    entropy: Entropy,
    sealer: Sealer,
    flows: Mutex<FlowMemory>,
}

impl Store {
    /// A store on `table`.
    pub fn new(
        client: Client,
        table: impl Into<String>,
        clock: Clock,
        entropy: Entropy,
        sealer: Sealer,
    ) -> Self {
        let (table, flows) = (table.into(), Mutex::default());
        Self(Arc::new(Inner { client, table, clock, entropy, sealer, flows }))
    }

    /// The table of a function: `TABLE_NAME`. What is sealed in it opens with `sealer`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn of(env: &Env, sealer: Sealer) -> std::result::Result<Self, Missing> {
        let client = Client::new(env.aws());
        Ok(Self::new(client, env.required("TABLE_NAME")?, Clock::System, Entropy::system(), sealer))
    }

    /// The table of a function that never looks at what is sealed: `TABLE_NAME`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn without_secrets(env: &Env) -> std::result::Result<Self, Missing> {
        Self::of(env, Sealer::lazy(|| Box::pin(std::future::ready(Err(Error::Sealed))), Entropy::system()))
    }

    /// Where the time comes from.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Where randomness comes from.
    pub fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }

    /// Encrypts and decrypts what must not lie in the table in clear.
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    fn flow_memory(&self) -> &Mutex<FlowMemory> {
        &self.0.flows
    }

    fn client(&self) -> &Client {
        &self.0.client
    }

    fn table(&self) -> &str {
        &self.0.table
    }
}

/// Lower-case hexadecimal SHA-256, for lookups by something that is not stored.
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes.as_ref()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write;
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}
