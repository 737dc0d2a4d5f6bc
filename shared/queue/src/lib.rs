//! Jobs between the parts of the product, over SQS.
//!
//! A job is JSON with a version and a generation. A worker that feeds its own
//! queue raises the generation; past [`MAX_GENERATION`] a job is refused, so
//! that a loop ends and can be seen.
//!
//! What a worker cannot read is parked ([`Queues::settle`]): it goes to the dead-letter
//! queue of its queue with the reason beside it, instead of failing its batch.

mod batch;
mod jobs;
mod worker;

pub use jobs::{
    CampaignJob, EventMessage, InboundJob, Job, MAX_GENERATION, SendJob, Text, Unreadable, WebhookJob,
};
pub use worker::{Done, Record, Unacknowledged};

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::MessageAttributeValue;
use environment::{Env, Missing};
use serde::Serialize;

/// SQS takes no longer delays.
const MAX_DELAY: Duration = Duration::from_secs(900);
/// The message attribute of a parked job that says why it was parked.
pub const REASON: &str = "reason";
/// Name and URL of a dead-letter queue are those of its queue with this behind it.
pub const PARKED: &str = "-dlq";

/// The queues of the product.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: Urls,
}

/// Where the queues are; empty where a function has nothing to do with one. The
/// dead-letter queue of each has the same URL with [`PARKED`] behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Urls {
    /// Jobs of the campaign planner, reports and counts.
    pub campaign: String,
    /// Wake-ups of the senders.
    pub send: String,
    /// What providers report.
    pub inbound: String,
    /// What was uploaded: events of the bucket.
    pub media: String,
    /// Events on their way to the users' endpoints.
    pub webhook: String,
}

/// A queue of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Jobs of the campaign planner, reports and counts.
    Campaign,
    /// Wake-ups of the senders.
    Send,
    /// What providers report.
    Inbound,
    /// What was uploaded: events of the bucket.
    Media,
    /// Events on their way to the users' endpoints.
    Webhook,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 5] = [Self::Campaign, Self::Send, Self::Inbound, Self::Media, Self::Webhook];

    /// Its name, as logs and queue names have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Send => "send",
            Self::Inbound => "inbound",
            Self::Media => "media",
            Self::Webhook => "webhook",
        }
    }

    /// The variable of the environment that says where it is.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Campaign => "CAMPAIGN_QUEUE_URL",
            Self::Send => "SEND_QUEUE_URL",
            Self::Inbound => "INBOUND_QUEUE_URL",
            Self::Media => "MEDIA_QUEUE_URL",
            Self::Webhook => "WEBHOOK_QUEUE_URL",
        }
    }
}

impl Urls {
    /// Where a queue is.
    pub fn of(&self, queue: Queue) -> &str {
        match queue {
            Queue::Campaign => &self.campaign,
            Queue::Send => &self.send,
            Queue::Inbound => &self.inbound,
            Queue::Media => &self.media,
            Queue::Webhook => &self.webhook,
        }
    }

    fn place(&mut self, queue: Queue) -> &mut String {
        match queue {
            Queue::Campaign => &mut self.campaign,
            Queue::Send => &mut self.send,
            Queue::Inbound => &mut self.inbound,
            Queue::Media => &mut self.media,
            Queue::Webhook => &mut self.webhook,
        }
    }

    /// Where what nobody can work on is put.
    pub fn parked(&self, queue: Queue) -> String {
        format!("{}{PARKED}", self.of(queue))
    }
}

/// A queue did not take a job.
#[derive(Debug, thiserror::Error)]
#[error("the queue is not available ({code})")]
pub struct Error {
    /// The queue's error code.
    pub code: String,
}

impl Error {
    /// An error with the service's code; without one the service was not reached.
    pub fn of(code: Option<&str>) -> Self {
        Self { code: code.unwrap_or("DispatchFailure").to_owned() }
    }
}

impl Queues {
    /// The queues at `urls`.
    pub fn new(client: Client, urls: Urls) -> Self {
        Self { client, urls }
    }

