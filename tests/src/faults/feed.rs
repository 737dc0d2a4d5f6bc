//! What AWS itself does with queues: not the product's calls, so without the SDK.

use aws_sdk_sqs::types::Message;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use local::embedded::http_service;
use queue::Queue;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::World;

/// The queues of a world.
#[derive(Debug, Clone)]
pub(super) struct Feed(Router);

impl Feed {
    pub(super) fn of(world: &World) -> Self {
        Self(http_service(world.embedded.clone()))
    }

    /// Waits up to `wait_s` seconds for up to `most` messages.
    pub(super) async fn receive(&self, url: &str, most: i32, wait_s: u32) -> Vec<Message> {
        let body = json!({"QueueUrl": url, "MaxNumberOfMessages": most, "WaitTimeSeconds": wait_s});
        let answer = self.call("ReceiveMessage", &body).await;
        let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let message = |message: &Value| {
            let builder = Message::builder().message_id(text(message, "MessageId"));
            builder.body(text(message, "Body")).receipt_handle(text(message, "ReceiptHandle")).build()
        };
        answer["Messages"].as_array().into_iter().flatten().map(message).collect()
    }

    /// Deletes a message that was received.
    pub(super) async fn delete(&self, url: &str, message: &Message) {
        let body = json!({"QueueUrl": url, "ReceiptHandle": message.receipt_handle()});
        self.call("DeleteMessage", &body).await;
    }

    /// How many messages are in the queues of the product, whether visible or not.
    pub(super) async fn queued(&self, world: &World) -> u64 {
        let mut sum = 0;
        for queue in Queue::ALL {
            sum += self.count(world.urls.of(queue)).await;
        }
        sum
    }

    /// How many messages were given up.
    pub(super) async fn parked(&self, world: &World) -> u64 {
        let mut sum = 0;
        for queue in Queue::ALL {
            sum += self.count(&world.urls.parked(queue)).await;
        }
        sum
    }

    async fn count(&self, url: &str) -> u64 {
        let body = json!({"QueueUrl": url, "AttributeNames": ["All"]});
        let answer = self.call("GetQueueAttributes", &body).await;
        let count = |name: &str| answer["Attributes"][name].as_str().and_then(|n| n.parse::<u64>().ok());
        ["", "Delayed", "NotVisible"]
            .iter()
            .filter_map(|which| count(&format!("ApproximateNumberOfMessages{which}")))
            .sum()
    }

    async fn call(&self, action: &str, body: &Value) -> Value {
        let request = Request::post("/").header("x-amz-target", format!("AmazonSQS.{action}"));
        let request = request.body(Body::from(body.to_string())).unwrap();
        let answer = self.0.clone().oneshot(request).await.unwrap();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}
