//! The functions of the product as they are deployed: what starts each, what it may
//! reach and how much it may weigh.
//!
//! This is the one place that says so. The templates of `infra`, the alias that builds
//! the functions, the budgets and the tables of `infra/README.md` are written from it
//! ([`render`]; a test compares them, and `STAFFETTA_UPDATE=1` has it write them); the
//! local process takes queues and batches from it; and the embedded table refuses a
//! function what its entry here does not grant.

mod functions;
pub mod render;

pub use functions::*;

use queue::Queue;
use store::Kind;

/// A function: a Lambda on AWS, a router or a worker of the local process.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its crate, its folder below `functions`, and the end of its name on AWS.
    pub name: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// What starts it.
    pub trigger: Trigger,
    /// The kinds of items that it only reads.
    pub reads: &'static [Kind],
    /// The kinds of items that it writes; it may read them, too.
    pub writes: &'static [Kind],
    /// Whether it looks conversations up in their index.
    pub lists_conversations: bool,
    /// What it reaches besides the table and the queues.
    pub clients: &'static [Client],
    /// The queues that it puts jobs into.
    pub feeds: &'static [Queue],
    /// The objects of the bucket that it reaches.
    pub objects: &'static [Objects],
    /// Memory in MB. CPU comes with it; a function needs about 50.
    pub memory_mb: u32,
    /// How long one call may take, in seconds. The gateway gives up after 30.
    pub timeout_s: u32,
    /// What its archive may weigh, in bytes.
    pub zipped_max: u32,
}

/// What starts a function.
#[derive(Debug, Clone, Copy)]
pub enum Trigger {
    /// Requests of the API.
    Http,
    /// Jobs of a queue.
    Jobs(Jobs),
    /// The clock, once a minute.
    EveryMinute,
}

/// How a worker takes jobs.
#[derive(Debug, Clone, Copy)]
pub struct Jobs {
    /// From where.
    pub queue: Queue,
    /// Most jobs of one call.
    pub batch: u32,
    /// How long a call waits for its batch to fill, in seconds.
    pub window_s: u32,
    /// How many calls there may be at one moment.
    pub at_once: AtOnce,
}

/// A bound of concurrency.
#[derive(Debug, Clone, Copy)]
pub enum AtOnce {
    /// None: whoever waits for somebody slow keeps nobody else waiting.
    Unbounded,
    /// So many.
    UpTo(u32),
    /// What a parameter of the template says; so many where it cannot be asked.
    Parameter(&'static str, u32),
}

/// What a function reaches besides the table and the queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// The installation's secret: it opens what is sealed in the table.
    Secret,
    /// Meta's API.
    Graph,
    /// Addresses that users give: endpoints of events and custom channels.
    Outbound,
    /// The bucket, for bodies that are too long for a queue.
    Bucket,
    /// The bucket, for files that users upload or link.
    Files,
    /// One-time schedules.
    Schedules,
}

/// Objects of the bucket, and what may be done with them.
#[derive(Debug, Clone, Copy)]
pub struct Objects {
    /// What their keys begin with, before the slash.
    pub prefix: &'static str,
    /// The actions, in IAM's words without the service.
    pub actions: &'static [&'static str],
}

impl Function {
    /// What a function of the API has unless its entry says otherwise.
    const API: Self = Self {
        name: "",
        about: "",
        trigger: Trigger::Http,
        reads: &[],
        writes: &[],
        lists_conversations: false,
        clients: &[Client::Secret],
        feeds: &[],
        objects: &[],
        memory_mb: 512,
        timeout_s: 29,
        zipped_max: 8_000_000,
    };

    /// What a worker has unless its entry says otherwise.
    const fn worker(jobs: Jobs) -> Self {
        Self { trigger: Trigger::Jobs(jobs), timeout_s: 90, ..Self::API }
    }

    /// The function of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|function| function.name == name)
    }

    /// Whether it answers requests of the API.
    pub fn is_api(&self) -> bool {
        matches!(self.trigger, Trigger::Http)
    }

    /// How it takes jobs, if it does.
    pub fn jobs(&self) -> Option<Jobs> {
        match self.trigger {
            Trigger::Jobs(jobs) => Some(jobs),
            Trigger::Http | Trigger::EveryMinute => None,
        }
    }

    /// Whether it puts jobs into its own queue. Lambda stops such a function after some
    /// rounds, unless it is told that this is meant.
    pub fn feeds_itself(&self) -> bool {
        self.jobs().is_some_and(|jobs| self.feeds.contains(&jobs.queue))
    }

    /// Whether it may read items of a kind.
    pub fn may_read(&self, kind: Kind) -> bool {
        self.reads.contains(&kind) || self.may_write(kind)
    }

    /// Whether it may write items of a kind.
    pub fn may_write(&self, kind: Kind) -> bool {
        self.writes.contains(&kind)
    }

    /// Every kind that it may read, in the order of their names.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds = [self.reads, self.writes].concat();
        kinds.sort_by_key(|kind| kind.as_str());
        kinds
    }

    /// The variables of its environment, beside those that all functions have.
    pub fn environment(&self) -> Vec<&'static str> {
        let mut names = vec!["TABLE_NAME"];
        let uses = |client| self.clients.contains(&client);
        let mut add = |name, is_used: bool| names.extend(is_used.then_some(name));
        add("SECRET_ID", uses(Client::Secret));
        add("META_GRAPH_URL", uses(Client::Graph));
        add("BASE_URL", self.is_api() || uses(Client::Files));
        add("MEDIA_BUCKET", uses(Client::Bucket) || uses(Client::Files));
        add("OUTBOUND_ALLOW", uses(Client::Outbound) || uses(Client::Files));
        for queue in Queue::ALL {
            let parks = self.jobs().is_some_and(|jobs| jobs.queue == queue);
            add(queue.variable(), parks || self.feeds.contains(&queue));
        }
        for name in ["CAMPAIGN_QUEUE_ARN", "SCHEDULE_GROUP", "SCHEDULE_ROLE_ARN"] {
            add(name, uses(Client::Schedules));
        }
        names
    }
}
