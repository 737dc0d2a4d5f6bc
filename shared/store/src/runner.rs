//! Who sends for a sender, and for which campaigns. Keys have the sender's id, which of
//! a Cloud API number is Meta's own.

use std::collections::BTreeSet;

use domain::campaign::CampaignState;
use domain::sender::SenderId;
use domain::{CampaignId, TenantId};
use serde::Serialize;

use crate::batch::Action;
use crate::campaigns::{Stored, from_item};
use crate::item::{Item, Key, Query, compose, n, number, s};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// How long a lease lasts without being renewed, in milliseconds.
pub const LEASE_MS: i64 = 10_000;

/// The right to send for a sender. The epoch grows with every owner, so that one
/// that was too slow can be told from its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The tenant.
    pub tenant: TenantId,
    /// What is sent from.
    pub sender: SenderId,
    /// The fencing number.
    pub epoch: u64,
    /// How the sender fared when it was last let go.
    pub condition: Condition,
    /// How often the sender had been changed by its owner.
    pub changes: u64,
    owner: String,
}

/// How a sender fares, for whoever sends on it next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Condition {
    /// Nothing may leave before this time, in milliseconds since 1970.
    pub held_until_ms: i64,
    /// How often in a row the provider could not be reached, or gave no clear answer,
    /// after a pause. Above 0 the next message is a single one.
    pub outages: u32,
    /// How often in a row a runner found nothing to do for campaigns that are not done.
    pub idle: u32,
    /// When its next runner was queued for, in milliseconds since 1970.
    pub next_run_ms: i64,
}

fn read_condition(item: &Item) -> Condition {
    Condition {
        held_until_ms: number(item, "held").unwrap_or(0),
        outages: number(item, "outages").unwrap_or(0),
        idle: number(item, "idle").unwrap_or(0),
        next_run_ms: number(item, "next").unwrap_or(0),
    }
}

fn read_changes(item: &Item) -> u64 {
    number(item, "changes").unwrap_or(0)
}

/// Tells whoever sends that the sender is another one now.
pub(crate) fn changed(tenant: &TenantId, sender: &SenderId) -> Update {
    let update = Update::of(lease_key(tenant, sender)).set("held", n(0)).set("outages", n(0));
    update.set("next", n(0)).add("changes", n(1))
}

pub(crate) fn lease_key(tenant: &TenantId, sender: &SenderId) -> Key {
    Key::new(Kind::Runner.pk(tenant), sender.as_str())
}

fn active_key(tenant: &TenantId, sender: &SenderId, campaign: CampaignId) -> Key {
    Key::new(Kind::Active.pk(format_args!("{tenant}#{sender}")), format!("{:010}", campaign.0))
}

/// Puts a campaign on the list of those that a sender sends.
pub(crate) fn activate_action(tenant: &TenantId, sender: &SenderId, campaign: CampaignId) -> Result<Action> {
    Ok(Action::Put(active_item(tenant, sender, campaign)?, Vec::new()))
}

fn active_item(tenant: &TenantId, sender: &SenderId, campaign: CampaignId) -> Result<Item> {
    #[derive(Serialize)]
    struct ActiveItem {
        campaign: u64,
    }
    let key = active_key(tenant, sender, campaign);
    compose(&key, "active campaign", &ActiveItem { campaign: campaign.0 })
}

impl Store {
    /// Takes the lease of a sender.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody holds it.
    pub async fn take_lease(&self, tenant: &TenantId, sender: &SenderId) -> Result<Lease> {
        let now = self.clock().now_ms();
        let owner = self.entropy().ulid(self.clock().now()).to_string();
        let update = Update::of(lease_key(tenant, sender))
            .set("owner", s(&owner))
            .set("until", n(now + LEASE_MS))
            .add("epoch", n(1))
            .when(When::AbsentOrAtMost("until", n(now)));
        let item = self.update_returning(update).await?;
        let epoch = number(&item, "epoch").ok_or(Error::Corrupt { kind: "lease" })?;
        let (tenant, sender, changes) = (tenant.clone(), sender.clone(), read_changes(&item));
        Ok(Lease { tenant, sender, epoch, condition: read_condition(&item), changes, owner })
    }

