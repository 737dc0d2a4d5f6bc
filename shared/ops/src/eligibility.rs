//! Who must not be sent to although a campaign planned it: asked right before each
//! wave, since a campaign may wait for days.

use std::collections::HashMap;

use domain::{AccountId, CampaignId, ContactId, TenantId};
use store::Store;
use store::ledger::Row;
use store::standing::Recipient;

use crate::Result;
use crate::suppression::identity;

/// Recipients of campaigns who must not be sent to, each with its reason.
#[derive(Debug, Clone, Default)]
pub(crate) struct Barred(HashMap<(CampaignId, ContactId), &'static str>);

impl Barred {
    /// Why a recipient must not be sent to.
    pub(crate) fn reason(&self, campaign: CampaignId, contact: ContactId) -> Option<&'static str> {
        self.0.get(&(campaign, contact)).copied()
    }

    fn bar(&mut self, campaign: CampaignId, contact: ContactId, reason: &'static str) {
        self.0.entry((campaign, contact)).or_insert(reason);
    }

    /// Bars who opted out, or was deleted. Each row comes with its campaign and how many
    /// times contacts had been lost when that started.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the database does not answer.
    pub(crate) async fn check_standing(
        &mut self,
        store: &Store,
        tenant: &TenantId,
        rows: &[(CampaignId, Option<u64>, &Row)],
    ) -> Result<()> {
        let mut recipients = Vec::with_capacity(rows.len());
        for (_, losses, row) in rows {
            let (contact, address) = (row.contact, row.address.as_ref());
            recipients.push(Recipient { contact, address, losses: *losses });
        }
        let standing = store.standing(tenant, &recipients).await?;
        for (campaign, _, row) in rows {
            let contact = row.contact;
            if standing.gone.contains(&contact)
                && let Some(reason) = gone(store, tenant, *campaign, row).await?
            {
                self.bar(*campaign, contact, reason);
            } else if standing.opted_out.contains(&contact) {
                self.bar(*campaign, contact, "opted_out");
            }
        }
        Ok(())
    }

    /// Bars whose window for free text is closed by now.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the database does not answer.
    pub(crate) async fn check_windows(
        &mut self,
        store: &Store,
        tenant: &TenantId,
        account: AccountId,
        campaign: CampaignId,
        rows: &[&Row],
    ) -> Result<()> {
        let contacts: Vec<_> = rows.iter().map(|row| (row.contact, Vec::new())).collect();
        let windows = store.windows(tenant, account, &contacts).await?;
        let now = store.clock().now_ms();
        for row in rows.iter().filter(|row| windows.get(&row.contact).is_some_and(|closes| *closes <= now)) {
            self.bar(campaign, row.contact, "outside_window");
        }
        Ok(())
    }
}

/// Why a recipient whose contact is gone must not be sent to: it was deleted, or it
/// became part of another one who is a recipient as well. One who only goes by another
/// id now is still meant.
async fn gone(
    store: &Store,
    tenant: &TenantId,
    campaign: CampaignId,
    row: &Row,
) -> Result<Option<&'static str>> {
    const DELETED: Option<&str> = Some("contact_deleted");
    let Some(address) = &row.address else { return Ok(DELETED) };
    let identity = identity(address);
    match store.contact_by(tenant, &identity).await? {
        Some(heir) if heir.absorbed.contains(&row.contact) => {
            let twice = store.row(tenant, campaign, heir.id).await?.is_some();
            Ok(twice.then_some("duplicate"))
        }
        Some(_) | None => Ok(DELETED),
    }
}
