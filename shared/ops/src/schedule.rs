//! What the clock has to do: campaigns whose time has come, those that are stuck,
//! endpoints that events wait for, runs of flows, and facts that nobody has told on.

use std::time::Duration;

use domain::campaign::CampaignState;
use domain::recipient::Progress;
use domain::webhook::EndpointId;
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use queue::{CampaignJob, InboundJob, Queues, SendJob, WebhookJob};
use store::Store;
use store::campaigns::Stored;
use store::due::{Due, Watched};

use crate::Result;
use crate::events::{self, EventPublisher};

/// When a campaign under way is looked at again, in milliseconds.
pub const WATCH_MS: i64 = 15_000;
/// Campaigns that one sweep looks at, of each shard.
const LIMIT: usize = 200;
/// A planner, or what carries out an order to send again, that has not moved for this
/// long is dead, in milliseconds.
const WORKER_DEAD_MS: i64 = 20_000;
/// A runner that was to come so long ago was lost, in milliseconds.
const OVERDUE_MS: i64 = 5_000;

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
            Watched::Message(account, id) => give_up(store, entry, account, id).await.map(|()| false),
            Watched::Endpoint(id) => drain(store, queues, entry, id).await.map(|()| false),
            Watched::Run(contact, id) => carry_on(queues, entry, contact, id).await.map(|()| false),
            Watched::Credits => fund(queues, entry).await.map(|()| false),
        };
        match looked {
            Ok(was_stuck) => stuck += u64::from(was_stuck),
            Err(error) => {
                tracing::error!(tenant = %entry.tenant, what = ?entry.what, code = error.code.as_str(), "what is due could not be looked at");
            }
        }
    }
    tracing::info!(target: "metric", name = "StuckCampaigns", value = stuck, unit = "Count");
    let told = events::sweep(&EventPublisher { store: store.clone(), queues: queues.clone() }).await?;
    Ok(due.len() + told)
}

/// Credits came, and campaigns that waited for them were not looked at. The entry stays until
/// they are.
async fn fund(queues: &Queues, due: &Due) -> Result<()> {
    let job = CampaignJob::Fund { tenant: due.tenant.to_string(), at_ms: due.at_ms };
    Ok(queues.campaign(job, 0).await?)
}

/// A single message that is due was sent by a process that is gone.
async fn give_up(store: &Store, due: &Due, account: AccountId, id: MessageId) -> Result<()> {
    store.progress_message(&due.tenant, account, id, Progress::lose).await?;
    Ok(store.forget_due(due).await?)
}

/// A run of a flow that is due goes on in a worker, which takes it out of the index.
async fn carry_on(queues: &Queues, due: &Due, contact: ContactId, id: MessageId) -> Result<()> {
    let (tenant, run) = (due.tenant.to_string(), id.to_string());
    Ok(queues
        .inbound(InboundJob::Run { tenant, contact: contact.0, run, effect: None, due: Some(due.at_ms) })
        .await?)
}

/// Whether the campaign was stuck: nobody worked on it although there is work. Only
/// wakes: what takes long is a worker's.
async fn look_at(store: &Store, queues: &Queues, due: &Due, id: CampaignId) -> Result<bool> {
    let now = store.clock().now_ms();
    let Some(stored) = store.campaign(&due.tenant, id).await? else {
        settle(store, due, id, None).await?;
        return Ok(false);
    };
    if stored.watched_at_ms.is_some_and(|at_ms| at_ms > due.at_ms) {
        // Left over: another entry watches the campaign.
        settle(store, due, id, None).await?;
        return Ok(false);
    }
    let tenant = due.tenant.to_string();
    let mut was_stuck = false;
    let later = match stored.campaign.state {
        CampaignState::Scheduled => {
            // The start puts the campaign into the index anew.
            queues.campaign(CampaignJob::Start { tenant, campaign: id.0 }, 0).await?;
            Some(now + WATCH_MS)
        }
        CampaignState::Planning | CampaignState::Running => {
            was_stuck = wake(store, queues, &due.tenant, &stored).await?;
            Some(now + WATCH_MS)
        }
        CampaignState::Cancelled if !stored.swept && stored.campaign.sender.is_some() => {
            queues.campaign(CampaignJob::Cancel { tenant, campaign: id.0 }, 0).await?;
            Some(now + WATCH_MS)
        }
        CampaignState::Cancelled
        | CampaignState::Draft
        | CampaignState::Paused
        | CampaignState::Finished
        | CampaignState::Failed => None,
    };
    settle(store, due, id, later).await?;
    Ok(was_stuck)
}

/// Puts a campaign back on its feet when nobody works on it.
async fn wake(store: &Store, queues: &Queues, tenant: &TenantId, stored: &Stored) -> Result<bool> {
    let (id, name, now) = (stored.campaign.id, tenant.to_string(), store.clock().now_ms());
    let Some(sender) = stored.campaign.sender.clone() else { return Ok(false) };
    let mut was_stuck = false;
    if let (CampaignState::Planning, Some(planning)) = (stored.campaign.state, stored.planning)
        && now - planning.at_ms > WORKER_DEAD_MS
    {
        let job = CampaignJob::Plan { tenant: name.clone(), campaign: id.0, checkpoint: planning.checkpoint };
        queues.campaign(job, 0).await?;
        was_stuck = true;
    }
    if let Some(again) = stored.again
        && now - again.at_ms > WORKER_DEAD_MS
    {
        let (order, block) = (again.seq, again.block);
        queues.campaign(CampaignJob::Again { tenant: name.clone(), campaign: id.0, order, block }, 0).await?;
        was_stuck = true;
    }
    // A runner that let the campaign go while it was resumed may have taken it off.
    store.activate(tenant, &sender, id).await?;
    let (is_leased, condition) = store.condition(tenant, &sender).await?;
    // A runner that is queued for later comes by itself; one that is overdue was lost.
    if !is_leased && condition.next_run_ms + OVERDUE_MS < now {
        queues.wake(SendJob::Wake { tenant: name, sender: sender.to_string() }, 0, Duration::ZERO).await?;
        was_stuck = true;
    }
    Ok(was_stuck)
}

async fn settle(store: &Store, due: &Due, id: CampaignId, later_ms: Option<i64>) -> Result<()> {
    match store.settle_watch(due, id, later_ms).await {
        // Another sweep was faster.
        Ok(()) | Err(store::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Has what waits for an endpoint sent: its time has come.
async fn drain(store: &Store, queues: &Queues, due: &Due, id: EndpointId) -> Result<()> {
    let state = store.endpoint_state(&due.tenant, id).await?;
    if state.due_ms != Some(due.at_ms) {
        // Left behind by an endpoint that was removed.
        return match store.settle_due(due, None).await {
            Ok(()) | Err(store::Error::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        };
    }
    if state.drained_until_ms <= store.clock().now_ms() {
        queues
            .later(WebhookJob::Drain { tenant: due.tenant.to_string(), endpoint: id.0 }, 0, Duration::ZERO)
            .await?;
    }
    Ok(())
}
