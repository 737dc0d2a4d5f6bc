//! Where a replay begins.

use domain::TenantId;
use domain::webhook::EndpointId;

use super::deliveries::{BLOCK, Delivery, block_key, from_item};
use crate::item::Query;
use crate::{Result, Store};

/// Numbers are given out before events are taken on: so much later, in milliseconds,
/// one may be taken on whose number is lower.
const SKEW_MS: i64 = 60_000;
/// So many blocks in a row without a delivery are taken for forgotten, not for numbers
/// that came to nothing.
const GAP: u64 = 8;

impl Store {
    /// Deliveries that were taken on from `from_ms` on and before `to_ms`, in ascending
    /// order of their numbers, which are at most `newest`; the first `limit` of them.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn deliveries_between(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        newest: u64,
        (from_ms, to_ms): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        let last = newest / BLOCK;
        let (mut low, mut high) = (0, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.newest_near(tenant, endpoint, middle, high).await? {
                Some(at_ms) if at_ms >= from_ms.saturating_sub(SKEW_MS) => high = middle,
                Some(_) | None => low = middle + 1,
            }
        }
        let mut found = Vec::new();
        for block in low..=last {
            let rows = self.block(tenant, endpoint, block, false, None).await?;
            let all_later = rows.iter().all(|d| d.at_ms >= to_ms.saturating_add(SKEW_MS));
            let over = all_later && !rows.is_empty();
            found.extend(rows.into_iter().filter(|d| (from_ms..to_ms).contains(&d.at_ms)));
            if over || found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// When the newest delivery of a block was taken on; of the next one that has any,
    /// when it has none.
    async fn newest_near(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        block: u64,
        end: u64,
    ) -> Result<Option<i64>> {
        for block in block..end.min(block + GAP) {
            let newest = self.block(tenant, endpoint, block, true, Some(1)).await?;
            if let Some(delivery) = newest.first() {
                return Ok(Some(delivery.at_ms));
            }
        }
        Ok(None)
    }

    async fn block(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        block: u64,
        descending: bool,
        limit: Option<usize>,
    ) -> Result<Vec<Delivery>> {
        let pk = block_key(tenant, endpoint, block);
        let rows = self.query(&Query { pk, limit, descending, ..Query::default() }).await?;
        rows.into_iter().map(from_item).collect()
    }
}
