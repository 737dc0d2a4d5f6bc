//! Queues: creating, finding and describing them.

use std::collections::BTreeMap;

use domain::{Clock, Entropy};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::attributes::{self, QueueBehaviour};
use super::bells::Bells;
use super::disturbance::Disturbance;
use super::error::SqsError;
use super::wire::{
    CreateQueue, GetAttributes, ListQueues, MoveMessages, Named, OnQueue, QueueName, SetAttributes,
};

/// A queue, without its messages.
#[derive(Debug, Clone)]
pub(super) struct StoredQueue {
    pub(super) id: i64,
    pub(super) behaviour: QueueBehaviour,
    /// The attributes it was given.
    given: BTreeMap<String, String>,
    created_at: i64,
    modified_at: i64,
}

impl StoredQueue {
    /// All queues by name.
    pub(super) fn load_all(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Self>> {
        let mut statement =
            connection.prepare("SELECT id, name, attributes, created_at, modified_at FROM queues")?;
        let rows = statement.query_map([], |row| {
            let given: BTreeMap<String, String> =
                serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
            // What was stored was valid when it was set.
            let behaviour = QueueBehaviour::read(&given)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            let (created_at, modified_at) = (row.get(3)?, row.get(4)?);
            Ok((row.get(1)?, Self { id: row.get(0)?, behaviour, given, created_at, modified_at }))
        })?;
        rows.collect()
    }
}

/// The queues and the connection that holds them.
#[derive(Debug)]
pub(super) struct QueueStore {
    pub(super) connection: Connection,
    pub(super) by_name: BTreeMap<String, StoredQueue>,
    pub(super) clock: Clock,
    pub(super) disturbance: Disturbance,
    pub(super) ids: Entropy,
    pub(super) bells: Bells,
    /// Queues whose receivers should look again once the messages are durable.
    pub(super) changed: Vec<QueueName>,
}

impl QueueStore {
    pub(super) fn new(
        connection: Connection,
        clock: Clock,
        disturbance: Disturbance,
        ids: Entropy,
        bells: Bells,
    ) -> rusqlite::Result<Self> {
        let by_name = StoredQueue::load_all(&connection)?;
        Ok(Self { connection, by_name, clock, disturbance, ids, bells, changed: Vec::new() })
    }

    /// The queue a request names.
    pub(super) fn queue(&self, name: &QueueName) -> Result<&StoredQueue, SqsError> {
        self.by_name.get(&name.0).ok_or_else(SqsError::no_queue)
    }

