//! The function on Lambda: batches of the queue `media`.

use std::process::ExitCode;

use media_worker::{App, handle};
use messaging::files::Files;
use queue::Queue::{Campaign, Media};
use queue::Queues;
use store::Store;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let (files, queues) = (Files::of(&env)?, Queues::of(&env, &[Media, Campaign])?);
        let app = App { store: Store::without_secrets(&env)?, files, queues };
        runtime::queue(async |batch| handle(&app, &batch.records).await).await
    })
}
