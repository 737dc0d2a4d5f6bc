//! The jobs of the queues.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// The version of the jobs' shapes that this build writes. It reads the one before, too:
/// jobs wait for at most 14 days.
const VERSION: u32 = 2;

/// How often a job may follow itself: a month of runs of a minute.
pub const MAX_GENERATION: u32 = 50_000;

/// A job with its version and generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job<T> {
    v: u32,
    /// How many jobs it follows.
    #[serde(default)]
    pub generation: u32,
    /// What to do.
    pub job: T,
}

/// A job that this build cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no job, or one of another shape.
    #[error("the job is malformed")]
    Malformed,
    /// It was written by a newer build.
    #[error("the job has version {0}, which this build does not know")]
    Version(u32),
    /// It followed itself too often.
    #[error("the job has followed itself {0} times")]
    Loop(u32),
}

impl<T> Job<T> {
    /// A job of the current version.
    pub fn new(job: T, generation: u32) -> Self {
        Self { v: VERSION, generation, job }
    }
}

impl<T: Serialize> Job<T> {
    /// As it lies in a queue.
    ///
    /// # Errors
    /// [`Error`] when it cannot be written as JSON.
    pub fn body(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Error { code: "Serialization".to_owned() })
    }
}

impl<T: DeserializeOwned> Job<T> {
    /// Reads a job.
    ///
    /// # Errors
    /// [`Unreadable`], with the reason to park it.
    pub fn parse(body: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Envelope {
            v: u32,
        }
        let envelope: Envelope = serde_json::from_str(body).map_err(|_| Unreadable::Malformed)?;
        let job: Self = match envelope.v {
            VERSION => serde_json::from_str(body),
            1 => serde_json::from_str(body).map(of_version_1).and_then(serde_json::from_value),
            newer => return Err(Unreadable::Version(newer)),
        }
        .map_err(|_| Unreadable::Malformed)?;
        if job.generation > MAX_GENERATION {
            return Err(Unreadable::Loop(job.generation));
        }
        Ok(job)
    }
}

/// A job of version 1 in today's shape: it called what a wake-up is for by Meta's kind of
/// sender, its only member beside the tenant.
fn of_version_1(mut body: Value) -> Value {
    let is_wake = body.pointer("/job/type").is_some_and(|kind| kind == "wake");
    if let Some(Value::Object(job)) = body.get_mut("job").filter(|_| is_wake)
        && let Some(name) = job.keys().find(|name| !matches!(name.as_str(), "type" | "tenant")).cloned()
        && let Some(sender) = job.remove(&name)
    {
        job.insert("sender".to_owned(), sender);
    }
    body
}

/// What the campaign worker does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CampaignJob {
    /// Writes recipients into the ledger, from this block on.
    Plan {
        /// The tenant.
        tenant: String,
        /// The campaign.
        campaign: u64,
        /// The planner's checkpoint that this job continues from.
        checkpoint: u64,
    },
    /// Starts a scheduled campaign, if it still waits for its time.
    Start {
        /// The tenant.
        tenant: String,
        /// The campaign.
        campaign: u64,
    },
    /// Puts recipients back that are to be sent to again, from this block on.
    Again {
        /// The tenant.
        tenant: String,
        /// The campaign.
        campaign: u64,
        /// The order that it carries out.
        order: u64,
        /// The order's checkpoint that this job continues from.
        block: u64,
    },
    /// Gives every recipient of a cancelled campaign an end.
    Cancel {
        /// The tenant.
        tenant: String,
        /// The campaign.
        campaign: u64,
    },
    /// Erases contacts that were deleted from the ledgers of campaigns.
    Erase {
        /// The tenant.
        tenant: String,
        /// The contacts.
        contacts: Vec<u64>,
        /// The last campaign that is done: older ones are left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<u64>,
        /// Planners that read the contacts before may be done by now: the last time.
        #[serde(default)]
        last: bool,
    },
    /// Writes contacts in the form of today, from this block on.
    Renew {
        /// The tenant.
        tenant: String,
        /// The block.
        block: u64,
    },
    /// Lets campaigns go on that waited for credits.
    Fund {
        /// The tenant.
        tenant: String,
        /// The entry of the due index that is done then, in milliseconds since 1970.
        at_ms: i64,
    },
    /// Counts the rows that changed.
    Count {
        /// The tenant.
        tenant: String,
        /// The campaign.
        campaign: u64,
        /// The run that this one follows; 0 is none.
        run: u64,
    },
    /// Makes the file of a report.
    Report {
        /// The tenant.
        tenant: String,
        /// The campaign.
        campaign: u64,
        /// `csv` or `xlsx`.
        format: String,
        /// The id under which the file is made.
        job: String,
        /// The run that this one follows; 0 is none.
        run: u64,
    },
    /// Imports a file of contacts.
    Import {
        /// The tenant.
        tenant: String,
        /// The import.
        id: String,
        /// The leg that it is, counted from 1.
        leg: u64,
    },
    /// Reads a catalog.
    Sync {
        /// The tenant.
        tenant: String,
        /// The catalog.
        catalog: String,
        /// The run that reads it.
        run: String,
        /// The leg that it is, counted from 1.
        leg: u64,
    },
    /// Makes a file of contacts.
    Export {
        /// The tenant.
        tenant: String,
        /// The export.
        id: String,
        /// The leg that it is, counted from 1.
        leg: u64,
    },
}

/// What the send worker does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SendJob {
    /// Sends what waits for a sender.
    Wake {
        /// The tenant.
        tenant: String,
        /// The sender's id.
        sender: String,
    },
}

