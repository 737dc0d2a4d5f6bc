//! AWS inside the process: the ordinary SDK clients, answered without a network.
//!
//! [`Embedded`] owns three engines and hands out SDK clients that talk to them.
//! DynamoDB is the `dynoxide` engine on a SQLite file, SQS is a queue store of
//! its own on another, S3 is a folder. What was answered with success survives
//! a killed process: both databases run in WAL mode with `synchronous=NORMAL`.
//! [`serve`] offers the same engines on a TCP port.

mod access;
mod capacity;
mod clients;
mod dynamodb;
mod events;
mod group;
mod intercept;
mod reply;
mod requests;
mod s3;
mod secrets;
mod serve;
mod service;
mod sqs;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use domain::{Clock, Entropy};

pub use access::{Reached, Use, hold};
pub use capacity::{ActionTotals, ConsumedTotals};
pub use clients::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
pub use intercept::{Interceptor, SdkAnswer, SdkAttempt};
pub use requests::Requests;
pub use serve::{http_service, serve};

/// How the queues misbehave on purpose. Real queues do both, only seldom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chaos {
    /// Deliver every message twice, the second copy somewhat later.
    pub duplicate: bool,
    /// Hold every message back for a random time below two seconds.
    pub delay: bool,
}

/// Where the engines keep their files, and how they behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the three engines; created when it is missing.
    pub dir: PathBuf,
    /// How the queues misbehave.
    pub chaos: Chaos,
    /// Seed of the random delays of `chaos`.
    pub seed: u64,
    /// The queues' time: delays, visibility and timestamps.
    pub clock: Clock,
}

impl Options {
    /// Files below `dir`, well-behaved queues, the machine's clock.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), chaos: Chaos::default(), seed: 0, clock: Clock::System }
    }
}

/// Copies a database, page by page.
fn copy(from: &rusqlite::Connection, to: &mut rusqlite::Connection) -> rusqlite::Result<()> {
    let backup = rusqlite::backup::Backup::new(from, to)?;
    backup.step(-1)?;
    Ok(())
}

/// Why the engines could not be opened or served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be created or opened.
    #[error("cannot use the folder of the embedded AWS")]
    Io(#[from] std::io::Error),
    /// The table store is unreadable, or held by another process.
    #[error("cannot open the embedded table store")]
    DynamoDb(#[source] dynoxide::DynoxideError),
    /// The queue store is unreadable, or held by another process.
    #[error("cannot open the embedded queue store")]
    Sqs(#[source] rusqlite::Error),
    /// The object folder is unusable.
    #[error("cannot open the embedded object store: {0}")]
    S3(String),
}

/// The three engines of one process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Embedded {
    engines: Arc<Engines>,
    interceptor: Option<Arc<dyn Interceptor>>,
}

#[derive(Debug)]
struct Engines {
    dynamodb: dynamodb::DynamoDb,
    sqs: sqs::Sqs,
    s3: s3::S3,
    reports: events::Reports,
    secrets: secrets::Secrets,
    requests: requests::Counters,
    uses: access::Uses,
}

impl Embedded {
    /// Opens the engines on the files below `options.dir`. Messages that were
    /// in flight are visible again: the process that held them is gone.
    pub fn open(options: Options) -> Result<Self, Error> {
        std::fs::create_dir_all(&options.dir)?;
        let engines = Engines {
            dynamodb: dynamodb::DynamoDb::open(&options.dir.join("dynamodb.sqlite"))?,
            sqs: sqs::Sqs::open(
                &options.dir.join("sqs.sqlite"),
                options.clock,
                sqs::Disturbance::new(options.chaos, options.seed),
                Entropy::system(),
            )?,
            s3: s3::S3::open(&options.dir.join("s3"))?,
            reports: events::Reports::default(),
            secrets: secrets::Secrets::default(),
            requests: requests::Counters::default(),
            uses: access::Uses::default(),
        };
        Ok(Self { engines: Arc::new(engines), interceptor: None })
    }

    /// Engines that forget everything when the last clone is dropped: tables
    /// and queues in memory, objects in a temporary folder.
    pub fn memory(chaos: Chaos, seed: u64, clock: Clock) -> Result<Self, Error> {
        let engines = Engines {
            dynamodb: dynamodb::DynamoDb::memory()?,
            sqs: sqs::Sqs::memory(clock, sqs::Disturbance::new(chaos, seed), Entropy::seeded(seed))?,
            s3: s3::S3::temporary()?,
            reports: events::Reports::default(),
            secrets: secrets::Secrets::default(),
            requests: requests::Counters::default(),
            uses: access::Uses::default(),
        };
        Ok(Self { engines: Arc::new(engines), interceptor: None })
    }

    /// Engines in memory with the tables and messages of these as they are now, and with
    /// their buckets, empty.
    pub fn copy(&self, chaos: Chaos, seed: u64, clock: Clock) -> Result<Self, Error> {
        let disturbance = sqs::Disturbance::new(chaos, seed);
        let engines = Engines {
            dynamodb: self.engines.dynamodb.copy()?,
            sqs: self.engines.sqs.copy(clock, disturbance, Entropy::seeded(seed))?,
            s3: self.engines.s3.copy()?,
            reports: self.engines.reports.copy(),
            secrets: secrets::Secrets::default(),
            requests: requests::Counters::default(),
            uses: access::Uses::default(),
        };
        Ok(Self { engines: Arc::new(engines), interceptor: None })
    }

    /// The same engines, whose new clients have every request answered by `interceptor`
    /// and repeat what fails without a wait.
    #[must_use]
    pub fn through(&self, interceptor: Arc<dyn Interceptor>) -> Self {
        Self { engines: self.engines.clone(), interceptor: Some(interceptor) }
    }

    /// A client of the embedded DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        clients::dynamodb(self)
    }

    /// A client of the embedded SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        clients::sqs(self)
    }

    /// A client of the embedded S3.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        clients::s3(self)
    }

    /// A client of the embedded S3 that signs for `url`, where [`serve`] offers it
    /// to others.
    pub fn s3_at(&self, url: &str) -> aws_sdk_s3::Client {
        clients::s3_at(self, url)
    }

    /// Lets a bucket report what is put below `prefix` to a queue, as S3 does.
    pub fn report_uploads(&self, bucket: &str, prefix: &str, queue_url: &str) {
        self.engines.reports.set(bucket, prefix, queue_url);
    }

    /// Sets the value of the secret `staffetta`, for functions of other processes.
    pub fn set_secret(&self, value: String) {
        self.engines.secrets.set(value);
    }

    /// What the tables were asked and what it would have cost, since opening
    /// or the last [`reset_capacity`](Self::reset_capacity).
    pub fn capacity(&self) -> ConsumedTotals {
        self.engines.dynamodb.capacity.totals()
    }

    /// What functions that were held to their entries used of the table so far.
    pub fn uses(&self) -> std::collections::BTreeSet<Use> {
        self.engines.uses.so_far()
    }

    /// How many requests each service was sent so far.
    pub fn requests(&self) -> Requests {
        self.engines.requests.read()
    }

    /// Starts the totals of [`capacity`](Self::capacity) at zero.
    pub fn reset_capacity(&self) {
        self.engines.dynamodb.capacity.reset();
    }
}
