//! Errors of the queues in the words and codes of SQS.

use http::StatusCode;

use super::super::reply::JsonReply;

/// Why a request was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct SqsError {
    /// The shape's name, such as `QueueDoesNotExist`.
    kind: &'static str,
    /// The code of the older protocol, which the SDKs still go by.
    pub(super) code: &'static str,
    pub(super) message: String,
    status: StatusCode,
}

impl SqsError {
    fn services(kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), status: StatusCode::BAD_REQUEST }
    }

    pub(super) fn no_queue() -> Self {
        let message = "The specified queue does not exist.";
        Self::services("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)
    }

    pub(super) fn queue_exists() -> Self {
        let message = "A queue already exists with the same name and different attributes.";
        Self::services("QueueNameExists", "QueueAlreadyExists", message)
    }

    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::services("InvalidParameterValueException", "InvalidParameterValue", message)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Self::services("MissingParameterException", "MissingParameter", message)
    }

    pub(super) fn attribute_name(name: &str) -> Self {
        Self::services("InvalidAttributeName", "InvalidAttributeName", format!("Unknown Attribute {name}."))
    }

    pub(super) fn attribute_value(name: &str) -> Self {
        let message = format!("Invalid value for the parameter {name}.");
        Self::services("InvalidAttributeValue", "InvalidAttributeValue", message)
    }

    pub(super) fn receipt(handle: &str) -> Self {
        let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        Self::services("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message)
    }

    pub(super) fn not_in_flight() -> Self {
        let message = "The message referred to isn't in flight.";
        Self::services("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", message)
    }

    pub(super) fn empty_batch() -> Self {
        let message = "There should be at least one entry in the request.";
        Self::services("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message)
    }

    pub(super) fn too_many_entries(count: usize) -> Self {
        let code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
        let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
        Self::services("TooManyEntriesInBatchRequest", code, message)
    }

    pub(super) fn entry_ids() -> Self {
        let message = "Two or more batch entries in the request have the same Id.";
        Self::services("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", message)
    }

    pub(super) fn batch_too_long(limit: usize, sent: usize) -> Self {
        let code = "AWS.SimpleQueueService.BatchRequestTooLong";
        let message =
            format!("Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes.");
        Self::services("BatchRequestTooLong", code, message)
    }

    pub(super) fn no_resource() -> Self {
        let message = "The resource that you specified for the SourceArn parameter doesn't exist.";
        Self::services("ResourceNotFoundException", "ResourceNotFoundException", message)
    }

    pub(super) fn unknown_action(action: &str) -> Self {
        let message = format!("the action {action:?} is not embedded");
        Self::services("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", message)
    }

    /// The engine stopped half-way through the request.
    pub(super) fn stopped() -> Self {
        Self {
            kind: "InternalError",
            code: "InternalError",
            message: "the queue store stopped".to_owned(),
            status: StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the store failed, rather than the request.
    pub(super) fn is_fault(&self) -> bool {
        self.status.is_server_error()
    }

    pub(super) fn into_reply(self) -> JsonReply {
        let kind = format!("com.amazonaws.sqs#{}", self.kind);
        let fault = if self.status.is_server_error() { "Receiver" } else { "Services" };
        let mut reply = JsonReply::error(self.status, &kind, &self.message);
        reply.query_error = Some(format!("{};{fault}", self.code));
        reply
    }
}

impl From<rusqlite::Error> for SqsError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the queue store failed");
        Self { message: "the queue store failed".to_owned(), ..Self::stopped() }
    }
}
