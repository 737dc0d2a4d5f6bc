use std::collections::BTreeMap;

use domain::{CampaignId, TenantId};
use store::contacts::block_of;

use super::launch::ready;
use super::planner::Plan;
use super::{load, wrong_state};
use crate::{Error, Result, Sender};

/// What a launch would do, without doing it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preflight {
    /// Contacts of the audience.
    pub recipients: u64,
    /// Those that would be sent to.
    pub sendable: u64,
    /// Those that would not, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Recipients without an open window: they count against the messaging tier.
    pub outside_window: u64,
    /// The number's messaging tier, when it is known.
    pub tier: Option<u64>,
    /// What would keep the campaign from being launched, or is likely to hurt.
    pub problems: Vec<String>,
}

/// Goes through the audience as the planner would.
///
/// # Errors
/// [`crate::Code::Conflict`] when the campaign was launched already.
pub async fn preflight(sender: &Sender, tenant: &TenantId, id: CampaignId) -> Result<Preflight> {
    let store = &sender.store;
    let mut stored = load(store, tenant, id).await?;
    if !stored.campaign.state.may_launch() {
        return Err(wrong_state(stored.campaign.state));
    }
    let account = store.account(tenant, stored.campaign.account).await?;
    let account = account.ok_or_else(|| Error::not_found("token", "the campaign's account is gone"))?;
    let mut result = Preflight::default();
    match ready(sender, tenant, &account, stored.campaign.channel, &stored.campaign.message).await {
        Ok(ready) => stored.template = ready.template,
        Err(error) if error.code.is_server_error() => return Err(error),
        Err(error) => result.problems.push(error.message),
    }
    let last = store.last_contact_id(tenant).await?;
    let plan = Plan::new(store, tenant, &stored);
    for block in 0..=block_of(last) {
        let rows = plan.rows(block, last).await?;
        result.recipients += rows.len() as u64;
        for row in &rows {
            match &row.skip {
                Some(reason) => *result.skipped.entry(reason.clone()).or_default() += 1,
                None => result.sendable += 1,
            }
        }
        if !plan.is_free_form() {
            let sent: Vec<_> =
                rows.iter().filter(|r| r.skip.is_none()).map(|r| (r.contact, Vec::new())).collect();
            let windows = store.windows(tenant, stored.campaign.account, &sent).await?;
            let now = store.clock().now_ms();
            let open = windows.values().filter(|closes| **closes > now).count();
            result.outside_window += (sent.len() - open) as u64;
        }
    }
    result.tier = account.whatsapp.as_ref().and_then(|number| number.tier);
    if let Some(tier) = result.tier.filter(|tier| result.outside_window > *tier) {
        result.problems.push(format!(
            "{} recipients without an open window are more than the number's messaging tier of {tier}",
            result.outside_window
        ));
    }
    if result.sendable == 0 {
        result.problems.push("nobody would receive this campaign".to_owned());
    }
    Ok(result)
}
