//! What the clock has to do: campaigns whose time has come, and those that are
//! stuck.

use std::time::Duration;

use domain::campaign::CampaignState;
use queue::{CampaignJob, SendJob};
use store::campaigns::Stored;
use store::due::Due;

use crate::campaigns::{WATCH_MS, sweep_cancelled};
use crate::{Result, Sender};

/// Campaigns that one sweep looks at, of each shard.
const LIMIT: usize = 200;
/// A planner that has not moved for this long is dead, in milliseconds.
const PLANNER_DEAD_MS: i64 = 20_000;

/// Looks at every campaign that is due: starts the scheduled ones, wakes those
/// that nobody works on, and forgets those that ended. Answers how many it saw.
///
/// # Errors
/// [`crate::Code::Unavailable`]; the next sweep sees them again.
pub async fn sweep(sender: &Sender) -> Result<usize> {
    let due = sender.store.due(LIMIT).await?;
    for entry in &due {
        if let Err(error) = look_at(sender, entry).await {
            tracing::error!(tenant = %entry.tenant, campaign = %entry.campaign, code = error.code.as_str(), "a campaign could not be looked at");
        }
    }
    Ok(due.len())
}

async fn look_at(sender: &Sender, due: &Due) -> Result<()> {
    let store = &sender.store;
    let now = store.clock().now_ms();
    let Some(stored) = store.campaign(&due.tenant, due.campaign).await? else {
        return settle(sender, due, None).await;
    };
    match stored.campaign.state {
        CampaignState::Scheduled => {
            // The start puts the campaign into the index anew.
            let job = CampaignJob::Start { tenant: due.tenant.to_string(), campaign: due.campaign.0 };
            sender.queues.campaign(job, 0).await?;
            settle(sender, due, Some(now + WATCH_MS)).await
        }
        CampaignState::Planning | CampaignState::Running => {
            wake(sender, due, &stored).await?;
            settle(sender, due, Some(now + WATCH_MS)).await
        }
        CampaignState::Cancelled => {
            sweep_cancelled(sender, &due.tenant, due.campaign).await?;
            settle(sender, due, None).await
        }
        CampaignState::Draft | CampaignState::Paused | CampaignState::Finished | CampaignState::Failed => {
            settle(sender, due, None).await
        }
    }
}

/// Puts a campaign back on its feet when nobody works on it.
async fn wake(sender: &Sender, due: &Due, stored: &Stored) -> Result<()> {
    let (store, tenant) = (&sender.store, &due.tenant);
    let Some(phone_number_id) = stored.phone_number_id.clone() else { return Ok(()) };
    if let (CampaignState::Planning, Some(planning)) = (stored.campaign.state, stored.planning)
        && store.clock().now_ms() - planning.at_ms > PLANNER_DEAD_MS
    {
        let job = CampaignJob::Plan {
            tenant: tenant.to_string(),
            campaign: due.campaign.0,
            checkpoint: planning.checkpoint,
        };
        sender.queues.campaign(job, 0).await?;
    }
    // A runner that let the campaign go while it was resumed may have taken it off.
    store.activate(tenant, &phone_number_id, due.campaign).await?;
    if !store.is_leased(tenant, &phone_number_id).await? {
        let job = SendJob::Wake { tenant: tenant.to_string(), phone_number_id };
        sender.queues.wake(job, 0, Duration::ZERO).await?;
    }
    Ok(())
}

async fn settle(sender: &Sender, due: &Due, later_ms: Option<i64>) -> Result<()> {
    match sender.store.settle_due(due, later_ms).await {
        // Another sweep was faster.
        Ok(()) | Err(store::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
