//! Who sends for a number, and for which campaigns.

use domain::{CampaignId, TenantId};
use serde::Serialize;

use crate::item::{Key, Query, compose, n, number, s};
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
    owner: String,
}

fn lease_key(tenant: &TenantId, phone_number_id: &str) -> Key {
    Key::new(format!("RUNNER#{tenant}"), phone_number_id)
}

fn active_key(tenant: &TenantId, phone_number_id: &str, campaign: CampaignId) -> Key {
    Key::new(format!("ACTIVE#{tenant}#{phone_number_id}"), format!("{:010}", campaign.0))
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
        Ok(Lease { tenant: tenant.clone(), phone_number_id: phone_number_id.to_owned(), epoch, owner })
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

    /// Gives a lease back.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn release_lease(&self, lease: &Lease) -> Result<()> {
        let update = Update::of(lease_key(&lease.tenant, &lease.phone_number_id))
            .set("until", n(0))
            .when(When::Is("owner", s(&lease.owner)));
        match self.update(update).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether somebody sends for a number now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn is_leased(&self, tenant: &TenantId, phone_number_id: &str) -> Result<bool> {
        let item = self.get_item(&lease_key(tenant, phone_number_id)).await?.unwrap_or_default();
        Ok(number::<i64>(&item, "until").is_some_and(|until| until > self.clock().now_ms()))
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
        #[derive(Serialize)]
        struct ActiveItem {
            campaign: u64,
        }
        let key = active_key(tenant, phone_number_id, campaign);
        self.put(compose(&key, "active campaign", &ActiveItem { campaign: campaign.0 })?).await
    }

    /// Takes a campaign off the list.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn deactivate(
        &self,
        tenant: &TenantId,
        phone_number_id: &str,
        campaign: CampaignId,
    ) -> Result<()> {
        self.delete(&active_key(tenant, phone_number_id, campaign)).await
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
