//! The requests of the JSON protocol.

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::error::SqsError;

/// A request, by action.
#[derive(Debug, Clone)]
pub(super) enum Request {
    CreateQueue(CreateQueue),
    GetQueueUrl(Named),
    ListQueues(ListQueues),
    DeleteQueue(OnQueue),
    PurgeQueue(OnQueue),
    GetAttributes(GetAttributes),
    SetAttributes(SetAttributes),
    Send(Send),
    SendBatch(Batch<SendEntry>),
    Receive(Receive),
    Delete(Delete),
    DeleteBatch(Batch<DeleteEntry>),
    ChangeVisibility(ChangeVisibility),
    ChangeVisibilityBatch(Batch<VisibilityEntry>),
    MoveMessages(MoveMessages),
}

/// Reads the `body` of `action`.
pub(super) fn parse(action: &str, body: &[u8]) -> Result<Request, SqsError> {
    Ok(match action {
        "CreateQueue" => Request::CreateQueue(read(body)?),
        "GetQueueUrl" => Request::GetQueueUrl(read(body)?),
        "ListQueues" => Request::ListQueues(read(body)?),
        "DeleteQueue" => Request::DeleteQueue(read(body)?),
        "PurgeQueue" => Request::PurgeQueue(read(body)?),
        "GetQueueAttributes" => Request::GetAttributes(read(body)?),
        "SetQueueAttributes" => Request::SetAttributes(read(body)?),
        "SendMessage" => Request::Send(read(body)?),
        "SendMessageBatch" => Request::SendBatch(read(body)?),
        "ReceiveMessage" => Request::Receive(read(body)?),
        "DeleteMessage" => Request::Delete(read(body)?),
        "DeleteMessageBatch" => Request::DeleteBatch(read(body)?),
        "ChangeMessageVisibility" => Request::ChangeVisibility(read(body)?),
        "ChangeMessageVisibilityBatch" => Request::ChangeVisibilityBatch(read(body)?),
        "StartMessageMoveTask" => Request::MoveMessages(read(body)?),
        unknown => return Err(SqsError::unknown_action(unknown)),
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        match text.split('`').nth(1) {
            Some(field) if text.starts_with("missing field") => SqsError::missing(field),
            _ => SqsError::parameter(text),
        }
    })
}

/// A queue's name, read from its address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "String")]
pub(super) struct QueueName(pub(super) String);

impl From<String> for QueueName {
    fn from(address: String) -> Self {
        match address.rsplit_once('/') {
            Some((_, name)) => Self(name.to_owned()),
            None => Self(address),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    #[serde(rename = "QueueName")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    #[serde(rename = "QueueName")]
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ListQueues {
    #[serde(rename = "QueueNamePrefix", default)]
    pub(super) prefix: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct OnQueue {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct GetAttributes {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
    #[serde(rename = "AttributeNames", default)]
    pub(super) names: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SetAttributes {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
    #[serde(rename = "Attributes")]
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Send {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
    #[serde(flatten)]
    pub(super) message: NewMessage,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct NewMessage {
    #[serde(rename = "MessageBody")]
    pub(super) body: String,
    #[serde(rename = "DelaySeconds")]
    pub(super) delay_seconds: Option<i64>,
    #[serde(rename = "MessageAttributes", default)]
    pub(super) attributes: MessageAttributes,
}

/// A batch: each entry succeeds or fails on its own.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Batch<T> {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
    #[serde(rename = "Entries")]
    pub(super) entries: Vec<T>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SendEntry {
    #[serde(rename = "Id")]
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) message: NewMessage,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Receive {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
    #[serde(rename = "MaxNumberOfMessages")]
    pub(super) limit: Option<i64>,
    #[serde(rename = "VisibilityTimeout")]
    pub(super) visibility_seconds: Option<i64>,
    #[serde(rename = "WaitTimeSeconds")]
    pub(super) wait_seconds: Option<i64>,
    #[serde(rename = "AttributeNames", default)]
    pub(super) attribute_names: Vec<String>,
    #[serde(rename = "MessageSystemAttributeNames", default)]
    pub(super) system_names: Vec<String>,
    #[serde(rename = "MessageAttributeNames", default)]
    pub(super) message_names: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Delete {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
    #[serde(rename = "ReceiptHandle")]
    pub(super) receipt: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DeleteEntry {
    #[serde(rename = "Id")]
    pub(super) id: String,
    #[serde(rename = "ReceiptHandle")]
    pub(super) receipt: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ChangeVisibility {
    #[serde(rename = "QueueUrl")]
    pub(super) queue: QueueName,
    #[serde(rename = "ReceiptHandle")]
    pub(super) receipt: String,
    #[serde(rename = "VisibilityTimeout")]
    pub(super) seconds: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct VisibilityEntry {
    #[serde(rename = "Id")]
    pub(super) id: String,
    #[serde(rename = "ReceiptHandle")]
    pub(super) receipt: String,
    #[serde(rename = "VisibilityTimeout", default)]
    pub(super) seconds: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct MoveMessages {
    #[serde(rename = "SourceArn")]
    pub(super) source: String,
    #[serde(rename = "DestinationArn")]
    pub(super) destination: Option<String>,
    /// Read, so that it may be sent: the move is over at once.
    #[serde(rename = "MaxNumberOfMessagesPerSecond", default)]
    _pace: Option<IgnoredAny>,
}

/// Attributes of a message, in the order of their names.
pub(super) type MessageAttributes = BTreeMap<String, MessageAttribute>;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MessageAttribute {
    pub(super) data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) binary_value: Option<String>,
}

/// The value of a message attribute.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Binary(Vec<u8>),
}

impl MessageAttribute {
    pub(super) fn value(&self) -> Value<'_> {
        match (&self.string_value, &self.binary_value) {
            (None, Some(binary)) => Value::Binary(base64::decode(binary).unwrap_or_default()),
            (text, _) => Value::Text(text.as_deref().unwrap_or_default()),
        }
    }

    /// Bytes that count towards the size of the message.
    pub(super) fn len(&self) -> usize {
        let value = match self.value() {
            Value::Text(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
        };
        self.data_type.len() + value
    }
}
