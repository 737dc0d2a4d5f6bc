//! The worker loops, until there is nothing left to do.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_sqs::types::{Message, QueueAttributeName as Name};
use local::embedded::hold;
use messaging::Services;
use queue::{Queue, Record};
use registry::{
    CAMPAIGN_WORKER, Function, INBOUND_WORKER, Jobs, MEDIA_WORKER, SCHEDULE_TICK, SEND_WORKER, WEBHOOK_WORKER,
};
use simulators::graph::Stats;
use tokio::time::{Instant, sleep};

use crate::World;

/// How long a worker may take for one batch.
const RUN: Duration = Duration::from_secs(60);
/// How often an empty queue is looked at.
const POLL: Duration = Duration::from_millis(3);
/// How far the clock is moved when everything waits for it, in milliseconds.
const JUMP_MS: i64 = 2_000;
/// A drain that takes longer than this will never end.
const PATIENCE: Duration = Duration::from_secs(240);

/// What waits in the queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Waiting {
    visible: u64,
    later: u64,
}

impl World {
    /// Lets the workers work until all webhooks are delivered and all queues are
    /// empty. What waits for a later time finds it come: the clock is moved.
    pub async fn drain(&self) {
        self.drain_parking(0).await;
    }

    /// Like [`World::drain`], while this many jobs in all are given up.
    pub async fn drain_parking(&self, parked: u64) {
        let workers = async {
            tokio::join!(
                Box::pin(self.work(&CAMPAIGN_WORKER)),
                Box::pin(self.work(&SEND_WORKER)),
                Box::pin(self.work(&SEND_WORKER)),
                Box::pin(self.work(&INBOUND_WORKER)),
                Box::pin(self.work(&MEDIA_WORKER)),
                Box::pin(self.work(&WEBHOOK_WORKER)),
                Box::pin(self.work(&WEBHOOK_WORKER))
            );
        };
        self.busy.store(0, Ordering::SeqCst);
        let drained = tokio::time::timeout(PATIENCE, async {
            tokio::select! {
                () = workers => {}
                () = self.settled() => {}
            }
        });
        drained.await.expect("the queues do not get empty");
        assert_eq!(self.parked().await, parked, "jobs failed for good");
    }

