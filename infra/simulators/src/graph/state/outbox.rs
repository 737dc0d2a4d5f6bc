//! The queue of webhooks: what is due, what shares a request, what is repeated when.
//!
//! Pure: it is told the time and never waits, so that its tests need no clock and no network.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;

use super::{ledger::WebhookStats, lifecycle::Message};
use crate::graph::config::SimulatorSettings;

/// One webhook request.
#[derive(Debug)]
pub(crate) struct Post {
    id: u64,
    pub(crate) content: Content,
    attempts: u32,
    born_ms: u64,
    /// Counts the resets before it was made.
    generation: u32,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// Statuses of one phone number: messages with the step of their plan.
    Statuses { number: String, steps: Vec<(Arc<Message>, u8)> },
    /// Anything else, as a finished body.
    Hook { id: u64, body: Bytes },
}

impl Content {
    fn events(&self) -> u64 {
        match self {
            Self::Statuses { steps, .. } => steps.len() as u64,
            Self::Hook { .. } => 1,
        }
    }
}

#[derive(Debug)]
struct DueStep {
    due_ms: u64,
    message: Arc<Message>,
    step: u8,
}

#[derive(Debug)]
struct Batch {
    since_ms: u64,
    steps: Vec<(Arc<Message>, u8)>,
}

#[derive(Debug)]
struct Repetition {
    due_ms: u64,
    post: Post,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    steps: BinaryHeap<Reverse<DueStep>>,
    batches: BTreeMap<String, Batch>,
    ready: VecDeque<Post>,
    repetitions: BinaryHeap<Reverse<Repetition>>,
    /// Templates to be announced as approved, by the moment of their approval.
    approvals: BinaryHeap<Reverse<(u64, String)>>,
    in_flight: usize,
    last_id: u64,
    generation: u32,
    figures: WebhookStats,
}

impl Outbox {
    /// Plans the statuses of a message, except the steps whose bit is set in `acknowledged`.
    pub(crate) fn plan(&mut self, message: &Arc<Message>, acknowledged: u32) {
        for (index, planned) in (0u8..32).zip(message.plan.iter()) {
            if acknowledged & (1 << index) != 0 {
                continue;
            }
            let due_ms = message.accepted_ms + u64::from(planned.due_ms);
            self.figures.pending += 1;
            self.steps.push(Reverse(DueStep { due_ms, message: Arc::clone(message), step: index }));
        }
    }

    /// Queues a finished body.
    pub(crate) fn push_hook(&mut self, id: u64, body: Bytes, now_ms: u64) {
        self.figures.pending += 1;
        self.make_ready(Content::Hook { id, body }, now_ms);
    }

    /// Plans the announcement of a template's approval.
    pub(crate) fn plan_approval(&mut self, template: String, due_ms: u64) {
        self.figures.pending += 1;
        self.approvals.push(Reverse((due_ms, template)));
    }

    /// The templates whose approval is due; the caller queues their webhooks.
    pub(crate) fn due_approvals(&mut self, now_ms: u64) -> Vec<String> {
        let mut due = Vec::new();
        while self.approvals.peek().is_some_and(|Reverse((due_ms, _))| *due_ms <= now_ms) {
            self.figures.pending = self.figures.pending.saturating_sub(1);
            due.extend(self.approvals.pop().map(|Reverse((_, template))| template));
        }
        due
    }

    /// The requests to start now; each must come back through `succeeded` or `failed`.
    pub(crate) fn take(&mut self, now_ms: u64, settings: &SimulatorSettings) -> Vec<Post> {
        self.collect_steps(now_ms, settings);
        let mut posts = Vec::new();
        while self.in_flight < settings.webhook_concurrency {
            let repeated =
                self.repetitions.peek().is_some_and(|Reverse(repetition)| repetition.due_ms <= now_ms);
            let next = if repeated {
                self.repetitions.pop().map(|Reverse(repetition)| repetition.post)
            } else {
                self.ready.pop_front()
            };
            let Some(post) = next else { break };
            self.in_flight += 1;
            posts.push(post);
        }
        posts
    }

    /// When `take` has something to do again, unless a request comes back before.
    pub(crate) fn next_due(&self, settings: &SimulatorSettings) -> Option<u64> {
        let step = self.steps.peek().map(|Reverse(step)| step.due_ms);
        let flush = self.batches.values().map(|batch| batch.since_ms + settings.flush_after_ms).min();
        let repetition = self
            .repetitions
            .peek()
            .filter(|_| self.in_flight < settings.webhook_concurrency)
            .map(|Reverse(repetition)| repetition.due_ms);
        let approval = self.approvals.peek().map(|Reverse((due_ms, _))| *due_ms);
        [step, flush, repetition, approval].into_iter().flatten().min()
    }

