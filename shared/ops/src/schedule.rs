//! What the clock has to do: campaigns whose time has come, those that are stuck,
//! endpoints that events wait for, and facts that nobody has told on.

use std::time::Duration;

use domain::campaign::CampaignState;
use domain::{CampaignId, TenantId};
use queue::{CampaignJob, Queues, SendJob};
use store::Store;
use store::campaigns::Stored;
use store::due::{Due, Watched};

use crate::campaigns::{WATCH_MS, sweep_cancelled};
use crate::{Result, events, webhooks};

/// Campaigns that one sweep looks at, of each shard.
const LIMIT: usize = 200;
/// A planner that has not moved for this long is dead, in milliseconds.
const PLANNER_DEAD_MS: i64 = 20_000;

/// Looks at everything that is due: starts scheduled campaigns, wakes those that
/// nobody works on, forgets those that ended; has waiting events sent; tells on what
/// a request that broke off did not. Answers how much it saw.
///
/// # Errors
/// [`crate::Code::Unavailable`]; the next sweep sees them again.
pub async fn sweep(store: &Store, queues: &Queues) -> Result<usize> {
    let due = store.due(LIMIT).await?;
    let mut stuck = 0_u64;
    for entry in &due {
        let looked = match entry.what {
            Watched::Campaign(id) => look_at(store, queues, entry, id).await,
            Watched::Endpoint(id) => webhooks::wake(store, queues, entry, id).await.map(|()| false),
        };
        match looked {
            Ok(was_stuck) => stuck += u64::from(was_stuck),
            Err(error) => {
                tracing::error!(tenant = %entry.tenant, what = ?entry.what, code = error.code.as_str(), "what is due could not be looked at");
            }
        }
    }
    tracing::info!(target: "metric", name = "StuckCampaigns", value = stuck, unit = "Count");
    let told = events::sweep(store, queues).await?;
    Ok(due.len() + told)
}

/// Whether the campaign was stuck: nobody worked on it although there is work.
async fn look_at(store: &Store, queues: &Queues, due: &Due, id: CampaignId) -> Result<bool> {
    let now = store.clock().now_ms();
    let Some(stored) = store.campaign(&due.tenant, id).await? else {
        settle(store, due, None).await?;
        return Ok(false);
    };
    let mut was_stuck = false;
    match stored.campaign.state {
        CampaignState::Scheduled => {
            // The start puts the campaign into the index anew.
            let job = CampaignJob::Start { tenant: due.tenant.to_string(), campaign: id.0 };
            queues.campaign(job, 0).await?;
            settle(store, due, Some(now + WATCH_MS)).await?;
        }
        CampaignState::Planning | CampaignState::Running => {
            was_stuck = wake(store, queues, &due.tenant, &stored).await?;
            settle(store, due, Some(now + WATCH_MS)).await?;
        }
        CampaignState::Cancelled => {
            sweep_cancelled(store, &due.tenant, id).await?;
            settle(store, due, None).await?;
        }
        CampaignState::Draft | CampaignState::Paused | CampaignState::Finished | CampaignState::Failed => {
            settle(store, due, None).await?;
        }
    }
    Ok(was_stuck)
}

/// Puts a campaign back on its feet when nobody works on it.
async fn wake(store: &Store, queues: &Queues, tenant: &TenantId, stored: &Stored) -> Result<bool> {
    let id = stored.campaign.id;
    let Some(phone_number_id) = stored.phone_number_id.clone() else { return Ok(false) };
    let mut was_stuck = false;
    if let (CampaignState::Planning, Some(planning)) = (stored.campaign.state, stored.planning)
        && store.clock().now_ms() - planning.at_ms > PLANNER_DEAD_MS
    {
        let job =
            CampaignJob::Plan { tenant: tenant.to_string(), campaign: id.0, checkpoint: planning.checkpoint };
        queues.campaign(job, 0).await?;
        was_stuck = true;
    }
    // A runner that let the campaign go while it was resumed may have taken it off.
    store.activate(tenant, &phone_number_id, id).await?;
    if !store.is_leased(tenant, &phone_number_id).await? {
        let job = SendJob::Wake { tenant: tenant.to_string(), phone_number_id };
        queues.wake(job, 0, Duration::ZERO).await?;
        was_stuck = true;
    }
    Ok(was_stuck)
}

async fn settle(store: &Store, due: &Due, later_ms: Option<i64>) -> Result<()> {
    match store.settle_due(due, later_ms).await {
        // Another sweep was faster.
        Ok(()) | Err(store::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
