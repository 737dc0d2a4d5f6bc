//! How many requests each service was sent.

use std::sync::atomic::{AtomicU64, Ordering};

use super::service::Service;

#[derive(Debug, Default)]
pub(super) struct Counters {
    dynamodb: AtomicU64,
    sqs: AtomicU64,
    s3: AtomicU64,
}

/// Requests by service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// To DynamoDB.
    pub dynamodb: u64,
    /// To SQS.
    pub sqs: u64,
    /// To S3.
    pub s3: u64,
}

impl Requests {
    /// What was sent since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            dynamodb: self.dynamodb - before.dynamodb,
            sqs: self.sqs - before.sqs,
            s3: self.s3 - before.s3,
        }
    }
}

impl Counters {
    pub(super) fn count(&self, service: Service) {
        let counter = match service {
            Service::DynamoDb => &self.dynamodb,
            Service::Sqs => &self.sqs,
            Service::S3 => &self.s3,
            Service::SecretsManager => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Requests {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Requests { dynamodb: of(&self.dynamodb), sqs: of(&self.sqs), s3: of(&self.s3) }
    }
}
