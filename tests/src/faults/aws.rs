//! Faults of AWS, between the SDK clients and the engines.

use std::io;
use std::sync::Arc;

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use futures::future::BoxFuture;
use http::Response;
use local::embedded::{Interceptor, SdkAnswer, SdkAttempt};
use serde_json::{Value, json};

use super::gate::{Gate, Process};
use super::plan::{About, Fault, Shape};

impl Interceptor for Gate {
    fn answer(&self, attempt: SdkAttempt) -> BoxFuture<'static, SdkAnswer> {
        let Some(process) = Process::current() else {
            return Box::pin(async move { attempt.run().await });
        };
        let shape = shape(&attempt);
        let about = About::Request(attempt.body().clone());
        let count = || self.count(&process, shape, attempt.action(), about);
        let (fault, before) = self.attempt(attempt.invocation(), count);
        Box::pin(fails(attempt, process, shape, fault, before))
    }
}

/// Answers an attempt of a call that has `before` behind it.
async fn fails(
    mut attempt: SdkAttempt,
    process: Arc<Process>,
    shape: Shape,
    fault: Option<Fault>,
    before: u32,
) -> SdkAnswer {
    let Some(fault) = fault else { return attempt.run().await };
    match fault {
        Fault::Throttled | Fault::TooMany => Ok(throttled(attempt.service())),
        Fault::Refused | Fault::Broken => Err(unanswered(io::ErrorKind::ConnectionRefused)),
        Fault::ReplyLost if before > 0 => attempt.run().await,
        Fault::ReplyLost | Fault::RepliesLost => {
            attempt.run().await?;
            Err(unanswered(io::ErrorKind::ConnectionReset))
        }
        Fault::Last => {
            attempt.run().await?;
            process.end().await
        }
        Fault::Before => process.end().await,
        Fault::Twice => {
            attempt.run().await?;
            attempt.run().await
        }
        Fault::Conflict if shape == Shape::Transaction => Ok(cancelled(attempt.body())),
        Fault::Conflict => {
            Ok(refusal(DYNAMODB, "TransactionConflictException", "Transaction is ongoing for the item"))
        }
        Fault::Partly => partly(&mut attempt, shape).await,
    }
}

const DYNAMODB: &str = "com.amazonaws.dynamodb.v20120810";

fn unanswered(kind: io::ErrorKind) -> ConnectorError {
    ConnectorError::io(io::Error::from(kind).into())
}

fn refusal(namespace: &str, code: &str, message: &str) -> Response<SdkBody> {
    answered(400, &json!({"__type": format!("{namespace}#{code}"), "message": message}))
}

fn answered(status: u16, body: &Value) -> Response<SdkBody> {
    let builder = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    builder.body(SdkBody::from(body.to_string())).unwrap()
}

fn throttled(service: &str) -> Response<SdkBody> {
    match service {
        "dynamodb" => refusal(
            DYNAMODB,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded",
        ),
        "sqs" => {
            let mut response = refusal("com.amazonaws.sqs", "RequestThrottled", "Rate exceeded");
            response.headers_mut().insert("x-amzn-query-error", "RequestThrottled;Services".parse().unwrap());
            response
        }
        _ => {
            let body =
                "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
            Response::builder().status(503).body(SdkBody::from(body)).unwrap()
        }
    }
}

/// A transaction that met another one at its first item.
fn cancelled(body: &[u8]) -> Response<SdkBody> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let items = body["TransactItems"].as_array().map_or(1, Vec::len);
    let reasons: Vec<Value> = (0..items)
        .map(|i| match i {
            0 => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
            _ => json!({"Code": "None"}),
        })
        .collect();
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons";
    let kind = format!("{DYNAMODB}#TransactionCanceledException");
    answered(400, &json!({"__type": kind, "Message": message, "CancellationReasons": reasons}))
}

/// Does all of a batch but its first part.
async fn partly(attempt: &mut SdkAttempt, shape: Shape) -> SdkAnswer {
    let mut body: Value = serde_json::from_slice(attempt.body()).unwrap_or_default();
    if shape == Shape::ReadMany {
        // Nothing was read: the answer names every key as unprocessed.
        return Ok(answered(200, &json!({"Responses": {}, "UnprocessedKeys": body["RequestItems"]})));
    }
    if shape == Shape::Statements {
        let left = drop_first(&mut body["Statements"]);
        let mut answer = rest(attempt, &body, left, json!({"Responses": []})).await?;
        let error = json!({"Error": {"Code": "ThrottlingError", "Message": "Rate exceeded"}});
        answer["Responses"].as_array_mut().unwrap().insert(0, error);
        return Ok(answered(200, &answer));
    }
    let id = body["Entries"][0]["Id"].clone();
    let left = drop_first(&mut body["Entries"]);
    let mut answer = rest(attempt, &body, left, json!({"Successful": [], "Failed": []})).await?;
    answer["Failed"] = json!([{"Id": id, "SenderFault": false, "Code": "InternalError"}]);
    Ok(answered(200, &answer))
}

fn drop_first(list: &mut Value) -> usize {
    let list = list.as_array_mut().unwrap();
    list.remove(0);
    list.len()
}

async fn rest(
    attempt: &mut SdkAttempt,
    body: &Value,
    left: usize,
    nothing: Value,
) -> Result<Value, ConnectorError> {
    if left == 0 {
        return Ok(nothing);
    }
    attempt.set_body(body.to_string().into());
    let answer = attempt.run().await?;
    Ok(serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or(nothing))
}

fn shape(attempt: &SdkAttempt) -> Shape {
    match attempt.action() {
        "PutItem" | "UpdateItem" | "DeleteItem" => Shape::Write,
        "BatchGetItem" => Shape::ReadMany,
        "BatchExecuteStatement" => Shape::Statements,
        "TransactWriteItems" => Shape::Transaction,
        "SendMessage" => Shape::Enqueue,
        "SendMessageBatch" => Shape::EnqueueMany,
        "PUT" | "POST" | "DELETE" => Shape::Object,
        _ => Shape::Read,
    }
}

/// The kinds of items that a request names; of SQS the queue.
pub(super) fn named(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return String::new() };
    if let Some(url) = body["QueueUrl"].as_str() {
        return url.rsplit('/').next().unwrap_or_default().to_owned();
    }
    let mut kinds = Vec::new();
    collect(&body, &mut kinds);
    kinds.dedup();
    kinds.truncate(3);
    kinds.join("+")
}

/// The first part of everything that looks like a partition key.
fn collect(value: &Value, kinds: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, kinds)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, kinds)),
        Value::String(text) => {
            let kind = text.split_once('#').map(|(kind, _)| kind);
            let kind = kind.filter(|k| k.len() > 2 && k.bytes().all(|b| b.is_ascii_uppercase()));
            kinds.extend(kind.map(str::to_owned));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
