//! Receiving messages.

use std::time::Duration;

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::attributes::{self, LONGEST_VISIBILITY, LONGEST_WAIT, Redrive};
use super::digest;
use super::error::SqsError;
use super::messages::Receipt;
use super::queues::{QueueStore, StoredQueue};
use super::served::{Pause, Served};
use super::wire::{MessageAttributes, QueueName, Receive};

/// A message as it is stored.
#[derive(Debug)]
struct StoredMessage {
    row: i64,
    message_id: String,
    body: String,
    attributes: Option<String>,
    sent_at: i64,
    first_received_at: Option<i64>,
    receive_count: i64,
    dead_letter_source: Option<String>,
}

impl StoredMessage {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            row: row.get(0)?,
            message_id: row.get(1)?,
            body: row.get(2)?,
            attributes: row.get(3)?,
            sent_at: row.get(4)?,
            first_received_at: row.get(5)?,
            receive_count: row.get(6)?,
            dead_letter_source: row.get(7)?,
        })
    }
}

/// What a receive asks for, with the queue's settings filled in.
struct ReceiveTerms {
    limit: usize,
    /// Milliseconds.
    visibility: i64,
    wait: Duration,
}

impl ReceiveTerms {
    fn of(request: &Receive, queue: &StoredQueue) -> Result<Self, SqsError> {
        let within = |name: &str, value: Option<i64>, least, most| match value {
            Some(value) if !(least..=most).contains(&value) => {
                Err(SqsError::parameter(format!("Value {value} for parameter {name} is invalid.")))
            }
            value => Ok(value),
        };
        let limit = within("MaxNumberOfMessages", request.limit, 1, 10)?.unwrap_or(1);
        let visibility = within("VisibilityTimeout", request.visibility_seconds, 0, LONGEST_VISIBILITY)?;
        let wait = within("WaitTimeSeconds", request.wait_seconds, 0, LONGEST_WAIT)?;
        Ok(Self {
            limit: usize::try_from(limit).unwrap_or(1),
            visibility: visibility.map_or(queue.behaviour.visibility, |seconds| seconds * 1_000),
            wait: wait.map_or(queue.behaviour.wait, |seconds| Duration::from_secs(seconds.unsigned_abs())),
        })
    }
}

impl QueueStore {
    pub(super) fn receive(&mut self, request: &Receive) -> Result<Served, SqsError> {
        let queue = self.queue(&request.queue)?.clone();
        let wanted = ReceiveTerms::of(request, &queue)?;
        let now = self.clock.now_ms();
        let mut received = Vec::new();
        loop {
            let visible = self.visible(&queue, now, wanted.limit - received.len())?;
            let mut discarded = false;
            for stored in visible {
                match self.deliverable(&queue, &request.queue, stored, now)? {
                    Some(stored) => received.push(self.hide(stored, now, wanted.visibility, request)?),
                    None => discarded = true,
                }
            }
            // With a timeout of zero, looking again would find the same ones.
            if !discarded || received.len() == wanted.limit || wanted.visibility == 0 {
                break;
            }
        }
        if received.is_empty() {
            return Ok(Served::Empty(Pause { wait: wanted.wait, due_at: self.next_due(&queue, now)? }));
        }
        // Another receiver may find more, or wait for these to come back.
        self.changed.push(request.queue.clone());
        Ok(Served::Answer(json!({ "Messages": received })))
    }