    /// Creates a queue, or finds it when it exists with these attributes.
    pub(super) fn create_queue(&mut self, request: CreateQueue, host: &str) -> Result<Value, SqsError> {
        let behaviour = QueueBehaviour::read(&request.attributes)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if request.name.is_empty() || request.name.len() > 80 || !request.name.chars().all(allowed) {
            return Err(SqsError::parameter(
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        let answer = json!({ "QueueUrl": attributes::url(host, &request.name) });
        if let Some(queue) = self.by_name.get(&request.name) {
            let same = request.attributes.iter().all(|(name, value)| queue.given.get(name) == Some(value));
            return if same { Ok(answer) } else { Err(SqsError::queue_exists()) };
        }
        let now = self.clock.now_ms();
        self.connection.execute(
            "INSERT INTO queues (name, attributes, created_at, modified_at) VALUES (?1, ?2, ?3, ?3)",
            params![request.name, json!(request.attributes).to_string(), now],
        )?;
        let id = self.connection.last_insert_rowid();
        let queue =
            StoredQueue { id, behaviour, given: request.attributes, created_at: now, modified_at: now };
        self.by_name.insert(request.name, queue);
        Ok(answer)
    }

    pub(super) fn queue_url(&self, request: &Named, host: &str) -> Result<Value, SqsError> {
        self.queue(&QueueName(request.name.clone()))?;
        Ok(json!({ "QueueUrl": attributes::url(host, &request.name) }))
    }

    pub(super) fn list_queues(&self, request: &ListQueues, host: &str) -> Value {
        let names = self.by_name.keys().filter(|name| name.starts_with(&request.prefix));
        let urls: Vec<_> = names.map(|name| attributes::url(host, name)).collect();
        json!({ "QueueUrls": urls })
    }

    pub(super) fn delete_queue(&mut self, request: &OnQueue) -> Result<Value, SqsError> {
        self.purge_queue(request)?;
        let id = self.queue(&request.queue)?.id;
        self.connection.execute("DELETE FROM queues WHERE id = ?1", [id])?;
        self.by_name.remove(&request.queue.0);
        Ok(json!({}))
    }

    pub(super) fn purge_queue(&self, request: &OnQueue) -> Result<Value, SqsError> {
        let queue = self.queue(&request.queue)?;
        self.connection.execute("DELETE FROM messages WHERE queue = ?1", [queue.id])?;
        Ok(json!({}))
    }

    pub(super) fn attributes(&self, request: &GetAttributes) -> Result<Value, SqsError> {
        let queue = self.queue(&request.queue)?;
        let mut all = attributes::defaults();
        all.extend(queue.given.clone());
        let (visible, in_flight, delayed): (i64, i64, i64) = self.connection.query_row(
            "SELECT COUNT(*) FILTER (WHERE visible_at <= ?2),
                    COUNT(*) FILTER (WHERE visible_at > ?2 AND receipt IS NOT NULL),
                    COUNT(*) FILTER (WHERE visible_at > ?2 AND receipt IS NULL)
             FROM messages WHERE queue = ?1",
            params![queue.id, self.clock.now_ms()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let mut add = |name: &str, value: String| all.insert(name.to_owned(), value);
        add("QueueArn", attributes::arn(&request.queue.0));
        add("ApproximateNumberOfMessages", visible.to_string());
        add("ApproximateNumberOfMessagesNotVisible", in_flight.to_string());
        add("ApproximateNumberOfMessagesDelayed", delayed.to_string());
        add("CreatedTimestamp", (queue.created_at / 1_000).to_string());
        add("LastModifiedTimestamp", (queue.modified_at / 1_000).to_string());
        if !request.names.iter().any(|name| name == "All") {
            all.retain(|name, _| request.names.contains(name));
        }
        Ok(json!({ "Attributes": all }))
    }

    pub(super) fn set_attributes(&mut self, request: SetAttributes) -> Result<Value, SqsError> {
        let mut queue = self.queue(&request.queue)?.clone();
        queue.given.extend(request.attributes);
        queue.behaviour = QueueBehaviour::read(&queue.given)?;
        queue.modified_at = self.clock.now_ms();
        self.connection.execute(
            "UPDATE queues SET attributes = ?2, modified_at = ?3 WHERE id = ?1",
            params![queue.id, json!(queue.given).to_string(), queue.modified_at],
        )?;
        self.by_name.insert(request.queue.0.clone(), queue);
        self.changed.push(request.queue);
        Ok(json!({}))
    }

    /// Moves the visible messages of a dead-letter queue, all at once: to the
    /// destination, or each to the queue it came from.
    pub(super) fn move_messages(&mut self, request: &MoveMessages) -> Result<Value, SqsError> {
        let source = attributes::name_in(&request.source);
        let from = self.by_name.get(source).ok_or_else(SqsError::no_resource)?.id;
        let destinations: Vec<String> = match &request.destination {
            Some(arn) => vec![attributes::name_in(arn).to_owned()],
            None => self.by_name.keys().filter(|name| *name != source).cloned().collect(),
        };
        let now = self.clock.now_ms();
        for name in destinations {
            let to = self.by_name.get(&name).ok_or_else(SqsError::no_resource)?.id;
            let origin = request.destination.is_none().then_some(&name);
            let moved = self.connection.execute(
                "UPDATE messages SET queue = ?2, visible_at = ?3, receipt = NULL, receive_count = 0,
                    dead_letter_source = NULL
                 WHERE queue = ?1 AND visible_at <= ?3 AND (?4 IS NULL OR dead_letter_source = ?4)",
                params![from, to, now, origin],
            )?;
            self.changed.extend((0..moved).map(|_| QueueName(name.clone())));
        }
        Ok(json!({ "TaskHandle": format!("{source}-{now}") }))
    }
}
