//! Campaigns: draft, launch, control and report.

mod again;
mod cancel;
mod control;
mod counting;
mod erase;
mod launch;
mod planner;
mod preflight;
mod report;
mod sample;
mod timing;

pub use again::put_back;
pub use cancel::wind_up;
pub use control::{cancel, fund, pause, resume};
pub(crate) use control::{end, stop_sending};
pub use counting::{count, progress};
pub use erase::erase;
pub(crate) use launch::unfilled;
pub use launch::{draft, launch, start_scheduled};
pub use planner::plan;
pub use preflight::{Preflight, preflight};
pub use report::{HEADER, PATIENCE, ReportAnswer, ReportLine, ReportRun, Writer, build, report};
pub use store::ledger::Which;

use domain::campaign::{Campaign, CampaignState};
use domain::sender::SenderId;
use domain::{CampaignId, TenantId};
use jiff::Timestamp;
use store::Store;
use store::campaigns::Stored;
use store::ledger::Counts;

use ops::{Error, Result};

/// Why a recipient is skipped whose limited-time offer has ended.
pub(crate) const OFFER_EXPIRED: &str = "offer_expired";

/// A campaign and how far it came.
#[derive(Debug, Clone)]
pub struct CampaignProgress {
    /// The campaign.
    pub campaign: Campaign,
    /// Its recipients by state.
    pub counts: Counts,
    /// Nothing leaves from its sender before this time: the provider asked us to wait, or
    /// does not answer.
    pub held_until: Option<Timestamp>,
}

/// Until when the sender of a campaign that sends is held.
pub(crate) async fn held_until(
    store: &Store,
    tenant: &TenantId,
    campaign: &Campaign,
) -> Result<Option<Timestamp>> {
    let Some(sender) = campaign.sender.as_ref().filter(|_| campaign.state.is_active()) else {
        return Ok(None);
    };
    hold_of(store, tenant, sender).await
}

/// Until when a sender is held.
pub(crate) async fn hold_of(
    store: &Store,
    tenant: &TenantId,
    sender: &SenderId,
) -> Result<Option<Timestamp>> {
    let (_, condition) = store.condition(tenant, sender).await?;
    let held = Some(condition.held_until_ms).filter(|until| *until > store.clock().now_ms());
    Ok(held.and_then(|until| Timestamp::from_millisecond(until).ok()))
}

pub(crate) async fn load(store: &Store, tenant: &TenantId, id: CampaignId) -> Result<Stored> {
    let stored = store.campaign(tenant, id).await?;
    stored.ok_or_else(|| Error::not_found("campaign_id", "there is no campaign with this id"))
}

/// Campaigns, newest first.
///
/// # Errors
/// [`ops::Code::Unavailable`]
pub async fn list(
    store: &Store,
    tenant: &TenantId,
    before: Option<CampaignId>,
    limit: usize,
) -> Result<Vec<Campaign>> {
    let stored = store.campaigns(tenant, before, limit).await?;
    Ok(stored.into_iter().map(|s| s.campaign).collect())
}

/// What a request in the wrong state is answered with.
fn wrong_state(state: CampaignState) -> Error {
    Error::conflict(format!("the campaign is {}", state.as_str()))
}
