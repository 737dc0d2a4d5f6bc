//! A sender's lease: taken, and handed over with a successor when there is work left. Whoever
//! dies with it is succeeded by the next wake-up, when the lease has run out; a copy of a
//! wake-up changes nothing.

use std::time::Duration;

use domain::TenantId;
use domain::sender::SenderId;
use queue::{SendJob, Unacknowledged};
use store::runner::{Condition, Lease};

use super::attempt::SendContext;
use super::runner::{Ended, RunResult, Runner};
use crate::Services;
use crate::campaigns::stop_sending;
use crate::routes::{Route, resolve};
use ops::Result;
use ops::events::EventPublisher;

/// The queue delays a wake-up by no more than this.
const MAX_DELAY: Duration = Duration::from_secs(900);
/// The longest pause of a runner that finds nothing to do.
const MAX_IDLE: Duration = Duration::from_secs(60);
/// After so long a lease that could not be released is over.
const EXPIRED: Duration = Duration::from_secs(11);
/// Delays of the queue are whole seconds: a wake-up may come a little early.
const EARLY_MS: i64 = 1_000;

/// Sends what waits for a sender, until nothing waits or `out_of_time` says so.
///
/// # Errors
/// [`ops::Code::Unavailable`] when nothing was done and no successor is queued.
pub async fn run(
    services: &Services,
    cause: Unacknowledged<'_>,
    tenant: &TenantId,
    id: &SenderId,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<Ended> {
    let store = &services.store;
    let lease = match store.take_lease(tenant, id).await {
        Ok(lease) => lease,
        Err(store::Error::Conflict) => return Ok(Ended::Busy),
        Err(error) => return Err(error.into()),
    };
    let now = store.clock().now_ms();
    // Of a wake-up that came twice the copy ends here: its original comes in time.
    if generation > 0 && lease.condition.next_run_ms > now + EARLY_MS {
        store.release_lease(&lease, &lease.condition).await?;
        return Ok(Ended::Busy);
    }
    let (result, condition) = match route_of(services, tenant, id).await {
        Ok(Some((route, limit))) => {
            let line = SendContext::new(services, cause, tenant, (&route, limit), &lease.condition);
            // A runner's future is large: it lives on the heap.
            let result = Box::pin(Runner::new(&line, &lease).run(out_of_time)).await;
            report_lateness(&line);
            let condition = line_condition(&line, &lease, &result);
            (result, condition)
        }
        Ok(None) => (orphaned(services, tenant, id).await, lease.condition),
        Err(error) => {
            let result = RunResult { failure: Some(error), ..RunResult::of(Ended::HandedOver) };
            (result, Condition { idle: lease.condition.idle + 1, ..lease.condition })
        }
    };
    hand_over(services, &lease, generation, result, condition).await
}

/// Lets the sender go, with a successor when there is work left.
async fn hand_over(
    services: &Services,
    lease: &Lease,
    generation: u32,
    result: RunResult,
    mut condition: Condition,
) -> Result<Ended> {
    let store = &services.store;
    let RunResult { ended, later, progress, failure } = result;
    if let Some(error) = &failure {
        tracing::error!(tenant = %lease.tenant, code = error.code.as_str(), "a runner could not go on");
    }
    let pause = if progress { Duration::ZERO } else { idle_pause(condition.idle) };
    let delay = later.unwrap_or(Duration::ZERO).max(pause).min(MAX_DELAY);
    let delay = Duration::from_secs(delay.as_secs() + u64::from(delay.subsec_nanos() > 0));
    condition.next_run_ms = store.clock().now_ms() + i64::try_from(delay.as_millis()).unwrap_or(0);
    let mut delay = delay;
    if let Err(error) = store.release_lease(lease, &condition).await {
        tracing::warn!(tenant = %lease.tenant, %error, "a lease runs out by itself");
        delay = delay.max(EXPIRED);
    }
    // Whoever launched while we held the lease was turned away: look once more.
    let work_left = match ended {
        Ended::HandedOver => true,
        Ended::Idle => {
            let live = store.active(&lease.tenant, &lease.sender).await;
            live.map_or(true, |live| !live.is_empty())
        }
        Ended::Lost | Ended::Busy => false,
    };
    if work_left {
        let wake = SendJob::Wake { tenant: lease.tenant.to_string(), sender: lease.sender.to_string() };
        services.queues.wake(wake, generation + 1, delay).await?;
    }
    Ok(ended)
}

/// How long a sender is left alone for which nothing could be done so often.
fn idle_pause(times: u32) -> Duration {
    match times {
        0 => Duration::ZERO,
        _ => Duration::from_secs(1 << (times - 1).min(6)).min(MAX_IDLE),
    }
}

fn report_lateness(line: &SendContext<'_>) {
    let late_ms = u64::try_from(line.pacer.lateness().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: "metric", name = "SlotLateness", value = late_ms, unit = "Milliseconds");
}

/// How the sender fares after this run.
fn line_condition(line: &SendContext<'_>, lease: &Lease, result: &RunResult) -> Condition {
    let held = line.pacer.held_for().unwrap_or_default();
    let held_until_ms = line.services.store.clock().now_ms() + i64::try_from(held.as_millis()).unwrap_or(0);
    let idle = if result.progress { 0 } else { lease.condition.idle.saturating_add(1) };
    Condition { held_until_ms, outages: line.health.outages(), idle, next_run_ms: 0 }
}

/// Where a sender leads, and the plan's messages of a day.
async fn route_of(
    services: &Services,
    tenant: &TenantId,
    id: &SenderId,
) -> Result<Option<(Route, Option<u64>)>> {
    let Some(route) = resolve(services, tenant, id).await? else { return Ok(None) };
    let limit = services.store.tenant(tenant).await?.and_then(|t| t.plan.messages_per_day);
    Ok(Some((route, limit)))
}

/// The tenant has the sender no more: its campaigns wait for their owner.
async fn orphaned(services: &Services, tenant: &TenantId, id: &SenderId) -> RunResult {
    let reason = format!("the sender {id} is gone");
    let pause = async {
        for campaign in services.store.active(tenant, id).await? {
            stop_sending(&EventPublisher::from(services), tenant, campaign, &reason).await?;
            services.store.deactivate(tenant, id, campaign).await?;
        }
        Ok(())
    };
    RunResult { failure: pause.await.err(), progress: true, ..RunResult::of(Ended::Lost) }
}