/// What the inbound worker does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InboundJob {
    /// What Meta posted, as far as it belongs to one account.
    Meta {
        /// The tenant.
        tenant: String,
        /// The account.
        account: u64,
        /// The webhook, JSON: Meta's bytes when all of it belongs to the account.
        body: Text,
        /// Meta's signature of these bytes.
        signature: Option<String>,
    },
    /// What we say by ourselves, once for each cause.
    Answer {
        /// The tenant.
        tenant: String,
        /// The account that answers.
        account: u64,
        /// What was asked: the answer leaves from there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sender: Option<String>,
        /// The provider's id of what is answered.
        cause: String,
        /// What it was about: HELP when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// Who is answered: an address.
        to: String,
    },
    /// Goes on with a contact's way through a flow.
    Run {
        /// The tenant.
        tenant: String,
        /// The contact.
        contact: u64,
        /// The run.
        run: String,
        /// The number of what it does, if that is tried again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effect: Option<u64>,
        /// When it was due, in milliseconds since 1970, if that is why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<i64>,
    },
    /// Lets flows hear a message that was taken in by a request.
    Listen {
        /// The tenant.
        tenant: String,
        /// The account that it came to.
        account: u64,
        /// The message.
        message: String,
    },
    /// Starts the flows that wait for tags which a contact got.
    Tagged {
        /// The tenant.
        tenant: String,
        /// The contact.
        contact: u64,
        /// The tags.
        tags: Vec<String>,
        /// What names that they got them.
        fact: String,
    },
}

/// A text that may be too long for a message of a queue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Text {
    /// The text.
    Inline(String),
    /// A part of an object that holds it.
    Stored {
        /// The object.
        object: String,
        /// Its first byte.
        offset: u64,
        /// How many bytes.
        len: u64,
    },
}

impl Text {
    /// Longest text that is queued, in bytes: escaped as JSON it may be twice as
    /// long, and SQS takes 1 MiB.
    pub const MAX_INLINE: usize = 400_000;
}

/// What people wrote stays out of logs.
impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline(text) => write!(f, "Inline({} bytes)", text.len()),
            Self::Stored { object, len, .. } => write!(f, "Stored({len} bytes of {object})"),
        }
    }
}

impl std::fmt::Debug for InboundJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Meta { tenant, account, body, .. } => {
                let mut shown = f.debug_struct("Meta");
                shown.field("tenant", tenant).field("account", account).field("body", body).finish()
            }
            Self::Answer { tenant, account, .. } => {
                f.debug_struct("Answer").field("tenant", tenant).field("account", account).finish()
            }
            Self::Run { tenant, run, .. } => {
                f.debug_struct("Run").field("tenant", tenant).field("run", run).finish()
            }
            Self::Tagged { tenant, contact, .. } => {
                f.debug_struct("Tagged").field("tenant", tenant).field("contact", contact).finish()
            }
            Self::Listen { tenant, message, .. } => {
                f.debug_struct("Listen").field("tenant", tenant).field("message", message).finish()
            }
        }
    }
}

/// What the webhook worker does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WebhookJob {
    /// Sends an event to an endpoint.
    Deliver {
        /// The tenant.
        tenant: String,
        /// The endpoint.
        endpoint: u64,
        /// The event.
        event: EventMessage,
    },
    /// Sends what waits for an endpoint, if it is time.
    Drain {
        /// The tenant.
        tenant: String,
        /// The endpoint.
        endpoint: u64,
    },
}

impl WebhookJob {
    /// What queues keep apart, so that one endpoint's jobs do not hold up another's.
    pub(crate) fn group(&self) -> String {
        match self {
            Self::Deliver { tenant, endpoint, .. } | Self::Drain { tenant, endpoint } => {
                format!("{tenant}-{endpoint}")
            }
        }
    }
}

/// An event on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMessage {
    /// Its id, made of the fact that it tells.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// What is sent.
    pub body: Text,
    /// The signature that came with a forwarded body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_jobs_of_this_version_are_read() {
        let wake = SendJob::Wake { tenant: "t".into(), sender: "1".into() };
        let body = serde_json::to_string(&Job::new(wake.clone(), 3)).unwrap();
        assert_eq!(Job::<SendJob>::parse(&body).unwrap(), Job::new(wake, 3));
        for (body, want) in [
            ("{", Unreadable::Malformed),
            (r#"{"v":3,"job":{"type":"later"}}"#, Unreadable::Version(3)),
            (r#"{"v":0,"job":{"type":"later"}}"#, Unreadable::Version(0)),
            (r#"{"v":1,"job":{"type":"sing"}}"#, Unreadable::Malformed),
            (
                r#"{"v":2,"generation":60000,"job":{"type":"wake","tenant":"t","sender":"1"}}"#,
                Unreadable::Loop(60_000),
            ),
        ] {
            assert_eq!(Job::<SendJob>::parse(body), Err(want));
        }
    }

    #[test]
    fn jobs_of_the_version_before_are_read() {
        let old = r#"{"v":1,"generation":3,"job":{"type":"wake","tenant":"t","number":"1"}}"#;
        let wake = SendJob::Wake { tenant: "t".into(), sender: "1".into() };
        assert_eq!(Job::<SendJob>::parse(old).unwrap().job, wake);
        let plan = r#"{"v":1,"job":{"type":"plan","tenant":"t","campaign":7,"checkpoint":2}}"#;
        let want = CampaignJob::Plan { tenant: "t".into(), campaign: 7, checkpoint: 2 };
        assert_eq!(Job::<CampaignJob>::parse(plan).unwrap().job, want);
    }
}
