//! Jobs between the parts of the product, over SQS.
//!
//! A job is JSON with a version and a generation. A worker that feeds its own
//! queue raises the generation; past [`MAX_GENERATION`] a job is refused, so
//! that a loop ends and can be seen.

mod jobs;

pub use jobs::{CampaignJob, InboundJob, Job, MAX_GENERATION, SendJob, Unreadable};

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use serde::Serialize;

/// SQS takes no longer delays.
const MAX_DELAY: Duration = Duration::from_secs(900);

/// The queues of the product.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: Urls,
}

/// Where the queues are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    /// Jobs of the campaign planner.
    pub campaign: String,
    /// Wake-ups of the senders.
    pub send: String,
    /// What providers report.
    pub inbound: String,
}

/// A message of a queue as a worker gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Names the message in the worker's answer.
    pub id: String,
    /// The job, JSON.
    pub body: String,
}

/// A queue did not take a job.
#[derive(Debug, thiserror::Error)]
#[error("the queue is not available ({code})")]
pub struct Error {
    /// The queue's error code.
    pub code: String,
}

impl Queues {
    /// The queues at `urls`.
    pub fn new(client: Client, urls: Urls) -> Self {
        Self { client, urls }
    }

    /// Sends a job to the planner.
    ///
    /// # Errors
    /// [`Error`] when the queue did not take it.
    pub async fn campaign(&self, job: CampaignJob, generation: u32) -> Result<(), Error> {
        self.send(&self.urls.campaign, &Job::new(job, generation), Duration::ZERO).await
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

    async fn send<T: Serialize>(&self, url: &str, job: &Job<T>, delay: Duration) -> Result<(), Error> {
        let body = serde_json::to_string(job).map_err(|_| Error { code: "Serialization".to_owned() })?;
        let delay = i32::try_from(delay.min(MAX_DELAY).as_secs()).unwrap_or(0);
        let request = self.client.send_message().queue_url(url).message_body(body);
        let request = if delay > 0 { request.delay_seconds(delay) } else { request };
        request.send().await.map(|_| ()).map_err(|error| Error {
            code: error.as_service_error().and_then(|e| e.code()).unwrap_or("DispatchFailure").to_owned(),
        })
    }
}
