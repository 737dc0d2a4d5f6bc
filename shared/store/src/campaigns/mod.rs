//! Campaigns: what they say, where they stand, and how far their planner came.

mod item;
mod moves;
mod params;

pub(crate) use item::{TemplateItem, from_item};
pub use moves::Transition;

use std::collections::BTreeSet;

use domain::campaign::{Campaign, CampaignState};
use domain::sender::SenderId;
use domain::template::Template;
use domain::{AccountId, CampaignId, ContactId, TenantId};

use self::item::to_item;
use crate::batch::Action;
use crate::due::{Due, Watched, put_action};
use crate::idempotency::Claim;
use crate::item::{Item, Key, Query, number, text};
use crate::ledger::Which;
use crate::update::When;
use crate::{Kind, Result, Store};

const KIND: &str = "campaign";

pub(crate) fn key(tenant: &TenantId, id: CampaignId) -> Key {
    Key::new(Kind::Campaigns.pk(tenant), format!("{:010}", id.0))
}

/// How far the planner came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planning {
    /// The next contact block to plan.
    pub checkpoint: u64,
    /// The last contact of the audience: it is fixed at start.
    pub last_contact: ContactId,
    /// When the checkpoint last moved, in milliseconds since 1970.
    pub at_ms: i64,
}

/// A campaign with what its workers need.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The campaign.
    pub campaign: Campaign,
    /// The template as it was at launch.
    pub template: Option<Template>,
    /// How far the planner came, from launch on.
    pub planning: Option<Planning>,
    /// An order to send again that is being carried out.
    pub again: Option<ResendOrder>,
    /// How many orders to send again there were.
    pub orders: u64,
    /// When it is looked at again, in milliseconds since 1970: other entries of the due
    /// index are left over.
    pub watched_at_ms: Option<i64>,
    /// It is cancelled, and every recipient has an end.
    pub swept: bool,
    /// How many times the tenant had lost contacts when it started.
    pub losses: Option<u64>,
    /// What each message costs in credits, for a tenant that pays with some.
    pub price: Option<u64>,
}

/// An order to send again, and how far a worker carried it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResendOrder {
    /// Numbers the orders of a campaign.
    pub seq: u64,
    /// Whom it is about.
    pub which: Which,
    /// The next block to do.
    pub block: u64,
    /// When that last moved, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Stored {
    /// Whether the ledger has everybody, and nobody is being put back into it.
    pub fn is_complete(&self) -> bool {
        self.campaign.state == CampaignState::Running && self.again.is_none()
    }

    /// Whether every recipient is in the ledger.
    pub fn is_planned(&self) -> bool {
        self.planning.is_some_and(|p| p.checkpoint > crate::contacts::block_of(p.last_contact))
    }
}

/// What a launch fixes.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The last contact of the audience.
    pub last_contact: ContactId,
    /// How many times the tenant lost contacts before.
    pub losses: u64,
    /// What it is sent from.
    pub sender: SenderId,
    /// The template as it is now.
    pub template: Option<Template>,
    /// What each message costs in credits, for a tenant that pays with some.
    pub price: Option<u64>,
    /// The key under which it was asked for.
    pub claim: Option<Claim>,
}

/// A campaign that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// Which.
    pub id: CampaignId,
    /// The account that sends.
    pub account: AccountId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Store {
    /// The next campaign number of a tenant.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn next_campaign_id(&self, tenant: &TenantId) -> Result<CampaignId> {
        self.next_number(tenant, "campaigns").await.map(CampaignId)
    }

    /// Writes a new campaign; a scheduled one goes into the due index with it, and the key
    /// under which it was asked for knows it.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when its number is taken, or another request has the key.
    pub async fn create_campaign(
        &self,
        tenant: &TenantId,
        campaign: &Campaign,
        claim: Option<&Claim>,
    ) -> Result<()> {
        let mut actions = vec![Action::Put(to_item(tenant, campaign)?, vec![When::Absent("pk")])];
        if let Some(at) = campaign.scheduled_at {
            let due = Due {
                tenant: tenant.clone(),
                what: Watched::Campaign(campaign.id),
                at_ms: at.as_millisecond(),
            };
            actions.push(put_action(&due)?);
        }
        actions.extend(claim.map(|claim| claim.made_action(campaign.id)));
        self.transact(actions).await
    }

    /// Reads a campaign, strongly consistent.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn campaign(&self, tenant: &TenantId, id: CampaignId) -> Result<Option<Stored>> {
        self.get_item(&key(tenant, id)).await?.map(from_item).transpose()
    }

    /// Campaigns, newest first, at most `limit`, older than `before`.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn campaigns(
        &self,
        tenant: &TenantId,
        before: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let query = Query {
            pk: Kind::Campaigns.pk(tenant),
            until: before.map(|id| format!("{:010}", id.0.saturating_sub(1))),
            limit: Some(limit),
            descending: true,
            ..Query::default()
        };
        self.query(&query).await?.into_iter().map(from_item).collect()
    }

    /// The newest `most` campaigns, as far as they were started.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn started_campaigns(&self, tenant: &TenantId, most: usize) -> Result<Vec<Started>> {
        let query = Query {
            pk: Kind::Campaigns.pk(tenant),
            project: Some("id, account, started".to_owned()),
            limit: Some(most),
            descending: true,
            ..Query::default()
        };
        let items = self.query(&query).await?;
        let started = |item: &Item| {
            let (id, account) = (number(item, "id")?, number(item, "account")?);
            Some(Started { id: CampaignId(id), account: AccountId(account), at_ms: number(item, "started")? })
        };
        Ok(items.iter().filter_map(started).collect())
    }

    /// Campaigns that are older than `before`, newest first, at most `most`, each with
    /// its state if it was started.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn started_campaigns_before(
        &self,
        tenant: &TenantId,
        before: Option<CampaignId>,
        most: usize,
    ) -> Result<Vec<(CampaignId, Option<CampaignState>)>> {
        let query = Query {
            pk: Kind::Campaigns.pk(tenant),
            until: before.map(|id| format!("{:010}", id.0.saturating_sub(1))),
            project: Some("id, started, state".to_owned()),
            limit: Some(most),
            descending: true,
            ..Query::default()
        };
        let items = self.query(&query).await?;
        let found = |item: &Item| {
            let state = text(item, "state").and_then(|state| CampaignState::parse(&state));
            let is_started = item.contains_key("started");
            Some((CampaignId(number(item, "id")?), state.filter(|_| is_started)))
        };
        Ok(items.iter().filter_map(found).collect())
    }

    /// Reads several campaigns, in no order; those that do not exist are left out.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn campaigns_of(&self, tenant: &TenantId, ids: &BTreeSet<CampaignId>) -> Result<Vec<Stored>> {
        let keys = ids.iter().map(|id| key(tenant, *id)).collect();
        self.get_many(keys).await?.into_iter().map(from_item).collect()
    }
}
