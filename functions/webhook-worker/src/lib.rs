//! Events on their way to the users' endpoints.
//!
//! Trigger: the queue `webhook`, up to 10 jobs at a time. Writes claims, deliveries,
//! attempts, what waits and how endpoints fare; long bodies go to the bucket.

use std::time::Duration;

use dispatch::{BatchItem, Drained, WebhookDispatcher};
use domain::webhook::EndpointId;
use ops::events::DeliveryJob;
use queue::{Done, Job, Queue, Record, WebhookJob};

/// Works off all records together; answers the ids of those that must come again.
/// `out_of_time` ends the sending of what waits, which then goes on in another run.
pub async fn handle(
    dispatcher: &WebhookDispatcher,
    records: &[Record],
    out_of_time: impl Fn() -> bool,
) -> Vec<String> {
    let (mut items, mut drains, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for (i, record) in records.iter().enumerate() {
        match read(i, record) {
            Ok(Work::Deliver(item)) => items.push(*item),
            Ok(Work::Drain(drain)) => drains.push((record, drain)),
            Err(never) => again.extend(dispatcher.queues.settle(Queue::Webhook, record, never).await),
        }
    }
    let late = Box::pin(dispatcher.deliver(items)).await;
    again.extend(late.into_iter().filter_map(|i| records.get(i)).map(|record| record.id.clone()));
    for (record, drain) in drains {
        let done = drain.run(dispatcher, &out_of_time).await;
        again.extend(dispatcher.queues.settle(Queue::Webhook, record, done).await);
    }
    again
}

enum Work {
    Deliver(Box<BatchItem>),
    Drain(Drain),
}

struct Drain {
    tenant: String,
    endpoint: u64,
    generation: u32,
}

fn read(i: usize, record: &Record) -> Result<Work, Done> {
    let Job { job, generation, .. } = Job::<WebhookJob>::parse(&record.body)?;
    match job {
        WebhookJob::Deliver { tenant, endpoint, event } => {
            let job = DeliveryJob::read(&tenant, endpoint, event);
            let item = job.map(|job| BatchItem { index: i, job });
            item.map(|item| Work::Deliver(Box::new(item))).map_err(|error| Done::Never(error.message))
        }
        WebhookJob::Drain { tenant, endpoint } => Ok(Work::Drain(Drain { tenant, endpoint, generation })),
    }
}

impl Drain {
    async fn run(self, dispatcher: &WebhookDispatcher, out_of_time: &impl Fn() -> bool) -> Done {
        let Ok(tenant) = self.tenant.parse() else {
            return Done::Never("the job names no tenant".to_owned());
        };
        match Box::pin(dispatcher.drain(&tenant, EndpointId(self.endpoint), out_of_time)).await {
            Ok(Drained::Nothing | Drained::Done) => Done::Yes,
            Ok(Drained::More) => self.go_on(dispatcher).await,
            Err(error) => {
                tracing::error!(%tenant, code = error.code.as_str(), "what waits could not be sent");
                Done::Again
            }
        }
    }

    async fn go_on(self, dispatcher: &WebhookDispatcher) -> Done {
        let job = WebhookJob::Drain { tenant: self.tenant, endpoint: self.endpoint };
        match dispatcher.queues.later(job, self.generation + 1, Duration::ZERO).await {
            Ok(()) => Done::Yes,
            Err(_) => Done::Again,
        }
    }
}
