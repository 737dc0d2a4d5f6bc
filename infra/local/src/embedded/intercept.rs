//! What tests put between the SDK clients and the engines.

use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};

use super::Embedded;
use super::service::Service;

/// What an SDK client gets for one attempt of a call.
pub type SdkAnswer = Result<Response<SdkBody>, ConnectorError>;

/// Answers the requests of SDK clients: by the engines, by itself, or not at all.
pub trait Interceptor: fmt::Debug + Send + Sync {
    /// Answers one attempt. The SDK makes up to three of a call.
    fn answer(&self, attempt: SdkAttempt) -> BoxFuture<'static, SdkAnswer>;
}

/// One attempt of a call.
#[derive(Debug)]
pub struct SdkAttempt {
    embedded: Embedded,
    service: Service,
    request: Request<Bytes>,
}

impl SdkAttempt {
    pub(super) fn new(embedded: Embedded, service: Service, request: Request<Bytes>) -> Self {
        Self { embedded, service, request }
    }

    /// The action, such as `PutItem`; for S3 the method, such as `PUT`.
    pub fn action(&self) -> &str {
        let target = self.header("x-amz-target").split_once('.');
        target.map_or(self.request.method().as_str(), |(_, action)| action)
    }

    /// The service: `dynamodb`, `sqs` or `s3`.
    pub fn service(&self) -> &'static str {
        match self.service {
            Service::DynamoDb => "dynamodb",
            Service::Sqs => "sqs",
            Service::S3 => "s3",
            Service::SecretsManager => "secretsmanager",
        }
    }

    /// What all attempts of one call have in common.
    pub fn invocation(&self) -> &str {
        self.header("amz-sdk-invocation-id")
    }

    /// The request's body.
    pub fn body(&self) -> &Bytes {
        self.request.body()
    }

    /// Asks for something else instead.
    pub fn set_body(&mut self, body: Bytes) {
        *self.request.body_mut() = body;
    }

    fn header(&self, name: &str) -> &str {
        self.request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Has the engine do what is asked; each time anew.
    ///
    /// # Errors
    /// When the engine cannot answer at all.
    pub async fn run(&self) -> SdkAnswer {
        self.embedded.reply(self.service, self.request.clone().map(SdkBody::from)).await
    }
}

/// Retries as the SDK makes them, without their waits.
pub(super) fn without_waits() -> RetryConfig {
    let instant = Duration::from_millis(1);
    RetryConfig::standard().with_initial_backoff(instant).with_max_backoff(instant)
}
