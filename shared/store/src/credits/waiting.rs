//! Campaigns that wait for credits: they are paused, and go on by themselves.

use domain::campaign::CampaignState;
use domain::{CampaignId, TenantId};
use serde::Serialize;

use super::{Shortage, purse_key, waiting_key};
use crate::batch::Action;
use crate::campaigns::Transition;
use crate::item::{Query, compose, n, number};
use crate::outbox::{Note, Written};
use crate::update::When;
use crate::{Error, Kind, Result, Store};

/// A campaign that finds too little to go on.
#[derive(Debug, Clone, Copy)]
pub struct Unfunded<'a> {
    /// The campaign.
    pub id: CampaignId,
    /// The state it is in.
    pub from: CampaignState,
    /// Why, for who looks at it.
    pub reason: &'a str,
    /// The price of one of its messages.
    pub price: u64,
    /// What there is too little of.
    pub shortage: Shortage,
}

impl Store {
    /// Pauses a campaign that finds too little to go on, and has it go on once that is
    /// otherwise: if it is so already, nothing happens.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not in that state, or may go on.
    pub async fn pause_unfunded(
        &self,
        tenant: &TenantId,
        unfunded: Unfunded<'_>,
        note: Note,
    ) -> Result<Written> {
        #[derive(Serialize)]
        struct WaitingItem {
            campaign: u64,
        }
        let Unfunded { id, from, reason, price, shortage } = unfunded;
        let short = match shortage {
            Shortage::Disabled => When::Is("off", n(1)),
            Shortage::Credits { .. } | Shortage::Day { .. } | Shortage::Minute(_) => {
                When::Below("bal", n(price))
            }
        };
        let to = CampaignState::Paused;
        let moved = self.moved(tenant, id, Transition { from, to, reason: Some(reason), watch_at_ms: None });
        let waits = compose(&waiting_key(tenant, id), "unfunded campaign", &WaitingItem { campaign: id.0 })?;
        let mut actions = vec![
            Action::Update(moved),
            Action::Put(waits, Vec::new()),
            Action::Check(purse_key(tenant), vec![short]),
        ];
        actions.extend(note.actions()?);
        self.transact(actions).await?;
        Ok(note.written())
    }

    /// The campaigns that wait for credits.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn unfunded(&self, tenant: &TenantId) -> Result<Vec<CampaignId>> {
        let query = Query { pk: Kind::Credits.pk(tenant), prefix: Some("p#".to_owned()), ..Query::default() };
        let items = self.query(&query).await?;
        Ok(items.iter().filter_map(|item| number(item, "campaign").map(CampaignId)).collect())
    }

    /// Takes a campaign off the list that waits for something else, or for nothing any more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_unfunded(
        &self,
        tenant: &TenantId,
        id: CampaignId,
        state: CampaignState,
    ) -> Result<()> {
        let is_so = When::Is("state", crate::item::s(state.as_str()));
        let check = Action::Check(crate::campaigns::key(tenant, id), vec![is_so]);
        let forget = super::forget_waiting_action(tenant, id);
        match self.transact(vec![check, forget]).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
