//! The worker loops: what SQS event source mappings and schedules do on AWS.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use dispatch::WebhookDispatcher;
use messaging::Services;
use queue::{Queue, Record, Urls};
use registry::Jobs;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Apps;

/// How long a worker may take for one batch, as on Lambda.
const RUN: Duration = Duration::from_secs(60);
/// How long a queue is waited on.
const WAIT_S: i32 = 10;
/// Batches of webhooks that are under way at once, in each of their loops.
const DELIVERIES: usize = 256;
/// How often the sweep looks for what is due.
const SWEEP: Duration = Duration::from_secs(1);
/// Pause after a queue could not be read.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells the workers to end.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Lets every worker end its batch and hand over what is left.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether the workers are to end.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the workers are to end.
    pub async fn stopped(self) {
        let mut told = self.0.subscribe();
        // The sender lives in `self`, so that this ends only when it is told.
        let _told = told.wait_for(|stopped| *stopped).await;
    }

    fn deadline(&self) -> impl Fn() -> bool + use<> {
        let (stop, end) = (self.clone(), Instant::now() + RUN);
        move || stop.is_stopped() || Instant::now() >= end
    }
}

/// The queues of the workers.
#[derive(Debug, Clone)]
pub struct Workers {
    sqs: Client,
    urls: Urls,
    services: Services,
    dispatcher: WebhookDispatcher,
    stop: Stop,
}

/// How many loops take jobs from a queue.
fn loops(queue: Queue) -> usize {
    match queue {
        // Each is a sender.
        Queue::Send => 16,
        Queue::Campaign | Queue::Inbound | Queue::Webhook => 2,
        Queue::Media => 1,
    }
}

impl Workers {
    /// Workers on these queues.
    pub fn new(sqs: Client, urls: Urls, apps: Apps, stop: Stop) -> Self {
        Self { sqs, urls, dispatcher: apps.dispatcher(), services: apps.services, stop }
    }

    /// Runs every loop until they are stopped.
    pub async fn run(self) {
        let mut loops = tokio::task::JoinSet::new();
        for jobs in registry::ALL.iter().filter_map(|function| function.jobs()) {
            for _ in 0..self::loops(jobs.queue) {
                match jobs.queue {
                    Queue::Webhook => loops.spawn(self.clone().deliver(jobs)),
                    Queue::Campaign | Queue::Send | Queue::Inbound | Queue::Media => {
                        loops.spawn(self.clone().work(jobs))
                    }
                };
            }
        }
        loops.spawn(self.clone().sweep());
        while loops.join_next().await.is_some() {}
    }

    fn media(&self) -> media_worker::App {
        let Services { store, files, queues, .. } = self.services.clone();
        media_worker::App { store, files, queues }
    }

    async fn sweep(self) {
        while !self.stop.is_stopped() {
            if let Err(error) = schedule_tick::handle(&self.services.store, &self.services.queues).await {
                tracing::error!(code = error.code.as_str(), "the sweep failed");
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                () = self.stop.clone().stopped() => {}
            }
        }
    }

    /// Webhooks are delivered as on Lambda: each batch on its own, so that one that
    /// waits for a slow endpoint holds up no other.
    async fn deliver(self, jobs: Jobs) {
        let url = self.urls.of(jobs.queue).to_owned();
        let mut batches = tokio::task::JoinSet::new();
        while !self.stop.is_stopped() {
            while batches.try_join_next().is_some() {}
            if batches.len() >= DELIVERIES {
                batches.join_next().await;
            }
            let messages = self.receive(&url, jobs.batch).await;
            if !messages.is_empty() {
                batches.spawn(self.clone().deliver_batch(messages));
            }
        }
        while batches.join_next().await.is_some() {}
    }

    async fn deliver_batch(self, messages: Vec<Message>) {
        let records: Vec<Record> = messages.iter().map(record).collect();
        let out_of_time = self.stop.deadline();
        let failed = Box::pin(webhook_worker::handle(&self.dispatcher, &records, out_of_time)).await;
        self.delete(&self.urls.webhook, messages.iter().filter(|m| !failed.contains(&record(m).id))).await;
    }

    async fn work(self, jobs: Jobs) {
        let url = self.urls.of(jobs.queue).to_owned();
        while !self.stop.is_stopped() {
            let messages = self.receive(&url, jobs.batch).await;
            if messages.is_empty() {
                continue;
            }
            let records: Vec<Record> = messages.iter().map(record).collect();
            let out_of_time = self.stop.deadline();
            let failed = match jobs.queue {
                Queue::Campaign => campaign_worker::handle(&self.services, &records, out_of_time).await,
                Queue::Send => send_worker::handle(&self.services, &records, out_of_time).await,
                Queue::Inbound => inbound_worker::handle(&self.services, &records).await,
                Queue::Media => media_worker::handle(&self.media(), &records).await,
                Queue::Webhook => webhook_worker::handle(&self.dispatcher, &records, out_of_time).await,
            };
            let failed: BTreeSet<String> = failed.into_iter().collect();
            self.delete(&url, messages.iter().filter(|m| !failed.contains(message_id(m)))).await;
        }
    }

    /// One batch: at once what is there, else what comes first.
    async fn receive(&self, url: &str, batch: u32) -> Vec<Message> {
        let batch = usize::try_from(batch).unwrap_or(1);
        let mut messages: Vec<Message> = Vec::new();
        loop {
            let wait = if messages.is_empty() { WAIT_S } else { 0 };
            let left = i32::try_from((batch - messages.len()).min(10)).unwrap_or(10);
            let request = self.sqs.receive_message().queue_url(url).max_number_of_messages(left);
            let received = tokio::select! {
                received = request.wait_time_seconds(wait).send() => received,
                // What was received at this very moment is visible again at the next start.
                () = self.stop.clone().stopped() => return messages,
            };
            match received {
                Ok(received) => {
                    let received = received.messages.unwrap_or_default();
                    let done = received.is_empty();
                    messages.extend(received);
                    if done || messages.len() >= batch || self.stop.is_stopped() {
                        return messages;
                    }
                }
                Err(error) => {
                    tracing::error!(error = %error, "a queue cannot be read");
                    tokio::time::sleep(PAUSE).await;
                    return messages;
                }
            }
        }
    }

    async fn delete(&self, url: &str, messages: impl Iterator<Item = &Message>) {
        let entries: Vec<DeleteMessageBatchRequestEntry> = messages
            .enumerate()
            .filter_map(|(i, message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(i.to_string())
                    .receipt_handle(message.receipt_handle()?)
                    .build()
                    .ok()
            })
            .collect();
        for chunk in entries.chunks(10) {
            let request = self.sqs.delete_message_batch().queue_url(url);
            if let Err(error) = request.set_entries(Some(chunk.to_vec())).send().await {
                // They come again, and are recognised.
                tracing::error!(error = %error, "jobs that are done could not be deleted");
            }
        }
    }
}

fn message_id(message: &Message) -> &str {
    message.message_id().unwrap_or_default()
}

fn record(message: &Message) -> Record {
    Record { id: message_id(message).to_owned(), body: message.body().unwrap_or_default().to_owned() }
}
