//! What became of the recipients of campaigns since they were planned: asked right before each
//! wave, since a campaign may wait for days.

use std::collections::HashMap;

use domain::contact::Contact;
use domain::identity::Identity;
use domain::message::Address;
use domain::recipient::State;
use domain::{CampaignId, ContactId, TenantId};
use jiff::Timestamp;
use store::Store;
use store::ledger::Row;
use store::standing::{Recipient, Standing};

use crate::Result;
use crate::eligibility::{Bar, Terms};
use crate::former::followed;

/// Recipients who must not be sent to although they were planned, each with its reason, and
/// those who are reached elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Barred {
    bars: HashMap<(CampaignId, ContactId), Bar>,
    /// Whose quiet hours it is, and until when, in milliseconds since 1970.
    quiet: HashMap<(CampaignId, ContactId), i64>,
    /// Where those are reached who gave up the address that was planned.
    moved: HashMap<(CampaignId, ContactId), Address>,
}

/// The recipients of one campaign that are about to be sent to.
#[derive(Debug)]
pub struct Planned<'a> {
    pub campaign: CampaignId,
    pub terms: &'a Terms,
    /// How many times contacts had been lost when it started.
    pub losses: Option<u64>,
    pub rows: Vec<&'a Row>,
}

impl Barred {
    /// Why a recipient must not be sent to.
    pub fn reason(&self, campaign: CampaignId, contact: ContactId) -> Option<Bar> {
        self.bars.get(&(campaign, contact)).copied()
    }

    /// Until when a recipient is to wait, in milliseconds since 1970.
    pub fn quiet_until(&self, campaign: CampaignId, contact: ContactId) -> Option<i64> {
        self.quiet.get(&(campaign, contact)).copied()
    }

    /// Where a recipient is reached who gave up the address that was planned.
    pub fn moved_to(&self, campaign: CampaignId, contact: ContactId) -> Option<&Address> {
        self.moved.get(&(campaign, contact))
    }

    /// Who of some recipients opted out, was deleted, moved, or has no open window by now.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the database does not answer.
    pub async fn of(store: &Store, tenant: &TenantId, planned: &[Planned<'_>]) -> Result<Self> {
        let mut recipients = Vec::new();
        for Planned { losses, rows, .. } in planned {
            recipients.extend(rows.iter().map(|row| Recipient {
                contact: row.contact,
                address: row.address.as_ref(),
                losses: *losses,
            }));
        }
        let standing = store.standing(tenant, &recipients).await?;
        let mut barred = Self::default();
        for one in planned {
            barred.look_at(store, tenant, &standing, one).await?;
        }
        Ok(barred)
    }

    async fn look_at(
        &mut self,
        store: &Store,
        tenant: &TenantId,
        standing: &Standing,
        Planned { campaign, terms, rows, .. }: &Planned<'_>,
    ) -> Result<()> {
        let windows = match terms.needs_window() {
            true => {
                let contacts: Vec<_> = rows.iter().map(|row| (row.contact, Vec::new())).collect();
                store.windows(tenant, terms.windows_of, &contacts).await?
            }
            false => HashMap::new(),
        };
        let known = terms.known(store, tenant, rows).await?;
        let with_absorbed = known.values().map(|contact| (contact.id, contact.absorbed.clone()));
        let sated = terms.sated(store, tenant, with_absorbed.collect()).await?;
        let now = store.clock().now();
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let today = match standing.gone.contains(&row.contact) {
                true => Today::of_gone(store, tenant, *campaign, row, terms).await?,
                false => Today::of(standing.contacts.get(&row.contact), row, terms),
            };
            found.push((row, today));
        }
        let others = found.iter().filter_map(|(_, today)| Some(&today.as_ref().ok()?.others));
        let others: Vec<Address> = others.flatten().cloned().collect();
        let out = store.opted_out(tenant, &others).await?;
        for (row, today) in found {
            let (contact, key) = (row.contact, (*campaign, row.contact));
            let today = match today {
                Ok(today) => today,
                Err(bar) => {
                    self.bars.insert(key, bar);
                    continue;
                }
            };
            let is_out = standing.opted_out.contains(&contact)
                || today.others.iter().any(|address| out.contains(address));
            let address = today.moved_to.as_ref().or(row.address.as_ref());
            let bar = terms.judge(address, is_out, windows.get(&contact).copied(), now.as_millisecond());
            // Of two campaigns in one wave the cap counts for each, as if it were the first.
            let bar = bar.or_else(|| sated.contains(&contact).then_some(Bar::FrequencyCap));
            let until = terms.quiet_until(known.get(&contact), address, now);
            let until = until.filter(|_| bar.is_none()).map(Timestamp::as_millisecond);
            self.bars.extend(bar.map(|bar| (key, bar)));
            self.quiet.extend(until.map(|until| (key, until)));
            self.moved.extend(today.moved_to.filter(|_| bar.is_none()).map(|address| (key, address)));
        }
        Ok(())
    }
}

/// A recipient as they are now.
#[derive(Debug, Default)]
struct Today {
    moved_to: Option<Address>,
    /// What else they are known by: an opt-out under any of it counts.
    others: Vec<Address>,
}

impl Today {
    /// A recipient whose contact was looked at, or need not be. A number that was given up may
    /// be a stranger's by now.
    fn of(contact: Option<&Contact>, row: &Row, terms: &Terms) -> std::result::Result<Self, Bar> {
        let (Some(contact), Some(address)) = (contact, &row.address) else { return Ok(Self::default()) };
        let others = contact.addresses();
        if contact.carries(&address.into()) {
            return Ok(Self { moved_to: None, others });
        }
        let moved_to = others.iter().find(|address| terms.can.reaches(address)).cloned();
        let moved_to = Some(moved_to.ok_or(Bar::NoAddress)?);
        Ok(Self { moved_to, others })
    }

    /// A recipient whose contact is gone: it was deleted, or it became part of another one, who
    /// may be a recipient as well. One who only goes by another id now is still meant.
    async fn of_gone(
        store: &Store,
        tenant: &TenantId,
        campaign: CampaignId,
        row: &Row,
        terms: &Terms,
    ) -> Result<std::result::Result<Self, Bar>> {
        let Some(address) = &row.address else { return Ok(Err(Bar::ContactDeleted)) };
        let planned = Identity::from(address);
        let since = followed(store, tenant, &planned, Some(0)).await?;
        for identity in std::iter::once(planned).chain(since) {
            let heir = store.contact_by(tenant, &identity).await?;
            if let Some(heir) = heir.filter(|heir| heir.absorbed.contains(&row.contact)) {
                let own = store.row(tenant, campaign, heir.id).await?;
                return match own.is_some_and(|own| own.progress.state != State::Skipped) {
                    true => Ok(Err(Bar::Duplicate)),
                    false => Ok(Self::of(Some(&heir), row, terms)),
                };
            }
        }
        Ok(Err(Bar::ContactDeleted))
    }
}
