//! The MD5 sums that clients compare with their own.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>

use md5::{Digest, Md5};

use super::wire::{MessageAttributes, Value};

/// MD5 of a message's body, in hex.
pub(super) fn of_body(body: &str) -> String {
    hex(Md5::digest(body.as_bytes()).as_slice())
}

/// MD5 of a message's attributes, in hex: each name, type and value in the
/// order of their names, every part after its length.
pub(super) fn of_attributes(attributes: &MessageAttributes) -> String {
    let mut encoded = Vec::new();
    for (name, attribute) in attributes {
        add(&mut encoded, name.as_bytes());
        add(&mut encoded, attribute.data_type.as_bytes());
        match attribute.value() {
            Value::Text(text) => {
                encoded.push(1);
                add(&mut encoded, text.as_bytes());
            }
            Value::Binary(bytes) => {
                encoded.push(2);
                add(&mut encoded, &bytes);
            }
        }
    }
    hex(Md5::digest(&encoded).as_slice())
}

fn add(encoded: &mut Vec<u8>, part: &[u8]) {
    encoded.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    encoded.extend(part);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
