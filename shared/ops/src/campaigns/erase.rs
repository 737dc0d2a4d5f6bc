use std::collections::BTreeSet;
use std::time::Duration;

use domain::{CampaignId, ContactId, TenantId};
use queue::CampaignJob;

use crate::{Result, Sender};

/// Campaigns that are looked through at once.
const CAMPAIGNS: usize = 50;
/// Contacts that one job looks for.
pub(crate) const CONTACTS: usize = 100;
/// A planner that read a contact before it was deleted has written its row by then.
const PLANNED: Duration = Duration::from_secs(120);

/// Erases deleted contacts from the ledgers of all campaigns: their addresses and the
/// texts that were filled in for them. What became of their messages stays.
///
/// # Errors
/// [`crate::Code::Unavailable`]: the job comes again.
pub async fn erase(
    sender: &Sender,
    tenant: &TenantId,
    contacts: Vec<u64>,
    (before, last): (Option<CampaignId>, bool),
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let store = &sender.store;
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
    let mut before = before;
    loop {
        let page = store.started_campaigns_before(tenant, before, CAMPAIGNS).await?;
        let Some(oldest) = page.last().map(|(id, _)| *id) else { break };
        let started: Vec<CampaignId> =
            page.into_iter().filter(|(_, started)| *started).map(|(id, _)| id).collect();
        for (campaign, row) in store.rows_of(tenant, &started, &gone).await? {
            store.erase_row(tenant, campaign, row.contact).await?;
        }
        before = Some(oldest);
        if out_of_time() {
            return Ok(sender.queues.campaign(job(before, last), generation + 1).await?);
        }
    }
    if last {
        return Ok(());
    }
    Ok(sender.queues.campaign_later(job(None, true), 0, PLANNED).await?)
}