    /// The queues that a function feeds, or parks jobs of: `CAMPAIGN_QUEUE_URL` and the
    /// like.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn of(env: &Env, used: &[Queue]) -> Result<Self, Missing> {
        let mut urls = Urls::default();
        for queue in used {
            *urls.place(*queue) = env.required(queue.variable())?;
        }
        Ok(Self::new(Client::new(env.aws()), urls))
    }

    /// Sends a job to the planner.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take it.
    pub async fn campaign(&self, job: CampaignJob, generation: u32) -> Result<(), Error> {
        self.send(&self.urls.campaign, &Job::new(job, generation), Duration::ZERO).await
    }

    /// Sends a job to the campaign worker for after `delay`.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take it.
    pub async fn campaign_later(
        &self,
        job: CampaignJob,
        generation: u32,
        delay: Duration,
    ) -> Result<(), Error> {
        self.send(self.url(Queue::Campaign)?, &Job::new(job, generation), delay).await
    }

    /// Wakes the sender of a number, after `delay`.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take it.
    pub async fn wake(&self, job: SendJob, generation: u32, delay: Duration) -> Result<(), Error> {
        self.send(&self.urls.send, &Job::new(job, generation), delay).await
    }

    /// Queues what a provider reported.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take it: answer the provider with an
    /// error, so that it reports again.
    pub async fn inbound(&self, job: InboundJob) -> Result<(), Error> {
        self.send(&self.urls.inbound, &Job::new(job, 0), Duration::ZERO).await
    }

    /// Queues a job of the inbound worker for after `delay`.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take it.
    pub async fn inbound_later(
        &self,
        job: InboundJob,
        generation: u32,
        delay: Duration,
    ) -> Result<(), Error> {
        self.send(self.url(Queue::Inbound)?, &Job::new(job, generation), delay).await
    }

    /// Queues events for endpoints, all of them.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take every one: queue all of them again,
    /// what came twice is recognised.
    pub async fn deliver(&self, jobs: Vec<WebhookJob>) -> Result<(), Error> {
        batch::send_all(&self.client, self.url(Queue::Webhook)?, jobs).await
    }

    /// Queues one job of the webhook worker for after `delay`.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take it.
    pub async fn later(&self, job: WebhookJob, generation: u32, delay: Duration) -> Result<(), Error> {
        self.send(&self.urls.webhook, &Job::new(job, generation), delay).await
    }

    fn url(&self, queue: Queue) -> Result<&str, Error> {
        Some(self.urls.of(queue)).filter(|url| !url.is_empty()).ok_or_else(|| Error::of(Some("QueueNotSet")))
    }

    /// Puts what nobody can work on aside, as it came, with the reason beside it.
    ///
    /// # Errors
    /// [`Error`] when the dead-letter queue did not take it: let it come again.
    pub async fn park(&self, queue: Queue, body: &str, reason: &str) -> Result<(), Error> {
        let value = MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        let value = value.map_err(|_| Error::of(Some("Serialization")))?;
        let request = self.client.send_message().queue_url(self.urls.parked(queue)).message_body(body);
        let sent = request.message_attributes(REASON, value).send().await;
        sent.map(|_| ()).map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))
    }

    async fn send<T: Serialize>(&self, url: &str, job: &Job<T>, delay: Duration) -> Result<(), Error> {
        if url.is_empty() {
            return Err(Error::of(Some("QueueNotSet")));
        }
        let body = job.body()?;
        let delay = i32::try_from(delay.min(MAX_DELAY).as_secs()).unwrap_or(0);
        let request = self.client.send_message().queue_url(url).message_body(body);
        let request = if delay > 0 { request.delay_seconds(delay) } else { request };
        // The client's future is large: it lives on the heap.
        let sent = Box::pin(request.send()).await;
        sent.map(|_| ()).map_err(|e| Error::of(e.as_service_error().and_then(|e| e.code())))
    }
}
