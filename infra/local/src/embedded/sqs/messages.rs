//! Messages: sending, deleting and hiding them.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use super::attributes::{LARGEST, LONGEST_DELAY, LONGEST_VISIBILITY};
use super::digest;
use super::error::SqsError;
use super::queues::QueueStore;
use super::wire::{Batch, DeleteEntry, NewMessage, QueueName, Send, SendEntry, VisibilityEntry};

/// The most entries of a batch.
const MOST_ENTRIES: usize = 10;

/// What a receipt handle stands for: one receive of one stored message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) row: i64,
    pub(super) secret: i64,
}

impl Receipt {
    pub(super) fn handle(self) -> String {
        format!("{:x}-{:016x}", self.row, self.secret.cast_unsigned())
    }

    fn read(handle: &str) -> Result<Self, SqsError> {
        let parts = handle.split_once('-').and_then(|(row, secret)| {
            let row = i64::from_str_radix(row, 16).ok()?;
            Some(Self { row, secret: u64::from_str_radix(secret, 16).ok()?.cast_signed() })
        });
        parts.ok_or_else(|| SqsError::receipt(handle))
    }
}

impl QueueStore {
    pub(super) fn send(&mut self, request: &Send) -> Result<Value, SqsError> {
        self.queue(&request.queue)?;
        check(&request.message)?;
        self.store(&request.queue, &request.message)
    }

    pub(super) fn send_batch(&mut self, batch: &Batch<SendEntry>) -> Result<Value, SqsError> {
        self.queue(&batch.queue)?;
        check_entries(batch.entries.iter().map(|entry| &entry.id))?;
        let size = batch.entries.iter().map(|entry| size(&entry.message)).sum();
        if size > LARGEST {
            return Err(SqsError::batch_too_long(LARGEST, size));
        }
        collect(batch.entries.iter().map(|entry| {
            let sent = check(&entry.message).and_then(|()| self.store(&batch.queue, &entry.message));
            (&entry.id, sent)
        }))
    }

    /// Stores a message that was checked, twice where chaos wants it.
    fn store(&mut self, queue: &QueueName, message: &NewMessage) -> Result<Value, SqsError> {
        let now = self.clock.now_ms();
        let message_id = uuid(self.ids.bytes());
        let target = self.queue(queue)?;
        let delay = message.delay_seconds.map_or(target.behaviour.delay, |seconds| seconds * 1_000);
        let attributes = (!message.attributes.is_empty()).then(|| json!(message.attributes).to_string());
        let visible_at = now + delay + self.disturbance.hold();
        let copies = [Some(visible_at), self.disturbance.duplicate_after().map(|later| visible_at + later)];
        for visible_at in copies.into_iter().flatten() {
            self.connection
                .prepare_cached(
                    "INSERT INTO messages (queue, message_id, body, attributes, sent_at, visible_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![target.id, message_id, message.body, attributes, now, visible_at])?;
        }
        let mut answer =
            json!({ "MessageId": message_id, "MD5OfMessageBody": digest::of_body(&message.body) });
        if attributes.is_some() {
            answer["MD5OfMessageAttributes"] = digest::of_attributes(&message.attributes).into();
        }
        self.changed.push(queue.clone());
        Ok(answer)
    }

    /// Deletes a message by its latest receipt; an older one, or one whose
    /// message is gone, succeeds without effect.
    pub(super) fn delete(&self, queue: &QueueName, handle: &str) -> Result<Value, SqsError> {
        let receipt = Receipt::read(handle)?;
        let queue = self.queue(queue)?;
        self.connection
            .prepare_cached("DELETE FROM messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3")?
            .execute(params![receipt.row, queue.id, receipt.secret])?;
        Ok(json!({}))
    }

    pub(super) fn delete_batch(&self, batch: &Batch<DeleteEntry>) -> Result<Value, SqsError> {
        self.queue(&batch.queue)?;
        check_entries(batch.entries.iter().map(|entry| &entry.id))?;
        collect(batch.entries.iter().map(|entry| (&entry.id, self.delete(&batch.queue, &entry.receipt))))
    }

    pub(super) fn change_visibility(
        &mut self,
        queue: &QueueName,
        handle: &str,
        seconds: i64,
    ) -> Result<Value, SqsError> {
        let receipt = Receipt::read(handle)?;
        if !(0..=LONGEST_VISIBILITY).contains(&seconds) {
            return Err(SqsError::parameter(format!(
                "Value {seconds} for parameter VisibilityTimeout is invalid."
            )));
        }
        let id = self.queue(queue)?.id;
        let now = self.clock.now_ms();
        let visible_at: Option<i64> = self
            .connection
            .prepare_cached("SELECT visible_at FROM messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3")?
            .query_row(params![receipt.row, id, receipt.secret], |row| row.get(0))
            .optional()?;
        match visible_at {
            None => Err(SqsError::parameter(format!(
                "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or \
                 is not available for visibility timeout change."
            ))),
            Some(at) if at <= now => Err(SqsError::not_in_flight()),
            Some(_) => {
                self.connection
                    .prepare_cached("UPDATE messages SET visible_at = ?2 WHERE id = ?1")?
                    .execute(params![receipt.row, now + seconds * 1_000])?;
                self.changed.push(queue.clone());
                Ok(json!({}))
            }
        }
    }

    pub(super) fn change_visibility_batch(
        &mut self,
        batch: &Batch<VisibilityEntry>,
    ) -> Result<Value, SqsError> {
        self.queue(&batch.queue)?;
        check_entries(batch.entries.iter().map(|entry| &entry.id))?;
        collect(
            batch.entries.iter().map(|entry| {
                (&entry.id, self.change_visibility(&batch.queue, &entry.receipt, entry.seconds))
            }),
        )
    }
}

fn check(message: &NewMessage) -> Result<(), SqsError> {
    if message.body.is_empty() {
        return Err(SqsError::missing("MessageBody"));
    }
    if size(message) > LARGEST {
        return Err(SqsError::parameter(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {LARGEST} bytes."
        )));
    }
    match message.delay_seconds {
        Some(seconds) if !(0..=LONGEST_DELAY).contains(&seconds) => {
            Err(SqsError::parameter(format!("Value {seconds} for parameter DelaySeconds is invalid.")))
        }
        _ => Ok(()),
    }
}

fn size(message: &NewMessage) -> usize {
    let attributes = message.attributes.iter().map(|(name, value)| name.len() + value.len());
    message.body.len() + attributes.sum::<usize>()
}

fn check_entries<'a>(ids: impl ExactSizeIterator<Item = &'a String>) -> Result<(), SqsError> {
    let count = ids.len();
    if count == 0 {
        return Err(SqsError::empty_batch());
    }
    if count > MOST_ENTRIES {
        return Err(SqsError::too_many_entries(count));
    }
    if ids.collect::<BTreeSet<_>>().len() < count {
        return Err(SqsError::entry_ids());
    }
    Ok(())
}

/// The answer to a batch: entries that succeeded and entries that were refused.
fn collect<'a>(
    entries: impl Iterator<Item = (&'a String, Result<Value, SqsError>)>,
) -> Result<Value, SqsError> {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in entries {
        match result {
            Ok(mut entry) => {
                entry["Id"] = id.as_str().into();
                successful.push(entry);
            }
            Err(error) if error.is_fault() => return Err(error),
            Err(error) => failed.push(json!({
                "Id": id, "SenderFault": true, "Code": error.code, "Message": error.message,
            })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// `bytes` in the form of a random UUID, as SQS writes message ids.
fn uuid(bytes: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
