//! How far a campaign came: counts of its rows, which a worker keeps up with.

use std::time::Duration;

use domain::{CampaignId, TenantId};
use queue::CampaignJob;

use super::{CampaignProgress, held_until, load};
use crate::Services;
use ops::Result;

/// A block that changes all the time is counted this often, in milliseconds.
const REST_MS: i64 = 15_000;
/// When a block that was just counted and has changed again is looked at.
const PAUSE: Duration = Duration::from_secs(15);
/// Nobody has asked for this long: nobody looks at the counts, in milliseconds.
const UNASKED_MS: i64 = 600_000;
/// Blocks that are counted between two words of a run.
const BATCH: usize = 16;

/// One campaign with its counts. Those of a small one are exact. Of a large one they
/// may be some seconds old, and a worker brings them up to date: it goes on until
/// nothing has changed since, or nobody has asked for ten minutes.
///
/// # Errors
/// [`ops::Code::NotFound`]
pub async fn progress(services: &Services, tenant: &TenantId, id: CampaignId) -> Result<CampaignProgress> {
    let store = &services.store;
    let stored = load(store, tenant, id).await?;
    let (counts, is_old) = store.recent_counts(tenant, id).await?;
    if is_old && store.want_recount(tenant, id).await? {
        services.queues.campaign(job(tenant, id, 0), 0).await?;
    }
    let held_until = held_until(store, tenant, &stored.campaign).await?;
    Ok(CampaignProgress { campaign: stored.campaign, counts, held_until })
}

fn job(tenant: &TenantId, campaign: CampaignId, run: u64) -> CampaignJob {
    CampaignJob::Count { tenant: tenant.to_string(), campaign: campaign.0, run }
}

/// Counts the blocks of a campaign that changed; then the job follows itself until
/// there are none. Of two copies of a job, the second ends.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn count(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    after: u64,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let store = &services.store;
    let asked_ms = match store.take_recount(tenant, id, after).await {
        Ok(asked_ms) => asked_ms,
        Err(store::Error::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let (run, begun_ms) = (after + 1, store.clock().now_ms());
    let uncounted = store.uncounted(tenant, id).await?;
    if uncounted.is_empty() || asked_ms + UNASKED_MS <= begun_ms {
        return Ok(store.end_recount(tenant, id, run).await?);
    }
    let mut due = uncounted.into_iter().take_while(|block| block.counted_ms() + REST_MS <= begun_ms);
    let mut pause = PAUSE;
    loop {
        let batch: Vec<_> = due.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        store.count_blocks(tenant, id, batch).await?;
        match store.beat_recount(tenant, id, run).await {
            Ok(()) => {}
            Err(store::Error::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if out_of_time() {
            pause = Duration::ZERO;
            break;
        }
    }
    Ok(services.queues.campaign_later(job(tenant, id, run), generation + 1, pause).await?)
}
