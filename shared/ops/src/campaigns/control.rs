use std::time::Duration;

use domain::campaign::CampaignState;
use domain::recipient::State;
use domain::webhook::EventType;
use domain::{CampaignId, ContactId, TenantId};
use queue::{CampaignJob, SendJob};
use store::Store;
use store::campaigns::Stored;
use store::due::{Due, Watched};
use store::ledger::Entry;

use super::{WATCH_MS, load, timing, wrong_state};
use crate::events::{Audience, Teller, campaign_ended, facts_of};
use crate::{Result, Sender};

/// Recipients of one page.
const PAGE: usize = 500;

/// Stops sending within one wave; nothing is lost.
///
/// # Errors
/// [`crate::Code::Conflict`] when it does not send.
pub async fn pause(sender: &Sender, tenant: &TenantId, id: CampaignId) -> Result<CampaignState> {
    let stored = load(&sender.store, tenant, id).await?;
    if !stored.campaign.state.is_active() {
        return Err(wrong_state(stored.campaign.state));
    }
    transition(sender, tenant, &stored, CampaignState::Paused, Some("paused by its owner")).await
}

/// Pauses a campaign that may not send on, for a reason that is not its owner's;
/// one that does not send is left as it is.
pub(crate) async fn stop_sending(
    teller: &Teller,
    tenant: &TenantId,
    id: CampaignId,
    reason: &str,
) -> Result<()> {
    for from in [CampaignState::Running, CampaignState::Planning] {
        if end(teller, tenant, id, (from, CampaignState::Paused), Some(reason)).await? {
            break;
        }
    }
    Ok(())
}

