//! Pause, resume and cancel: the state moves in one transaction, and what takes long is a
//! worker's. What is not queued, the sweep finds.

use std::time::Duration;

use domain::campaign::CampaignState;
use domain::sender::SenderId;
use domain::webhook::EventType;
use domain::{CampaignId, TenantId};
use queue::{CampaignJob, SendJob};
use store::campaigns::{Stored, Transition};
use store::due::{Due, Watched};
use store::ledger::Which;
use store::outbox::Note;

use super::{load, timing, wrong_state};
use crate::Services;
use ops::credits::resumable;
use ops::events::{EventPublisher, Transaction, campaign_ended};
use ops::schedule::WATCH_MS;
use ops::{Code, Error, Result};

/// Tries against campaigns that move by themselves.
const TRIES: usize = 4;
/// After how many seconds an order that is under way may be over.
const ORDER_S: u64 = 5;

/// Stops sending within one wave; nothing is lost.
///
/// # Errors
/// [`ops::Code::Conflict`] when it does not send.
pub async fn pause(services: &Services, tenant: &TenantId, id: CampaignId) -> Result<CampaignState> {
    let to = CampaignState::Paused;
    let (_, state) = transition(services, tenant, id, "paused by its owner", |from| {
        from.is_active().then_some((to, None))
    })
    .await?;
    Ok(state)
}

/// Pauses a campaign that may not send on, for a reason that is not its owner's;
/// one that does not send is left as it is.
pub(crate) async fn stop_sending(
    publisher: &EventPublisher,
    tenant: &TenantId,
    id: CampaignId,
    reason: &str,
) -> Result<()> {
    for from in [CampaignState::Running, CampaignState::Planning] {
        if end(publisher, tenant, id, (from, CampaignState::Paused), Some(reason)).await? {
            break;
        }
    }
    Ok(())
}

