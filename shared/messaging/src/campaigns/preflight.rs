//! What a launch would do, without doing it.

use std::collections::{BTreeMap, HashMap};

use domain::contact::Contact;
use domain::{CampaignId, ContactId, TenantId};
use store::Store;
use store::ledger::PlannedRow;

use super::launch::ready;
use super::planner::Plan;
use super::sample::Sample;
use super::{hold_of, load, wrong_state};
use crate::Services;
use ops::{Error, Result};

/// Up to this many contacts each is looked at. Two are looked up for each of the
/// audience, at a read unit each: that many are 2,000 units.
const EXACT: u64 = 900;

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
    /// Recipients whose quiet hours it is: they wait until those end.
    pub quiet: u64,
    /// The numbers are those of a sample, scaled to all contacts.
    pub estimated: bool,
    /// How many contacts were looked at.
    pub sample: u64,
    /// The number's messaging tier, when it is known.
    pub tier: Option<u64>,
    /// What would keep the campaign from being launched, or is likely to hurt.
    pub problems: Vec<String>,
}

/// Goes through the audience as the planner would; of many contacts through a sample.
///
/// # Errors
/// [`ops::Code::Conflict`] when the campaign was launched already.
pub async fn preflight(services: &Services, tenant: &TenantId, id: CampaignId) -> Result<Preflight> {
    let store = &services.store;
    let mut stored = load(store, tenant, id).await?;
    if !stored.campaign.state.may_launch() {
        return Err(wrong_state(stored.campaign.state));
    }
    let account = store.account(tenant, stored.campaign.account).await?;
    let account = account.ok_or_else(|| Error::not_found("token", "the campaign's account is gone"))?;
    let mut problems = Vec::new();
    let mut sender = None;
    match ready(services, tenant, &account, &stored.campaign).await {
        Ok(ready) => (stored.template, sender) = (ready.template, Some(ready.route.sender.id)),
        Err(error) if error.code.is_server_error() => return Err(error),
        Err(error) => problems.push(error.message),
    }
    let plan = Plan::new(store, tenant, &stored).await?;
    let mut result = look(store, tenant, &plan).await?;
    if let Some(sender) = &sender
        && let Some(until) = hold_of(store, tenant, sender).await?
    {
        problems.push(format!("the sender {sender} is held until {until:.0}: its provider asked us to wait"));
    }
    result.problems = problems;
    result.tier = sender.and_then(|id| account.number_of(&id)?.tier);
    result.judge();
    Ok(result)
}

async fn look(store: &Store, tenant: &TenantId, plan: &Plan<'_>) -> Result<Preflight> {
    let blocks = store.block_sizes(tenant).await?;
    let total: u64 = blocks.iter().map(|block| block.contacts).sum();
    let mut result = Preflight::default();
    if total <= EXACT {
        let last = store.last_contact_id(tenant).await?;
        for block in &blocks {
            let rows = plan.rows(block.block, last).await?;
            result.add(store, tenant, plan, &rows).await?;
        }
        result.sample = total;
        return Ok(result);
    }
    let sample = Sample::of(store, tenant, &blocks, |contact| plan.includes(contact)).await?;
    let rows = plan.rows_of(&sample.wanted).await?;
    result.add(store, tenant, plan, &rows).await?;
    (result.estimated, result.sample) = (true, sample.seen);
    result.scale(total);
    Ok(result)
}

impl Preflight {
    async fn add(
        &mut self,
        store: &Store,
        tenant: &TenantId,
        plan: &Plan<'_>,
        rows: &[PlannedRow],
    ) -> Result<()> {
        self.recipients += rows.len() as u64;
        for row in rows {
            match &row.skip {
                Some(reason) => *self.skipped.entry(reason.clone()).or_default() += 1,
                None => self.sendable += 1,
            }
        }
        let now = store.clock().now();
        let known = match plan.terms.has_quiet_hours() {
            true => store.contacts_of(tenant, &rows.iter().map(|row| row.contact).collect()).await?,
            false => Vec::new(),
        };
        let known: HashMap<ContactId, &Contact> = known.iter().map(|contact| (contact.id, contact)).collect();
        let is_quiet = |row: &&PlannedRow| {
            let contact = known.get(&row.contact).copied();
            row.skip.is_none() && plan.terms.quiet_until(contact, row.address.as_ref(), now).is_some()
        };
        self.quiet += rows.iter().filter(is_quiet).count() as u64;
        if plan.terms.can.needs_window && !plan.terms.is_free_form {
            let sent: Vec<_> =
                rows.iter().filter(|r| r.skip.is_none()).map(|r| (r.contact, Vec::new())).collect();
            let windows = store.windows(tenant, plan.terms.windows_of, &sent).await?;
            let now = store.clock().now_ms();
            let open = windows.values().filter(|closes| **closes > now).count();
            self.outside_window += (sent.len() - open) as u64;
        }
        Ok(())
    }

    /// From those that were looked at to all: the parts still make up the whole.
    fn scale(&mut self, total: u64) {
        let seen = self.sample.max(1);
        let scaled = |count: u64| (count.saturating_mul(total) + seen / 2) / seen;
        self.sendable = scaled(self.sendable);
        self.outside_window = scaled(self.outside_window);
        self.quiet = scaled(self.quiet);
        self.skipped.values_mut().for_each(|count| *count = scaled(*count));
        self.recipients = self.sendable + self.skipped.values().sum::<u64>();
    }

    fn judge(&mut self) {
        let about = if self.estimated { "about " } else { "" };
        if let Some(tier) = self.tier.filter(|tier| self.outside_window > *tier) {
            self.problems.push(format!(
                "{about}{} recipients without an open window are more than the number's messaging tier of {tier}",
                self.outside_window
            ));
        }
        // A small part of many contacts may be missed by a sample.
        match (self.sendable, self.estimated) {
            (0, true) => self.problems.push(format!(
                "none of the {} contacts that were looked at would receive this campaign",
                self.sample
            )),
            (0, false) => self.problems.push("nobody would receive this campaign".to_owned()),
            (_, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_estimate_make_up_the_whole() {
        let skipped = BTreeMap::from([("opted_out".to_owned(), 1), ("no_address".to_owned(), 2)]);
        let mut found =
            Preflight { sendable: 4, skipped, outside_window: 3, sample: 9, ..Preflight::default() };
        found.scale(1_000_000);
        assert_eq!((found.sendable, found.outside_window), (444_444, 333_333));
        assert_eq!(found.recipients, 444_444 + 111_111 + 222_222);
    }
}