/// Moves a campaign that ends, or that only its owner can set going again, and tells
/// it; answers whether it was in the state to move from.
pub(crate) async fn end(
    teller: &Teller,
    tenant: &TenantId,
    id: CampaignId,
    (from, to): (CampaignState, CampaignState),
    reason: Option<&str>,
) -> Result<bool> {
    let store = &teller.store;
    let kind = if reason.is_some() { EventType::CampaignFailed } else { EventType::CampaignFinished };
    let audience = Audience::of(store, tenant).await?;
    let mut notes = Vec::new();
    if audience.wants(kind, None)
        && let Some(stored) = store.campaign(tenant, id).await?
    {
        let event = campaign_ended(tenant, &stored.campaign, reason, store.clock().now_ms());
        notes.push(store.entry(tenant, facts_of(&event)));
    }
    match store.transition_campaign(tenant, id, from, to, reason, notes.first()).await {
        Ok(()) => {
            teller.tell_now(&notes).await;
            Ok(true)
        }
        Err(store::Error::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sends on: what is pending, or, with `only_failed`, again what failed.
///
/// # Errors
/// [`crate::Code::Conflict`] when it is not paused; with `only_failed` it may
/// also be finished.
pub async fn resume(
    sender: &Sender,
    tenant: &TenantId,
    id: CampaignId,
    only_failed: bool,
) -> Result<(CampaignState, u64)> {
    let stored = load(&sender.store, tenant, id).await?;
    let may = match stored.campaign.state {
        CampaignState::Paused => true,
        CampaignState::Finished => only_failed,
        CampaignState::Draft
        | CampaignState::Scheduled
        | CampaignState::Planning
        | CampaignState::Running
        | CampaignState::Cancelled
        | CampaignState::Failed => false,
    };
    let Some(phone_number_id) = stored.phone_number_id.clone().filter(|_| may) else {
        return Err(wrong_state(stored.campaign.state));
    };
    let again = if only_failed { retry_failed(sender, tenant, id).await? } else { 0 };
    if only_failed && again == 0 && stored.campaign.state == CampaignState::Finished {
        return Ok((CampaignState::Finished, 0));
    }
    let to = if stored.is_planned() { CampaignState::Running } else { CampaignState::Planning };
    let state = transition(sender, tenant, &stored, to, None).await?;
    let store = &sender.store;
    store.activate(tenant, &phone_number_id, id).await?;
    let at_ms = store.clock().now_ms() + WATCH_MS;
    store.watch(&Due { tenant: tenant.clone(), what: Watched::Campaign(id), at_ms }).await?;
    if let (CampaignState::Planning, Some(planning)) = (to, stored.planning) {
        let tenant = tenant.to_string();
        let job = CampaignJob::Plan { tenant, campaign: id.0, checkpoint: planning.checkpoint };
        sender.queues.campaign(job, 0).await?;
    }
    let wake = SendJob::Wake { tenant: tenant.to_string(), phone_number_id };
    sender.queues.wake(wake, 0, Duration::ZERO).await?;
    Ok((state, again))
}

/// Stops for good: what was not sent is `skipped: cancelled`.
///
/// # Errors
/// [`crate::Code::Conflict`] when it has ended.
pub async fn cancel(sender: &Sender, tenant: &TenantId, id: CampaignId) -> Result<CampaignState> {
    let stored = load(&sender.store, tenant, id).await?;
    match stored.campaign.state {
        CampaignState::Finished | CampaignState::Cancelled | CampaignState::Failed => {
            return Err(wrong_state(stored.campaign.state));
        }
        CampaignState::Draft
        | CampaignState::Scheduled
        | CampaignState::Planning
        | CampaignState::Running
        | CampaignState::Paused => {}
    }
    let state =
        transition(sender, tenant, &stored, CampaignState::Cancelled, Some("cancelled by its owner")).await?;
    if stored.campaign.state == CampaignState::Scheduled {
        timing::disarm(sender, tenant, &stored.campaign).await;
    }
    if stored.phone_number_id.is_some() {
        sweep_cancelled(&sender.store, tenant, id).await?;
    }
    Ok(state)
}

/// Marks what a cancelled campaign did not send. A wave that was claimed before
/// the cancellation may still be under way: its outcomes win, and whoever finds
/// the campaign cancelled later sweeps again.
pub(crate) async fn sweep_cancelled(store: &Store, tenant: &TenantId, id: CampaignId) -> Result<u64> {
    let mut skipped = 0;
    for head in store.heads_of(tenant, id).await? {
        let mut after = ContactId(0);
        loop {
            let rows = store.rows_after(tenant, id, head.block, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.contact;
            // What is claimed and has no outcome yet is not ours to judge.
            let open: Vec<(ContactId, u32, Entry)> = rows
                .iter()
                .filter(|r| r.progress.state == State::Pending)
                .filter(|r| r.contact > head.cursor || r.contact <= head.settled || r.retry_at.is_some())
                .map(|r| (r.contact, r.attempt, Entry::Skipped { reason: "cancelled".to_owned() }))
                .collect();
            skipped += open.len() as u64;
            store.record(tenant, id, &open).await?;
            if !open.is_empty() {
                store.mark_dirty(tenant, id, &[head.block]).await?;
            }
        }
    }
    Ok(skipped)
}

async fn retry_failed(sender: &Sender, tenant: &TenantId, id: CampaignId) -> Result<u64> {
    let store = &sender.store;
    let mut again = 0;
    for head in store.heads_of(tenant, id).await? {
        let mut after = ContactId(0);
        let mut of_block = 0;
        loop {
            let rows = store.rows_after(tenant, id, head.block, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.contact;
            for row in rows.iter().filter(|r| r.progress.state == State::Failed) {
                match store.retry_failed(tenant, id, row).await {
                    Ok(()) => of_block += 1,
                    Err(store::Error::Conflict) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if of_block > 0 {
            store.add_retries(tenant, id, head.block, of_block).await?;
        }
        again += of_block;
    }
    Ok(again)
}

/// Moves the campaign to `to`; when somebody else moved it meanwhile, the request
/// came too late.
async fn transition(
    sender: &Sender,
    tenant: &TenantId,
    stored: &Stored,
    to: CampaignState,
    reason: Option<&str>,
) -> Result<CampaignState> {
    let store = &sender.store;
    let id = stored.campaign.id;
    let mut from = stored.campaign.state;
    loop {
        match store.transition_campaign(tenant, id, from, to, reason, None).await {
            Ok(()) => break,
            Err(store::Error::Conflict) => {
                let now = load(store, tenant, id).await?.campaign.state;
                // Planning becomes running by itself: that changes nothing.
                let harmless = from == CampaignState::Planning && now == CampaignState::Running;
                if !harmless {
                    return Err(wrong_state(now));
                }
                from = now;
            }
            Err(error) => return Err(error.into()),
        }
    }
    store.audit(tenant, "control", &format!("campaign {id} {}", to.as_str())).await?;
    Ok(to)
}
