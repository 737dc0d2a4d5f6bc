//! Winding up what was cancelled: every recipient gets an end. Blocks are taken away from the
//! runner first; each step may be repeated.

use std::time::Duration;

use domain::campaign::CampaignState;
use domain::outcome::Reason;
use domain::recipient::State;
use domain::{CampaignId, ContactId, TenantId};
use queue::CampaignJob;
use store::ledger::{Head, Left, Row, RowOutcome};

use super::load;
use crate::Services;
use ops::Result;

/// Recipients of one page.
const PAGE: usize = 500;
/// After so long whatever was under way when a campaign was cancelled has its outcome,
/// or none will come: a call is given up after 20 seconds.
const LANDED: Duration = Duration::from_secs(25);
/// When a block is looked at again that somebody else had at the moment.
const SOON: Duration = Duration::from_secs(2);

/// Gives every recipient of a cancelled campaign an end: who was not sent to is
/// skipped; who may have been and has no outcome in time is unknown. Works block by
/// block, and takes the blocks away from the runner first, so that nothing more is
/// claimed. When time is over, or something is under way, the job follows itself.
///
/// # Errors
/// [`ops::Code::NotFound`] when there is no such campaign;
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn wind_up(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let store = &services.store;
    let stored = load(store, tenant, id).await?;
    if stored.campaign.state != CampaignState::Cancelled || stored.swept {
        return Ok(());
    }
    let again = |delay| {
        let job = CampaignJob::Cancel { tenant: tenant.to_string(), campaign: id.0 };
        services.queues.campaign_later(job, generation + 1, delay)
    };
    if let Some(sender) = stored.campaign.sender.as_ref().filter(|_| stored.planning.is_some()) {
        let since = stored.campaign.finished_at.map_or(0, |at| at.as_millisecond());
        let landed_at = since + i64::try_from(LANDED.as_millis()).unwrap_or(0);
        let landed = store.clock().now_ms() >= landed_at;
        let epoch = store.next_epoch(tenant, sender).await?;
        let mut done = true;
        for head in store.heads_of(tenant, id).await?.into_iter().filter(|head| !head.closed) {
            done &= wind_up_block(services, tenant, id, &head, epoch, landed).await?;
            if out_of_time() {
                return Ok(again(Duration::ZERO).await?);
            }
        }
        if !landed {
            let left = u64::try_from(landed_at - store.clock().now_ms()).unwrap_or(0);
            return Ok(again(Duration::from_millis(left + 999)).await?);
        }
        if !done {
            return Ok(again(SOON).await?);
        }
    }
    match store.mark_swept(tenant, id).await {
        Ok(()) | Err(store::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Answers whether nobody of the block is left.
async fn wind_up_block(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    head: &Head,
    epoch: u64,
    landed: bool,
) -> Result<bool> {
    let store = &services.store;
    let head = match store.adopt_head(tenant, id, head.block, epoch).await {
        Ok(head) => head,
        // A runner opened it at this moment: the next round takes it away.
        Err(store::Error::Conflict) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let mut after = ContactId(0);
    let mut under_way = 0;
    loop {
        let rows = store.rows_after(tenant, id, head.block, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.contact;
        let open = rows.iter().filter(|row| row.progress.state.rank() <= State::Claimed.rank());
        let (unsent, claimed): (Vec<&Row>, Vec<&Row>) = open.partition(|row| is_unsent(row, &head));
        let end = |row: &Row| row.skip(Reason::word("cancelled"));
        let entries: Vec<_> = unsent.iter().map(|row| (row.contact, row.attempt, end(row))).collect();
        // One that was claimed meanwhile is on its way.
        under_way += usize::from(!store.skip_unclaimed(tenant, id, &entries).await?);
        match landed {
            true => {
                let lost = claimed.iter().map(|row| (row.contact, row.attempt, RowOutcome::Unknown));
                store.record(tenant, id, &lost.collect::<Vec<_>>()).await?;
            }
            false => under_way += claimed.len(),
        }
    }
    if under_way > 0 {
        store.mark_dirty(tenant, id, &[head.block]).await?;
        return Ok(false);
    }
    match store.rest_head(tenant, id, &head, Left::Nothing).await {
        Ok(()) => Ok(true),
        Err(store::Error::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether nobody is sending to a recipient, now that nothing more can be claimed in
/// its block: it was never claimed, or waits for a retry.
fn is_unsent(row: &Row, head: &Head) -> bool {
    row.progress.state == State::Pending && (row.contact > head.cursor || row.retry_at.is_some())
}