    /// Visible messages, the longest visible first.
    fn visible(&self, queue: &StoredQueue, now: i64, limit: usize) -> Result<Vec<StoredMessage>, SqsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, message_id, body, attributes, sent_at, first_received_at, receive_count,
                    dead_letter_source
             FROM messages WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at LIMIT ?3",
        )?;
        let rows = statement.query_map(params![queue.id, now, limit], StoredMessage::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The message, unless it is too old or was received too often.
    fn deliverable(
        &mut self,
        queue: &StoredQueue,
        name: &QueueName,
        stored: StoredMessage,
        now: i64,
    ) -> Result<Option<StoredMessage>, SqsError> {
        if stored.sent_at + queue.behaviour.retention < now {
            self.connection.execute("DELETE FROM messages WHERE id = ?1", [stored.row])?;
            return Ok(None);
        }
        let Some(Redrive { target, most_receives }) = &queue.behaviour.redrive else {
            return Ok(Some(stored));
        };
        let Some(target_id) = self.by_name.get(target).map(|target| target.id) else {
            return Ok(Some(stored));
        };
        if stored.receive_count < *most_receives {
            return Ok(Some(stored));
        }
        self.connection.execute(
            "UPDATE messages SET queue = ?2, visible_at = ?3, receipt = NULL, receive_count = 0,
                dead_letter_source = ?4 WHERE id = ?1",
            params![stored.row, target_id, now, name.0],
        )?;
        self.changed.push(QueueName(target.clone()));
        Ok(None)
    }

    /// Hides the message for `visibility` milliseconds and renders it.
    fn hide(
        &self,
        stored: StoredMessage,
        now: i64,
        visibility: i64,
        request: &Receive,
    ) -> Result<Value, SqsError> {
        let receipt = Receipt { row: stored.row, secret: i64::from_be_bytes(self.ids.bytes()) };
        self.connection
            .prepare_cached(
                "UPDATE messages SET visible_at = ?2, receipt = ?3, receive_count = receive_count + 1,
                    first_received_at = COALESCE(first_received_at, ?4) WHERE id = ?1",
            )?
            .execute(params![stored.row, now + visibility, receipt.secret, now])?;
        let mut message = json!({
            "MessageId": stored.message_id,
            "ReceiptHandle": receipt.handle(),
            "MD5OfBody": digest::of_body(&stored.body),
        });
        if let Some(attributes) = system_attributes(&stored, now, request) {
            message["Attributes"] = attributes;
        }
        if let Some((attributes, md5)) = message_attributes(&stored, request) {
            message["MessageAttributes"] = json!(attributes);
            message["MD5OfMessageAttributes"] = md5.into();
        }
        message["Body"] = stored.body.into();
        Ok(message)
    }

    fn next_due(&self, queue: &StoredQueue, now: i64) -> Result<Option<i64>, SqsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT MIN(visible_at) FROM messages WHERE queue = ?1 AND visible_at > ?2")?;
        Ok(statement.query_row(params![queue.id, now], |row| row.get(0))?)
    }
}

fn system_attributes(stored: &StoredMessage, now: i64, request: &Receive) -> Option<Value> {
    let names = || request.attribute_names.iter().chain(&request.system_names);
    let wanted = |name: &str| names().any(|asked| asked == "All" || asked == name);
    let mut attributes = serde_json::Map::new();
    let first = stored.first_received_at.unwrap_or(now);
    for (name, value) in [
        ("ApproximateReceiveCount", (stored.receive_count + 1).to_string()),
        ("ApproximateFirstReceiveTimestamp", first.to_string()),
        ("SentTimestamp", stored.sent_at.to_string()),
        ("SenderId", super::super::clients::ACCESS_KEY_ID.to_owned()),
    ] {
        if wanted(name) {
            attributes.insert(name.to_owned(), value.into());
        }
    }
    if let Some(source) = stored.dead_letter_source.as_deref().filter(|_| wanted("DeadLetterQueueSourceArn"))
    {
        attributes.insert("DeadLetterQueueSourceArn".to_owned(), attributes::arn(source).into());
    }
    (!attributes.is_empty()).then_some(Value::Object(attributes))
}

/// The attributes that were asked for, by name or by the start of it.
fn message_attributes(stored: &StoredMessage, request: &Receive) -> Option<(MessageAttributes, String)> {
    let wanted = |name: &str| {
        request.message_names.iter().any(|asked| match asked.strip_suffix(".*") {
            Some(start) => name.starts_with(start),
            None => asked == "All" || asked == name,
        })
    };
    let mut attributes: MessageAttributes = serde_json::from_str(stored.attributes.as_deref()?).ok()?;
    attributes.retain(|name, _| wanted(name));
    let md5 = digest::of_attributes(&attributes);
    (!attributes.is_empty()).then_some((attributes, md5))
}
