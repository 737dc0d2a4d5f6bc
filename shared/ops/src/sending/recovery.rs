use domain::recipient::State;
use domain::{CampaignId, TenantId};
use store::Store;
use store::ledger::{Entry, Head, Row};

use super::lane::Block;
use crate::Result;

/// Takes a block over: nobody else can claim in it from now on. What the last
/// owner claimed and left without an outcome becomes `unknown`; what waits for a
/// retry is handed on. `None` when a newer runner owns it.
pub(super) async fn adopt(
    store: &Store,
    tenant: &TenantId,
    campaign: CampaignId,
    head: &Head,
    epoch: u64,
) -> Result<Option<(Block, Vec<Row>)>> {
    let mut head = match store.adopt_head(tenant, campaign, head.block, epoch).await {
        Ok(head) => head,
        Err(store::Error::Conflict) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let stored_settled = head.settled;
    let mut waiting = Vec::new();
    if head.settled < head.cursor || head.retries > 0 {
        let mut lost = Vec::new();
        for row in store.open_rows(tenant, campaign, head.block, head.cursor).await? {
            if row.progress.state == State::Pending && row.retry_at.is_some() {
                waiting.push(row);
            } else {
                lost.push((row.contact, row.attempt, Entry::Unknown));
            }
        }
        store.record(tenant, campaign, &lost).await?;
        if !lost.is_empty() {
            tracing::warn!(%tenant, %campaign, block = head.block, count = lost.len(), "outcomes were lost with a runner");
        }
        head.settled = head.cursor;
    }
    let stored = (stored_settled, head.retries);
    let mut block = Block::new(head, waiting.len() as u64);
    block.stored_as(stored);
    Ok(Some((block, waiting)))
}
