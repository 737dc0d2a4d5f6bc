//! The function on Lambda: batches of the queue `media`.

use std::process::ExitCode;

use media_worker::{App, handle};
use queue::Queue::Media;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let (store, files, queues) = (env.store_without_secrets()?, env.files()?, env.queues(&[Media])?);
        let app = App { store, files, queues };
        runtime::queue(async |batch| handle(&app, &batch.records).await).await
    })
}
