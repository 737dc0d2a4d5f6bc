//! The attributes of a queue.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::super::clients::REGION;
use super::error::SqsError;

/// The account that embedded queues belong to.
const ACCOUNT: &str = "000000000000";
/// The largest message and the largest batch, in bytes.
pub(super) const LARGEST: usize = 1024 * 1024;
/// The longest visibility timeout, in seconds.
pub(super) const LONGEST_VISIBILITY: i64 = 12 * 60 * 60;
/// The longest delay of a message, in seconds.
pub(super) const LONGEST_DELAY: i64 = 15 * 60;
/// The longest poll, in seconds.
pub(super) const LONGEST_WAIT: i64 = 20;

/// How a queue behaves; times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueueBehaviour {
    pub(super) visibility: i64,
    pub(super) delay: i64,
    pub(super) retention: i64,
    pub(super) wait: Duration,
    pub(super) redrive: Option<Redrive>,
}

/// Where a message goes that was received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    /// The dead-letter queue's name.
    pub(super) target: String,
    /// Receives before the message is moved.
    pub(super) most_receives: i64,
}

impl QueueBehaviour {
    /// Reads the attributes a caller may set; the others keep SQS's defaults.
    pub(super) fn read(attributes: &BTreeMap<String, String>) -> Result<Self, SqsError> {
        let mut behaviour = Self {
            visibility: 30_000,
            delay: 0,
            retention: 345_600_000,
            wait: Duration::ZERO,
            redrive: None,
        };
        for (name, value) in attributes {
            let seconds = |least, most| seconds(name, value, least, most);
            match name.as_str() {
                "VisibilityTimeout" => behaviour.visibility = seconds(0, LONGEST_VISIBILITY)? * 1_000,
                "DelaySeconds" => behaviour.delay = seconds(0, LONGEST_DELAY)? * 1_000,
                "MessageRetentionPeriod" => behaviour.retention = seconds(60, 1_209_600)? * 1_000,
                "ReceiveMessageWaitTimeSeconds" => {
                    behaviour.wait = Duration::from_secs(seconds(0, LONGEST_WAIT)?.unsigned_abs());
                }
                "RedrivePolicy" => behaviour.redrive = redrive(value)?,
                // Accepted and reported; nothing here depends on them.
                "MaximumMessageSize"
                | "Policy"
                | "RedriveAllowPolicy"
                | "SqsManagedSseEnabled"
                | "KmsMasterKeyId"
                | "KmsDataKeyReusePeriodSeconds" => {}
                unknown => return Err(SqsError::attribute_name(unknown)),
            }
        }
        Ok(behaviour)
    }
}

/// The attributes that a queue reports without having been given them.
pub(super) fn defaults() -> BTreeMap<String, String> {
    [
        ("DelaySeconds", "0"),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("VisibilityTimeout", "30"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A queue's ARN.
pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The name in a queue's ARN.
pub(super) fn name_in(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, name)| name)
}

/// A queue's address on `host`.
pub(super) fn url(host: &str, name: &str) -> String {
    format!("http://{host}/{ACCOUNT}/{name}")
}

fn seconds(name: &str, value: &str, least: i64, most: i64) -> Result<i64, SqsError> {
    let seconds = value.parse::<i64>().ok();
    seconds.filter(|seconds| (least..=most).contains(seconds)).ok_or_else(|| SqsError::attribute_value(name))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    /// A number, which some callers write as text.
    max_receive_count: Value,
}

/// An empty policy removes the redrive.
fn redrive(policy: &str) -> Result<Option<Redrive>, SqsError> {
    if policy.is_empty() {
        return Ok(None);
    }
    let invalid = || SqsError::attribute_value("RedrivePolicy");
    let policy: RedrivePolicy = serde_json::from_str(policy).map_err(|_| invalid())?;
    let count = &policy.max_receive_count;
    let most_receives = count.as_i64().or_else(|| count.as_str()?.parse().ok());
    let most_receives = most_receives.filter(|count| (1..=1_000).contains(count)).ok_or_else(invalid)?;
    Ok(Some(Redrive { target: name_in(&policy.dead_letter_target_arn).to_owned(), most_receives }))
}