/// Moves a campaign that ends, or that only its owner can set going again, and tells
/// it; answers whether it was in the state to move from.
pub(crate) async fn end(
    publisher: &EventPublisher,
    tenant: &TenantId,
    id: CampaignId,
    (from, to): (CampaignState, CampaignState),
    reason: Option<&str>,
) -> Result<bool> {
    let store = &publisher.store;
    let kind = if reason.is_some() { EventType::CampaignFailed } else { EventType::CampaignFinished };
    let events = publisher.caused_by(Transaction, tenant).await?;
    let mut note = Note::none();
    if events.wants(kind, None)
        && let Some(stored) = store.campaign(tenant, id).await?
    {
        note = events.note(&campaign_ended(tenant, &stored.campaign, reason, store.clock().now_ms()));
    }
    match store.transition_campaign(tenant, id, from, to, reason, note).await {
        Ok(written) => {
            events.publish(written).await;
            Ok(true)
        }
        Err(store::Error::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sends on: what is pending, and, when `order` says so, again whom it is about. Only
/// the state is changed here, with all that belongs to it; a worker puts recipients
/// back, and the sweep sees to it that it does. Answers how many are to be put back, when
/// that is counted.
///
/// # Errors
/// [`ops::Code::Conflict`] when it is not paused; with an order it may also run, or be
/// finished, but another order must not be under way.
pub async fn resume(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    order: Option<Which>,
) -> Result<(CampaignState, Option<u64>)> {
    let store = &services.store;
    let stored = load(store, tenant, id).await?;
    let from = stored.campaign.state;
    let may = match from {
        CampaignState::Paused => true,
        CampaignState::Finished | CampaignState::Running => order.is_some(),
        CampaignState::Draft
        | CampaignState::Scheduled
        | CampaignState::Planning
        | CampaignState::Cancelled
        | CampaignState::Failed => false,
    };
    let Some(sender) = stored.campaign.sender.clone().filter(|_| may) else {
        return Err(wrong_state(from));
    };
    let count = match order {
        Some(which) => {
            let (counts, is_old) = store.recent_counts(tenant, id).await?;
            Some(counts.of(which.state())).filter(|_| !is_old)
        }
        None => None,
    };
    if count == Some(0) && from == CampaignState::Finished {
        return Ok((from, count));
    }
    if let (Some(under_way), Some(which)) = (stored.again, order)
        && under_way.which != which
    {
        let message = format!(
            "an order to send again to those who are {} is being carried out: give this one after it",
            under_way.which.as_str()
        );
        return Err(Error::conflict(message).after(ORDER_S));
    }
    let to = if stored.is_planned() { CampaignState::Running } else { CampaignState::Planning };
    let watch_at_ms = Some(store.clock().now_ms() + WATCH_MS);
    // The same order is under way: it goes on.
    let new = order.filter(|_| stored.again.is_none());
    match store
        .resume_campaign(tenant, &stored, Transition { from, to, reason: None, watch_at_ms }, new)
        .await
    {
        Ok(()) => {}
        Err(store::Error::Conflict) => {
            return Err(wrong_state(load(store, tenant, id).await?.campaign.state));
        }
        Err(error) => return Err(error.into()),
    }
    let order = new.map(|_| stored.orders + 1).or(stored.again.map(|again| again.seq));
    set_going(services, tenant, &stored, to, order, &sender).await;
    Ok((to, count))
}

/// Lets campaigns go on that waited for credits, now that some were granted; the entry of the
/// due index at `at_ms` is done then. Those that find too little wait again.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn fund(services: &Services, tenant: &TenantId, at_ms: i64) -> Result<()> {
    let store = &services.store;
    for id in store.unfunded(tenant).await? {
        let Some(stored) = store.campaign(tenant, id).await? else { continue };
        if !resumable(&stored) {
            store.forget_unfunded(tenant, id, stored.campaign.state).await?;
            continue;
        }
        match resume(services, tenant, id, None).await {
            Ok(_) => {}
            // Its owner was faster.
            Err(error) if error.code == Code::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Ok(store.forget_due(&Due { tenant: tenant.clone(), what: Watched::Credits, at_ms }).await?)
}

/// Queues what a campaign that goes on needs. It goes on in any case: what is not
/// queued, the sweep finds.
async fn set_going(
    services: &Services,
    tenant: &TenantId,
    stored: &Stored,
    to: CampaignState,
    order: Option<u64>,
    sender: &SenderId,
) {
    let (name, campaign) = (tenant.to_string(), stored.campaign.id.0);
    let plan = stored.planning.filter(|_| to == CampaignState::Planning);
    let plan = plan.map(|planning| CampaignJob::Plan {
        tenant: name.clone(),
        campaign,
        checkpoint: planning.checkpoint,
    });
    let block = stored.again.map_or(0, |again| again.block);
    let again = order.map(|order| CampaignJob::Again { tenant: name.clone(), campaign, order, block });
    let mut queued = Ok(());
    for job in plan.into_iter().chain(again) {
        queued = queued.and(services.queues.campaign(job, 0).await);
    }
    let wake = SendJob::Wake { tenant: name, sender: sender.to_string() };
    if let Err(error) = queued.and(services.queues.wake(wake, 0, Duration::ZERO).await) {
        tracing::warn!(%tenant, code = error.code, "a campaign that goes on waits for the sweep");
    }
}

/// Stops for good: what was not sent will be `skipped: cancelled`. A worker sees to it.
///
/// # Errors
/// [`ops::Code::Conflict`] when it has ended.
pub async fn cancel(services: &Services, tenant: &TenantId, id: CampaignId) -> Result<CampaignState> {
    let to = CampaignState::Cancelled;
    let watch_at_ms = services.store.clock().now_ms() + WATCH_MS;
    let (stored, state) = transition(services, tenant, id, "cancelled by its owner", |from| match from {
        CampaignState::Finished | CampaignState::Cancelled | CampaignState::Failed => None,
        CampaignState::Draft
        | CampaignState::Scheduled
        | CampaignState::Planning
        | CampaignState::Running
        | CampaignState::Paused => Some((to, Some(watch_at_ms))),
    })
    .await?;
    if stored.campaign.state == CampaignState::Scheduled {
        timing::disarm(services, tenant, &stored.campaign).await;
    }
    if stored.planning.is_some() {
        let job = CampaignJob::Cancel { tenant: tenant.to_string(), campaign: id.0 };
        if let Err(error) = services.queues.campaign(job, 0).await {
            tracing::warn!(%tenant, code = error.code, "a cancelled campaign waits for the sweep");
        }
    }
    Ok(state)
}

/// Moves the campaign where `may` says for the state it is in, and answers it as it was
/// before. One that moves by itself meanwhile is looked at again.
async fn transition(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    reason: &str,
    may: impl Fn(CampaignState) -> Option<(CampaignState, Option<i64>)>,
) -> Result<(Stored, CampaignState)> {
    let store = &services.store;
    for _ in 0..TRIES {
        let stored = load(store, tenant, id).await?;
        let from = stored.campaign.state;
        let Some((to, watch_at_ms)) = may(from) else { return Err(wrong_state(from)) };
        let request = Transition { from, to, reason: Some(reason), watch_at_ms };
        match store.request_campaign(tenant, id, request).await {
            Ok(()) => return Ok((stored, to)),
            Err(store::Error::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(store::Error::Contended.into())
}