    /// The receiver answered 2xx.
    pub(crate) fn succeeded(&mut self, post: &Post) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if post.generation != self.generation {
            return;
        }
        self.figures.delivered += 1;
        self.figures.pending = self.figures.pending.saturating_sub(post.content.events());
    }

    /// The receiver refused or did not answer: the same request is repeated later.
    pub(crate) fn failed(&mut self, mut post: Post, now_ms: u64, settings: &SimulatorSettings) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if post.generation != self.generation {
            return;
        }
        self.figures.failed_attempts += 1;
        if now_ms.saturating_sub(post.born_ms) >= settings.retry_for_ms {
            self.figures.given_up += 1;
            self.figures.pending = self.figures.pending.saturating_sub(post.content.events());
            return;
        }
        let doubled = settings.retry_first_ms.saturating_mul(1 << post.attempts.min(40));
        post.attempts += 1;
        let due_ms = now_ms + doubled.min(settings.retry_cap_ms);
        self.repetitions.push(Reverse(Repetition { due_ms, post }));
    }

    /// Forgets everything that waits; requests in flight still come back, but count no more.
    pub(crate) fn clear(&mut self) {
        let Self { in_flight, last_id, generation, .. } = *self;
        *self = Self { in_flight, last_id, generation: generation + 1, ..Self::default() };
    }

    pub(crate) fn figures(&self) -> WebhookStats {
        self.figures
    }

    fn collect_steps(&mut self, now_ms: u64, settings: &SimulatorSettings) {
        while self.steps.peek().is_some_and(|Reverse(step)| step.due_ms <= now_ms) {
            let Some(Reverse(due)) = self.steps.pop() else { break };
            let number = due.message.number.clone();
            let batch = self
                .batches
                .entry(number.clone())
                .or_insert_with(|| Batch { since_ms: now_ms, steps: Vec::new() });
            batch.steps.push((due.message, due.step));
            if batch.steps.len() >= settings.statuses_per_webhook {
                self.flush(&number, now_ms);
            }
        }
        let waited = |batch: &Batch| batch.since_ms + settings.flush_after_ms <= now_ms;
        let numbers: Vec<String> =
            self.batches.iter().filter(|(_, batch)| waited(batch)).map(|(id, _)| id.clone()).collect();
        for number in numbers {
            self.flush(&number, now_ms);
        }
    }

    fn flush(&mut self, number: &str, now_ms: u64) {
        if let Some((number, batch)) = self.batches.remove_entry(number) {
            self.make_ready(Content::Statuses { number, steps: batch.steps }, now_ms);
        }
    }

    fn make_ready(&mut self, content: Content, now_ms: u64) {
        self.last_id += 1;
        self.ready.push_back(Post {
            id: self.last_id,
            content,
            attempts: 0,
            born_ms: now_ms,
            generation: self.generation,
        });
    }
}

impl DueStep {
    fn key(&self) -> (u64, u64, u8) {
        (self.due_ms, self.message.seq, self.step)
    }
}

impl Ord for DueStep {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Repetition {
    fn key(&self) -> (u64, u64) {
        (self.due_ms, self.post.id)
    }
}

impl Ord for Repetition {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

macro_rules! ordered_by_key {
    ($($type:ty),*) => {$(
        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.key() == other.key()
            }
        }
        impl Eq for $type {}
    )*};
}
ordered_by_key!(DueStep, Repetition);

#[cfg(test)]
mod tests {
    use super::*;

    fn hooked(settings: &SimulatorSettings) -> (Outbox, Post) {
        let mut outbox = Outbox::default();
        outbox.push_hook(1, Bytes::from_static(b"{}"), 0);
        let post = outbox.take(0, settings).remove(0);
        (outbox, post)
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let settings =
            SimulatorSettings { retry_first_ms: 500, retry_cap_ms: 3_000, ..SimulatorSettings::default() };
        let (mut outbox, mut post) = hooked(&settings);
        let mut now_ms = 0;
        for wait in [500, 1_000, 2_000, 3_000, 3_000] {
            outbox.failed(post, now_ms, &settings);
            assert_eq!(outbox.next_due(&settings), Some(now_ms + wait));
            assert!(outbox.take(now_ms + wait - 1, &settings).is_empty());
            now_ms += wait;
            post = outbox.take(now_ms, &settings).remove(0);
        }
        outbox.succeeded(&post);
        let figures = outbox.figures();
        assert_eq!((figures.delivered, figures.pending, figures.failed_attempts), (1, 0, 5));
    }

    #[test]
    fn a_webhook_is_given_up_after_seven_days() {
        let settings = SimulatorSettings::default();
        let (mut outbox, post) = hooked(&settings);
        outbox.failed(post, 7 * 24 * 60 * 60 * 1_000, &settings);
        assert_eq!((outbox.figures().given_up, outbox.figures().pending), (1, 0));
        assert_eq!(outbox.next_due(&settings), None);
    }

    #[test]
    fn the_number_in_flight_is_bounded() {
        let settings = SimulatorSettings { webhook_concurrency: 2, ..SimulatorSettings::default() };
        let mut outbox = Outbox::default();
        for id in 0..5 {
            outbox.push_hook(id, Bytes::new(), 0);
        }
        let posts = outbox.take(0, &settings);
        assert_eq!(posts.len(), 2);
        assert!(outbox.take(0, &settings).is_empty());
        outbox.succeeded(&posts[0]);
        assert_eq!(outbox.take(0, &settings).len(), 1);
    }

    #[test]
    fn what_was_in_flight_at_a_reset_is_not_repeated() {
        let settings = SimulatorSettings::default();
        let (mut outbox, post) = hooked(&settings);
        outbox.clear();
        outbox.failed(post, 0, &settings);
        assert_eq!(outbox.figures(), WebhookStats::default());
        assert_eq!(outbox.next_due(&settings), None);
    }
}
