//! What was accepted: the newest messages with their bodies, and figures about all of them.
//!
//! Older messages are kept as hashes only, so that a million of them fit.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;

use super::{
    lifecycle::{Message, Status},
    limits::SlidingSecond,
};
use crate::graph::hash;

/// How many messages keep their body.
const KEPT_BODIES: usize = 20_000;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    newest: VecDeque<Record>,
    recipients: HashSet<u64>,
    callbacks: HashSet<u64>,
    contents: HashSet<u64>,
    second: SlidingSecond,
    numbers: HashMap<String, NumberFigures>,
    accepted: u64,
    duplicates: u64,
    repeated: u64,
    calls: u64,
    errors: BTreeMap<String, u64>,
    first_accepted_ms: Option<u64>,
    last_accepted_ms: Option<u64>,
}

#[derive(Debug, Default)]
struct NumberFigures {
    accepted: u64,
    second: SlidingSecond,
}

#[derive(Debug)]
struct Record {
    message: Arc<Message>,
    body: Box<[u8]>,
    /// Acknowledged steps of the plan with the moment of the acknowledgement.
    acknowledged: Vec<(u8, u64)>,
}

impl Ledger {
    pub(crate) fn record(&mut self, message: Arc<Message>, content: u64, body: &[u8]) {
        let now_ms = message.accepted_ms;
        self.accepted += 1;
        self.first_accepted_ms.get_or_insert(now_ms);
        self.last_accepted_ms = Some(now_ms);
        self.recipients.insert(hash::of(&[&message.to]));
        let callback = message.callback.as_deref();
        if callback.is_some_and(|data| !self.callbacks.insert(hash::of(&[data]))) {
            self.duplicates += 1;
        }
        if !self.contents.insert(content) {
            self.repeated += 1;
        }
        self.second.record(now_ms);
        let figures = self.numbers.entry(message.number.clone()).or_default();
        figures.accepted += 1;
        figures.second.record(now_ms);
        if self.newest.len() == KEPT_BODIES {
            self.newest.pop_front();
        }
        // A copy: the request's bytes are a part of the connection's whole read buffer.
        let body = body.to_vec().into_boxed_slice();
        self.newest.push_back(Record { message, body, acknowledged: Vec::new() });
    }

    /// Messages the number accepted in the last second.
    pub(crate) fn accepted_in_last_second(&mut self, number: &str, now_ms: u64) -> usize {
        self.numbers.get_mut(number).map_or(0, |figures| figures.second.count(now_ms))
    }

    pub(crate) fn acknowledge(&mut self, seq: u64, step: u8, now_ms: u64) {
        let index = self.newest.binary_search_by_key(&seq, |record| record.message.seq);
        if let Some(record) = index.ok().and_then(|index| self.newest.get_mut(index)) {
            record.acknowledged.push((step, now_ms));
        }
    }

    pub(crate) fn count_call(&mut self) {
        self.calls += 1;
    }

    pub(crate) fn count_error(&mut self, kind: String) {
        *self.errors.entry(kind).or_default() += 1;
    }

    /// The newest messages, oldest first, optionally to one recipient.
    pub(crate) fn messages(&self, to: Option<&str>, limit: usize) -> Vec<AcceptedMessage> {
        let wanted = self.newest.iter().rev().filter(|record| to.is_none_or(|to| record.message.to == to));
        let mut views: Vec<_> = wanted.take(limit).map(Record::view).collect();
        views.reverse();
        views
    }

    pub(crate) fn stats(&self, webhooks: WebhookStats) -> Stats {
        let per_number = self.numbers.iter().map(|(id, figures)| {
            let figures = NumberStats { accepted: figures.accepted, max_rate_1s: figures.second.highest };
            (id.clone(), figures)
        });
        Stats {
            accepted: self.accepted,
            distinct_recipients: self.recipients.len(),
            duplicates: self.duplicates,
            repeated: self.repeated,
            max_rate_1s: self.second.highest,
            numbers: per_number.collect(),
            errors: self.errors.clone(),
            calls: self.calls,
            webhooks,
            first_accepted_at: self.first_accepted_ms,
            last_accepted_at: self.last_accepted_ms,
        }
    }
}

impl Record {
    fn view(&self) -> AcceptedMessage {
        let message = &self.message;
        let statuses = self.acknowledged.iter().filter_map(|(step, acknowledged_at)| {
            let step = message.plan.get(usize::from(*step))?;
            let code = match step.status {
                Status::Failed(code) => Some(code),
                Status::Sent | Status::Delivered | Status::Read => None,
            };
            let timestamp = message.accepted_ms + u64::from(step.at_ms);
            let status = step.status.name();
            Some(SentStatus { status, code, timestamp, acknowledged_at: *acknowledged_at })
        });
        AcceptedMessage {
            wamid: message.wamid.clone(),
            phone_number_id: message.number.clone(),
            to: message.to.clone(),
            biz_opaque_callback_data: message.callback.clone(),
            accepted_at: message.accepted_ms,
            body: serde_json::from_slice(&self.body).unwrap_or(Value::Null),
            statuses: statuses.collect(),
        }
    }
}

/// An accepted message as `GET /_sim/messages` shows it. Moments are epoch milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptedMessage {
    pub wamid: String,
    pub phone_number_id: String,
    pub to: String,
    pub biz_opaque_callback_data: Option<String>,
    pub accepted_at: u64,
    /// The request as it came.
    pub body: Value,
    /// The statuses whose webhook was acknowledged.
    pub statuses: Vec<SentStatus>,
}

#[derive(Clone, Debug, Serialize)]
pub struct SentStatus {
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    pub timestamp: u64,
    pub acknowledged_at: u64,
}

/// Figures since the start or the last reset. Moments are epoch milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    pub accepted: u64,
    pub distinct_recipients: usize,
    /// Messages whose `biz_opaque_callback_data` was seen before.
    pub duplicates: u64,
    /// Messages with a recipient and a content that were seen together before.
    pub repeated: u64,
    /// The highest number of messages accepted in any sliding second, over all phone numbers.
    pub max_rate_1s: usize,
    pub numbers: BTreeMap<String, NumberStats>,
    /// Error answers by Graph code, `http_<status>` without one, `silence` for no answer.
    pub errors: BTreeMap<String, u64>,
    /// Graph calls of every kind.
    pub calls: u64,
    pub webhooks: WebhookStats,
    pub first_accepted_at: Option<u64>,
    pub last_accepted_at: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct NumberStats {
    pub accepted: u64,
    pub max_rate_1s: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WebhookStats {
    /// Webhooks answered with 2xx.
    pub delivered: u64,
    /// Statuses and other events that are planned or not yet acknowledged.
    pub pending: u64,
    /// Attempts that were not answered with 2xx.
    pub failed_attempts: u64,
    /// Webhooks given up after `retry_for_ms`.
    pub given_up: u64,
}
