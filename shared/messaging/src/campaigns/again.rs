//! Orders to send again: a worker puts recipients back, block by block. Each step may be
//! repeated, and the job follows itself.

use std::time::Duration;

use domain::{CampaignId, TenantId};
use queue::{CampaignJob, SendJob};
use store::campaigns::ResendOrder;

use super::load;
use crate::Services;
use ops::Result;

/// Carries out an order to send again, block by block from `block` on, until all are
/// done or `out_of_time` says so; then the job follows itself. Of two copies of a job,
/// the second finds the checkpoint moved and ends.
///
/// # Errors
/// [`ops::Code::NotFound`] when there is no such campaign;
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn put_back(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    (order, block): (u64, u64),
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let store = &services.store;
    let stored = load(store, tenant, id).await?;
    let (Some(mut again), Some(sender)) = (stored.again, &stored.campaign.sender) else {
        return Ok(());
    };
    // A campaign that was paused or cancelled meanwhile puts nobody back.
    if (again.seq, again.block) != (order, block) || !stored.campaign.state.is_active() {
        return Ok(());
    }
    let wake = || SendJob::Wake { tenant: tenant.to_string(), sender: sender.to_string() };
    for head in store.heads_of(tenant, id).await?.into_iter().filter(|head| head.block >= block) {
        if store.put_back(tenant, id, head.block, again.which, order).await? > 0 {
            store.reopen_head(tenant, id, head.block, order).await?;
        }
        let to = head.block + 1;
        match store.move_again(tenant, id, &again, Some(to)).await {
            Ok(()) => again = ResendOrder { block: to, ..again },
            // Another copy of the job was faster.
            Err(store::Error::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if head.block == block {
            services.queues.wake(wake(), 0, Duration::ZERO).await?;
        }
        if out_of_time() {
            let (tenant, campaign) = (tenant.to_string(), id.0);
            let next = CampaignJob::Again { tenant, campaign, order, block: to };
            return Ok(services.queues.campaign(next, generation + 1).await?);
        }
    }
    match store.move_again(tenant, id, &again, None).await {
        Ok(()) | Err(store::Error::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(services.queues.wake(wake(), 0, Duration::ZERO).await?)
}
