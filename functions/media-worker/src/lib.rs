//! What was uploaded straight to the bucket: is it what was announced?
//!
//! Trigger: the queue `media`, to which the bucket reports what comes in below
//! `uploads/`. Writes files; moves objects to `files/` or `quarantine/`, and those whose
//! contacts are to be imported to `imports/`, whose jobs it queues.

use contact_files::ContactFiles;
use media::BucketEvent;
use messaging::files::Files;
use ops::Code;
use queue::{Done, Queue, Queues, Record, Unreadable};
use store::Store;

/// What the worker uses.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// The bucket.
    pub files: Files,
    /// Where to park what cannot be done, and imports go.
    pub queues: Queues,
}

/// Checks the uploads of each record; answers the ids of the records that must
/// come again.
pub async fn handle(app: &App, records: &[Record]) -> Vec<String> {
    let mut again = Vec::new();
    for record in records {
        let done = match BucketEvent::read(&record.body) {
            Ok(events) => check(app, events).await,
            Err(_) => Unreadable::Malformed.into(),
        };
        again.extend(app.queues.settle(Queue::Media, record, done).await);
    }
    again
}

async fn check(app: &App, events: Vec<BucketEvent>) -> Done {
    let mut done = Done::Yes;
    for event in events {
        let BucketEvent::Uploaded(id) = event else {
            done = Done::Never("the object is no upload of ours".to_owned());
            continue;
        };
        match Box::pin(app.files.settle_upload(&app.store, &id)).await {
            Ok(state) => tracing::info!(?state, "an upload was checked"),
            Err(error) if error.code == Code::NotFound => match import(app, &id).await {
                Ok(true) => tracing::info!("an import begins"),
                Ok(false) => done = Done::Never(error.message),
                Err(error) => {
                    tracing::error!(code = error.code.as_str(), "an import could not begin");
                    return Done::Again;
                }
            },
            Err(error) => {
                tracing::error!(code = error.code.as_str(), "an upload could not be checked");
                return Done::Again;
            }
        }
    }
    done
}

/// Begins the import that an upload was announced for; answers whether there is one.
async fn import(app: &App, upload: &str) -> ops::Result<bool> {
    let App { store, files, queues } = app.clone();
    let files = ContactFiles { store, queues, bucket: files.bucket().clone() };
    contact_files::uploaded(&files, upload).await
}
