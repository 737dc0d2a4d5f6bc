//! What S3 reports of uploads.

use serde::Deserialize;

/// What the bucket reports of an object.
///
/// Source: «Event message structure» of the S3 User Guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketEvent {
    /// Something was uploaded under this id.
    Uploaded(String),
    /// Something came into the bucket that is no upload: its key.
    Foreign(String),
}

/// A message that is no event of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event is malformed")]
pub struct NotAnEvent;

#[derive(Deserialize)]
struct Notice {
    #[serde(rename = "Records")]
    records: Vec<EventRecord>,
}

#[derive(Deserialize)]
struct EventRecord {
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

#[derive(Deserialize)]
struct Test {
    #[serde(rename = "Event")]
    event: String,
}

impl BucketEvent {
    /// Reads a message of the bucket: the objects it names. The test message that
    /// S3 sends when notifications are set up names none.
    ///
    /// # Errors
    /// [`NotAnEvent`]
    pub fn read(body: &str) -> Result<Vec<Self>, NotAnEvent> {
        if serde_json::from_str::<Test>(body).is_ok_and(|test| test.event == "s3:TestEvent") {
            return Ok(Vec::new());
        }
        let message: Notice = serde_json::from_str(body).map_err(|_| NotAnEvent)?;
        Ok(message.records.into_iter().map(|record| Self::of(record.s3.object.key)).collect())
    }

    /// Ids are hexadecimal, so the key of an upload has nothing that S3 escapes.
    fn of(key: String) -> Self {
        let id = key.strip_prefix(crate::UPLOADS);
        match id.filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(id) => Self::Uploaded(id.to_owned()),
            None => Self::Foreign(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventName":"ObjectCreated:Put","s3":{{"object":{{"key":"{key}","size":3}}}}}}]}}"#
        )
    }

    #[test]
    fn uploads_are_told_from_everything_else() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            BucketEvent::read(&event(&format!("uploads/{id}"))),
            Ok(vec![BucketEvent::Uploaded(id.to_owned())])
        );
        for foreign in ["uploads/a", "uploads/../files/a", "files/0123456789abcdef0123456789abcdef"] {
            assert_eq!(
                BucketEvent::read(&event(foreign)),
                Ok(vec![BucketEvent::Foreign(foreign.to_owned())])
            );
        }
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
        assert_eq!(BucketEvent::read(test), Ok(Vec::new()));
        for malformed in ["", "{}", r#"{"Records":[{}]}"#, "[]"] {
            assert_eq!(BucketEvent::read(malformed), Err(NotAnEvent), "{malformed}");
        }
    }
}
