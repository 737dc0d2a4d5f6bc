//! Taking contacts that were deleted out of the ledgers.

use bodies::unavailable;
use std::collections::BTreeSet;
use std::time::Duration;

use domain::campaign::CampaignState;
use domain::{CampaignId, ContactId, ReportFormat, TenantId};
use queue::CampaignJob;
use store::reports::ReportKey;

use crate::Services;
use ops::Result;

/// Campaigns that are looked through at once.
const CAMPAIGNS: usize = 50;
/// A planner that read a contact before it was deleted has written its row by then.
const PLANNED: Duration = Duration::from_secs(120);

/// Erases deleted contacts from flows and from the ledgers of all campaigns: their addresses, the
/// texts that were filled in for them, and what they answered. What became of their messages stays. While a
/// campaign is being planned the job comes again: its planner may have read a contact
/// before it was deleted.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn erase(
    services: &Services,
    tenant: &TenantId,
    contacts: Vec<u64>,
    (before, last): (Option<CampaignId>, bool),
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let store = &services.store;
    let job = |before: Option<CampaignId>, last| CampaignJob::Erase {
        tenant: tenant.to_string(),
        contacts: contacts.clone(),
        before: before.map(|id| id.0),
        last,
    };
    let asked: BTreeSet<ContactId> = contacts.iter().copied().map(ContactId).collect();
    let there: BTreeSet<ContactId> =
        store.contacts_of(tenant, &asked).await?.into_iter().map(|contact| contact.id).collect();
    let gone: BTreeSet<ContactId> = asked.difference(&there).copied().collect();
    if before.is_none() {
        // What they told flows goes with them.
        for contact in &gone {
            store.forget_runs(tenant, *contact).await?;
        }
    }
    // A run that goes on does not know what the one before it saw.
    let is_continued = before.is_some();
    let (mut before, mut planning) = (before, false);
    loop {
        let page = store.started_campaigns_before(tenant, before, CAMPAIGNS).await?;
        let Some(oldest) = page.last().map(|(id, _)| *id) else { break };
        planning |= page.iter().any(|(_, state)| *state == Some(CampaignState::Planning));
        let started: Vec<CampaignId> =
            page.into_iter().filter(|(_, state)| state.is_some()).map(|(id, _)| id).collect();
        for (campaign, row) in store.rows_of(tenant, &started, &gone).await? {
            store.erase_row(tenant, campaign, row.contact).await?;
            forget_reports(services, tenant, campaign).await?;
        }
        before = Some(oldest);
        if out_of_time() {
            return Ok(services.queues.campaign(job(before, last), generation + 1).await?);
        }
    }
    if last || !(planning || is_continued) {
        return Ok(());
    }
    Ok(services.queues.campaign_later(job(None, true), 0, PLANNED).await?)
}

/// Deletes the files of a campaign's reports: the next request makes new ones.
async fn forget_reports(services: &Services, tenant: &TenantId, campaign: CampaignId) -> Result<()> {
    for format in [ReportFormat::Csv, ReportFormat::Xlsx] {
        let of = ReportKey { tenant, campaign, format };
        if let Some(file) = services.store.report(of).await?.file {
            services.files.bucket().delete_report(&file.object).await.map_err(unavailable)?;
            services.store.forget_report_file(of, &file).await?;
        }
    }
    Ok(())
}