    /// Waits until the simulator's figures are such.
    pub async fn until(&self, such: impl Fn(&Stats) -> bool) {
        while !such(&self.simulator.stats()) {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// How many jobs wait or are under way.
    pub async fn queued(&self) -> u64 {
        let waiting = self.waiting().await;
        waiting.visible + waiting.later
    }

    /// How many jobs were given up.
    pub async fn parked(&self) -> u64 {
        let mut parked = 0;
        for url in self.queues() {
            parked += self.waiting_in(&format!("{url}-dlq")).await.visible;
        }
        parked
    }

    fn queues(&self) -> [&str; 5] {
        Queue::ALL.map(|queue| self.urls.of(queue))
    }

    /// Why jobs of a queue were given up, in no order.
    pub async fn reasons_in(&self, queue: Queue) -> Vec<String> {
        let request = self.sqs.receive_message().queue_url(self.urls.parked(queue));
        let request = request.message_attribute_names("All").max_number_of_messages(10).visibility_timeout(0);
        let messages = request.send().await.unwrap().messages.unwrap_or_default();
        let reason = |message: &Message| {
            let attributes = message.message_attributes.clone().unwrap_or_default();
            attributes.get(queue::REASON).and_then(|a| a.string_value.clone()).unwrap_or_default()
        };
        let mut reasons: Vec<String> = messages.iter().map(reason).collect();
        reasons.sort();
        reasons
    }

    async fn settled(&self) {
        loop {
            self.simulator.webhooks_idle().await;
            let waiting = self.waiting().await;
            if self.busy.load(Ordering::SeqCst) == 0 && waiting.visible == 0 {
                if waiting == Waiting::default() && self.simulator.stats().webhooks.pending == 0 {
                    // What was done meanwhile may have queued a job where it was looked already.
                    if self.waiting().await == Waiting::default() && self.busy.load(Ordering::SeqCst) == 0 {
                        return;
                    }
                } else {
                    self.clock.advance_ms(JUMP_MS);
                }
            }
            sleep(POLL).await;
        }
    }

    async fn waiting(&self) -> Waiting {
        let mut sum = Waiting::default();
        for url in self.queues() {
            let waiting = self.waiting_in(url).await;
            sum.visible += waiting.visible;
            sum.later += waiting.later;
        }
        sum
    }

    async fn waiting_in(&self, url: &str) -> Waiting {
        let request = self.sqs.get_queue_attributes().queue_url(url).attribute_names(Name::All);
        let attributes = request.send().await.unwrap().attributes.unwrap_or_default();
        let count = |name| attributes.get(&name).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        let delayed = count(Name::ApproximateNumberOfMessagesDelayed);
        let in_flight = count(Name::ApproximateNumberOfMessagesNotVisible);
        Waiting { visible: count(Name::ApproximateNumberOfMessages), later: delayed + in_flight }
    }

    async fn work(&self, worker: &'static Function) {
        let jobs = worker.jobs().unwrap();
        let url = self.urls.of(jobs.queue);
        loop {
            let request = self.sqs.receive_message().queue_url(url).max_number_of_messages(most(&jobs));
            let messages = request.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                sleep(POLL).await;
            } else {
                self.busy.fetch_add(1, Ordering::SeqCst);
                let failed = Box::pin(self.handle(worker, &messages)).await;
                self.delete(url, &messages, &failed).await;
                self.busy.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// Has a worker work off messages; answers the ids of those that must come again.
    pub(crate) async fn handle(&self, worker: &'static Function, messages: &[Message]) -> Vec<String> {
        let records: Vec<Record> = messages.iter().map(record).collect();
        let end = Instant::now() + RUN;
        let out_of_time = || Instant::now() >= end;
        match worker.jobs().unwrap().queue {
            Queue::Campaign => {
                hold(worker, campaign_worker::handle(&self.services, &records, out_of_time)).await
            }
            Queue::Send => hold(worker, send_worker::handle(&self.services, &records, out_of_time)).await,
            Queue::Inbound => hold(worker, inbound_worker::handle(&self.services, &records)).await,
            Queue::Webhook => {
                let dispatcher = self.apps().dispatcher();
                hold(worker, webhook_worker::handle(&dispatcher, &records, out_of_time)).await
            }
            Queue::Media => hold(worker, media_worker::handle(&self.media(), &records)).await,
        }
    }

    /// Deletes the messages that are done.
    async fn delete(&self, url: &str, messages: &[Message], failed: &[String]) {
        for message in messages.iter().filter(|m| !failed.contains(&record(m).id)) {
            let receipt = message.receipt_handle().unwrap();
            self.sqs.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
        }
    }

    /// What the checks of uploads use.
    pub fn media(&self) -> media_worker::App {
        let Services { store, files, queues, .. } = self.services.clone();
        media_worker::App { store, files, queues }
    }

    /// What the schedule does once a minute.
    pub async fn sweep(&self) -> usize {
        hold(&SCHEDULE_TICK, schedule_tick::handle(self.store(), &self.services.queues)).await.unwrap()
    }

    /// Forgets every job that waits.
    pub async fn lose_jobs(&self) {
        for url in self.queues() {
            self.sqs.purge_queue().queue_url(url).send().await.unwrap();
        }
    }
}

/// Most messages of one receive: SQS gives 10 at most.
pub(crate) fn most(jobs: &Jobs) -> i32 {
    i32::try_from(jobs.batch.min(10)).unwrap()
}

fn record(message: &Message) -> Record {
    Record {
        id: message.message_id().unwrap_or_default().to_owned(),
        body: message.body().unwrap_or_default().to_owned(),
    }
}
