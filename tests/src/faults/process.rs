//! The workers, as AWS runs them: a process per batch, that may end at any call.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use local::embedded::hold;
use registry::{CAMPAIGN_WORKER, Function, INBOUND_WORKER, SCHEDULE_TICK, SEND_WORKER, WEBHOOK_WORKER};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::feed::Feed;
use super::gate::{Gate, run_as};
use crate::World;
use crate::workers::most;

/// How long a queue is waited on, in seconds: as long as SQS allows.
const WAIT_S: u32 = 20;
/// How often the sweep runs, as on AWS.
const SWEEP: Duration = Duration::from_secs(60);
/// When AWS ends the sweep.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(55);

/// Lets the workers of a world work, and the sweep look once a minute.
pub(super) fn start(gate: &Arc<Gate>, world: &Arc<World>) -> JoinSet<()> {
    let mut running = JoinSet::new();
    for worker in [&CAMPAIGN_WORKER, &SEND_WORKER, &SEND_WORKER, &INBOUND_WORKER, &WEBHOOK_WORKER] {
        running.spawn(work(gate.clone(), world.clone(), worker));
    }
    running.spawn(tick(gate.clone(), world.clone()));
    running
}

async fn work(gate: Arc<Gate>, world: Arc<World>, worker: &'static Function) {
    let jobs = worker.jobs().unwrap();
    let (feed, url) = (Feed::of(&world), world.urls.of(jobs.queue));
    // When AWS ends it.
    let end = Duration::from_secs(worker.timeout_s.into());
    loop {
        let messages = feed.receive(url, most(&jobs), WAIT_S).await;
        if messages.is_empty() {
            continue;
        }
        world.busy.fetch_add(1, Ordering::SeqCst);
        let work = run_as(&gate, worker.name, Box::pin(world.handle(worker, &messages)));
        // What ends amid its work deletes nothing: the messages come again in their time.
        if let Ok(Some(failed)) = timeout(end, work).await {
            let done = messages.iter().filter(|m| !failed.iter().any(|id| Some(&**id) == m.message_id()));
            for message in done {
                feed.delete(url, message).await;
            }
        }
        world.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn tick(gate: Arc<Gate>, world: Arc<World>) {
    loop {
        sleep(SWEEP).await;
        let queues = &world.services.queues;
        let sweep = async {
            let swept = hold(&SCHEDULE_TICK, schedule_tick::handle(world.store(), queues));
            if let Err(error) = swept.await {
                tracing::error!(code = error.code.as_str(), "the sweep failed");
            }
        };
        let _ended = timeout(SWEEP_TIMEOUT, run_as(&gate, "schedule-tick", sweep)).await;
    }
}