    /// Holds a lease for longer.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was lost: stop sending at once.
    pub async fn renew_lease(&self, lease: &Lease) -> Result<()> {
        let update = Update::of(lease_key(&lease.tenant, &lease.sender))
            .set("until", n(self.clock().now_ms() + LEASE_MS))
            .when(When::Is("owner", s(&lease.owner)));
        self.update(update).await
    }

    /// Gives a lease back, with how the sender fares.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer: it runs out by itself.
    pub async fn release_lease(&self, lease: &Lease, condition: &Condition) -> Result<()> {
        let update = Update::of(lease_key(&lease.tenant, &lease.sender))
            .set("until", n(0))
            .set("held", n(condition.held_until_ms))
            .set("outages", n(condition.outages))
            .set("idle", n(condition.idle))
            .set("next", n(condition.next_run_ms))
            .when(When::Is("owner", s(&lease.owner)));
        match self.update(update).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A fencing number above that of whoever sends for a sender now: in blocks that are
    /// adopted under it, the sender can claim nothing more. It keeps its lease.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn next_epoch(&self, tenant: &TenantId, sender: &SenderId) -> Result<u64> {
        let item = self.update_returning(Update::of(lease_key(tenant, sender)).add("epoch", n(1))).await?;
        number(&item, "epoch").ok_or(Error::Corrupt { kind: "lease" })
    }

    /// Whether somebody sends for a sender, and how it fares.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn condition(&self, tenant: &TenantId, sender: &SenderId) -> Result<(bool, Condition)> {
        let item = self.get_item(&lease_key(tenant, sender)).await?.unwrap_or_default();
        let leased = number::<i64>(&item, "until").is_some_and(|until| until > self.clock().now_ms());
        Ok((leased, read_condition(&item)))
    }

    /// Lets a hold go, and what was thought of the provider: the sender is another one now.
    /// Whoever sends on it learns of it with its next wave.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn sender_changed(&self, tenant: &TenantId, sender: &SenderId) -> Result<()> {
        self.update(changed(tenant, sender)).await
    }

    /// Reads campaigns that a sender sends, and how often the sender was changed by its
    /// owner, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn look(
        &self,
        tenant: &TenantId,
        sender: &SenderId,
        ids: &BTreeSet<CampaignId>,
    ) -> Result<(Vec<Stored>, u64)> {
        let lease = lease_key(tenant, sender);
        let keys = ids.iter().map(|id| crate::campaigns::key(tenant, *id)).chain([lease.clone()]);
        let items = self.get_many(keys.collect()).await?;
        let (leases, campaigns): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| Key::of(item).as_ref() == Some(&lease));
        let campaigns: Result<Vec<Stored>> = campaigns.into_iter().map(from_item).collect();
        Ok((campaigns?, leases.first().map_or(0, read_changes)))
    }

    /// Puts a campaign on the list of those that a sender sends.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn activate(&self, tenant: &TenantId, sender: &SenderId, campaign: CampaignId) -> Result<()> {
        self.put(active_item(tenant, sender, campaign)?).await
    }

    /// Takes a campaign off the list, unless it sends by now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn deactivate(&self, tenant: &TenantId, sender: &SenderId, campaign: CampaignId) -> Result<()> {
        let sends_not = [CampaignState::Planning, CampaignState::Running]
            .map(|state| When::Not("state", s(state.as_str())))
            .to_vec();
        let check = Action::Check(crate::campaigns::key(tenant, campaign), sends_not);
        let delete = Action::Delete(active_key(tenant, sender, campaign), Vec::new());
        match self.transact(vec![check, delete]).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The campaigns that a sender sends.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn active(&self, tenant: &TenantId, sender: &SenderId) -> Result<Vec<CampaignId>> {
        let query = Query { pk: Kind::Active.pk(format_args!("{tenant}#{sender}")), ..Query::default() };
        Ok(self.query(&query).await?.iter().filter_map(|i| number(i, "campaign").map(CampaignId)).collect())
    }
}
