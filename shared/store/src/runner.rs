//! Who sends for a number, and for which campaigns.

use domain::campaign::CampaignState;
use domain::{CampaignId, TenantId};
use serde::Serialize;

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, number, s};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// How long a lease lasts without being renewed, in milliseconds.
pub const LEASE_MS: i64 = 10_000;

/// The right to send for a number. The epoch grows with every owner, so that one
/// that was too slow can be told from its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The tenant.
    pub tenant: TenantId,
    /// The sending number.
    pub phone_number_id: String,
    /// The fencing number.
    pub epoch: u64,
    /// How the number fared when it was last let go.
    pub condition: Condition,
    owner: String,
}

/// How a number fares, for whoever sends on it next.
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

fn lease_key(tenant: &TenantId, phone_number_id: &str) -> Key {
    Key::new(format!("RUNNER#{tenant}"), phone_number_id)
}

fn active_key(tenant: &TenantId, phone_number_id: &str, campaign: CampaignId) -> Key {
    Key::new(format!("ACTIVE#{tenant}#{phone_number_id}"), format!("{:010}", campaign.0))
}

/// Puts a campaign on the list of those that a number sends.
pub(crate) fn activate_action(
    tenant: &TenantId,
    phone_number_id: &str,
    campaign: CampaignId,
) -> Result<Action> {
    Ok(Action::Put(active_item(tenant, phone_number_id, campaign)?, Vec::new()))
}

fn active_item(tenant: &TenantId, phone_number_id: &str, campaign: CampaignId) -> Result<Item> {
    #[derive(Serialize)]
    struct ActiveItem {
        campaign: u64,
    }
    let key = active_key(tenant, phone_number_id, campaign);
    compose(&key, "active campaign", &ActiveItem { campaign: campaign.0 })
}

impl Store {
    /// Takes the lease of a number.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody holds it.
    pub async fn take_lease(&self, tenant: &TenantId, phone_number_id: &str) -> Result<Lease> {
        let now = self.clock().now_ms();
        let owner = self.entropy().ulid(self.clock().now()).to_string();
        let update = Update::of(lease_key(tenant, phone_number_id))
            .set("owner", s(&owner))
            .set("until", n(now + LEASE_MS))
            .add("epoch", n(1))
            .when(When::AbsentOrAtMost("until", n(now)));
        let item = self.update_returning(update).await?;
        let epoch = number(&item, "epoch").ok_or(Error::Corrupt { kind: "lease" })?;
        let (tenant, phone_number_id) = (tenant.clone(), phone_number_id.to_owned());
        Ok(Lease { tenant, phone_number_id, epoch, condition: read_condition(&item), owner })
    }

    /// Holds a lease for longer.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was lost: stop sending at once.
    pub async fn renew_lease(&self, lease: &Lease) -> Result<()> {
        let update = Update::of(lease_key(&lease.tenant, &lease.phone_number_id))
            .set("until", n(self.clock().now_ms() + LEASE_MS))
            .when(When::Is("owner", s(&lease.owner)));
        self.update(update).await
    }

    /// Gives a lease back, with how the number fares.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer: it runs out by itself.
    pub async fn release_lease(&self, lease: &Lease, condition: &Condition) -> Result<()> {
        let update = Update::of(lease_key(&lease.tenant, &lease.phone_number_id))
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

    /// A fencing number above that of whoever sends on a number now: in blocks that are
    /// adopted under it, the sender can claim nothing more. It keeps its lease.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn next_epoch(&self, tenant: &TenantId, phone_number_id: &str) -> Result<u64> {
        let item =
            self.update_returning(Update::of(lease_key(tenant, phone_number_id)).add("epoch", n(1))).await?;
        number(&item, "epoch").ok_or(Error::Corrupt { kind: "lease" })
    }

    /// Whether somebody sends on a number, and how it fares.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn condition(&self, tenant: &TenantId, phone_number_id: &str) -> Result<(bool, Condition)> {
        let item = self.get_item(&lease_key(tenant, phone_number_id)).await?.unwrap_or_default();
        let leased = number::<i64>(&item, "until").is_some_and(|until| until > self.clock().now_ms());
        Ok((leased, read_condition(&item)))
    }

    /// Whether somebody sends for a number now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn is_leased(&self, tenant: &TenantId, phone_number_id: &str) -> Result<bool> {
        Ok(self.condition(tenant, phone_number_id).await?.0)
    }

    /// Puts a campaign on the list of those that a number sends.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn activate(
        &self,
        tenant: &TenantId,
        phone_number_id: &str,
        campaign: CampaignId,
    ) -> Result<()> {
        self.put(active_item(tenant, phone_number_id, campaign)?).await
    }

    /// Takes a campaign off the list, unless it sends by now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn deactivate(
        &self,
        tenant: &TenantId,
        phone_number_id: &str,
        campaign: CampaignId,
    ) -> Result<()> {
        let sends_not = [CampaignState::Planning, CampaignState::Running]
            .map(|state| When::Not("state", s(state.as_str())))
            .to_vec();
        let check = Action::Check(crate::campaigns::key(tenant, campaign), sends_not);
        let delete = Action::Delete(active_key(tenant, phone_number_id, campaign), Vec::new());
        match self.transact(vec![check, delete]).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The campaigns that a number sends.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn active(&self, tenant: &TenantId, phone_number_id: &str) -> Result<Vec<CampaignId>> {
        let query = Query { pk: format!("ACTIVE#{tenant}#{phone_number_id}"), ..Query::default() };
        Ok(self.query(&query).await?.iter().filter_map(|i| number(i, "campaign").map(CampaignId)).collect())
    }
}
